"""The report: an HTML page, figures, tables of verdicts, and files for other programs."""
