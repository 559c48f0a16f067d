"""Stages that score, with confidence intervals, and the verdicts on the paper's claims."""
