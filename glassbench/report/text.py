"""The results on a terminal: verdicts, why other claims have none, and scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from glassbench.report.claims import say_accepted, say_published, say_reason, say_value
from glassbench.report.score_table import score_tables, tabulate_scores

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    from glassbench.api import Run
    from glassbench.scores.verdicts import Verdict, Word
    from glassbench.spec.model import Check

    Judged = list[tuple[Verdict, Check]]

STYLES: dict[Word, str] = {
    "reproduced": "green",
    "not reproduced": "bold red",
    "expected miss": "yellow",
    "unexpected hit": "bold magenta",
    "undecided": "dim",
    "not run": "dim",
}
_NARROW = 70  # below, the accepted interval has no room


def verdict_lines(run: Run, width: int = 100) -> Group:
    """Return the verdicts for a rich console, which colours them only on a terminal.

    Parameters
    ----------
    run
        The run.
    width
        Number of columns that there are.
    """
    from rich.console import Group  # noqa: PLC0415  # keeps the Python interface quick to import

    pairs = list(zip(run.judged, run.spec.checks, strict=True))
    judged = [pair for pair in pairs if pair[0].is_judged]
    table = [_make_table(judged, width)] if judged else []
    return Group(*table, *_group_unjudged(pairs))


def score_lines(run: Run, width: int = 100) -> Group | None:
    """Return the scores for a rich console; nothing if no score is a single value.

    Parameters
    ----------
    run
        The run.
    width
        Number of columns that there are.
    """
    from rich.console import Group  # noqa: PLC0415  # see above
    from rich.text import Text  # noqa: PLC0415  # see above

    tables = score_tables(tabulate_scores(run), width)
    if not tables:
        return None
    head = Text.assemble(("Scores", "bold"), ("; in brackets: confidence intervals", "dim"))
    return Group("", head, *(part for table in tables for part in (table, "")))


def _make_table(judged: Judged, width: int) -> Table:
    from rich.table import Table  # noqa: PLC0415  # see above
    from rich.text import Text  # noqa: PLC0415  # see above

    table = Table(box=None, pad_edge=False, width=min(width, 110), header_style="bold")
    roomy = width >= _NARROW
    heads = ("claim", "published", "measured", *(("accepted",) if roomy else ()), "verdict")
    for head in heads:
        table.add_column(head, no_wrap=head == "verdict", overflow="fold")
    for verdict, check in judged:
        word = Text(verdict.verdict, STYLES[verdict.verdict])
        if verdict.borderline:
            word.append(" ~", "dim")
        cells = [verdict.claim, say_published(verdict), say_value(verdict, check)]
        cells += [say_accepted(verdict, check)] if roomy else []
        table.add_row(*map(Text, cells), word)
    return table


def _group_unjudged(pairs: Judged) -> list[Text]:
    """Return a line for each reason, with the claims that were not judged for it."""
    from rich.text import Text  # noqa: PLC0415  # see above

    claims: dict[tuple[Word, str], list[str]] = {}
    for verdict, check in pairs:
        if not verdict.is_judged:
            reason = (verdict.verdict, say_reason(verdict, check))
            claims.setdefault(reason, []).append(verdict.claim)
    return [
        Text.assemble((f"{word} ", STYLES[word]), ", ".join(names), (f": {reason}", "dim"))
        for (word, reason), names in claims.items()
    ]
