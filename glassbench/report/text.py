"""The verdicts on a terminal: a compact table, and why the other claims were not run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from glassbench.report.words import say_accepted, say_measured, say_published, say_unit

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    from glassbench.api import Run
    from glassbench.scores.verdicts import Verdict, Word

STYLES: dict[Word, str] = {
    "reproduced": "green",
    "not reproduced": "bold red",
    "expected miss": "yellow",
    "unexpected hit": "bold magenta",
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

    judged = [verdict for verdict in run.judged if verdict.verdict != "not run"]
    table = [_make_table(judged, width)] if judged else []
    return Group(*table, *_group_not_run(run.judged))


def _make_table(verdicts: list[Verdict], width: int) -> Table:
    from rich.table import Table  # noqa: PLC0415  # see above
    from rich.text import Text  # noqa: PLC0415  # see above

    table = Table(box=None, pad_edge=False, width=min(width, 110), header_style="bold")
    roomy = width >= _NARROW
    heads = ("claim", "published", "measured", *(("accepted",) if roomy else ()), "verdict")
    for head in heads:
        table.add_column(head, no_wrap=head == "verdict", overflow="fold")
    for verdict in verdicts:
        word = Text(verdict.verdict, STYLES[verdict.verdict])
        if verdict.borderline:
            word.append(" ~", "dim")
        cells = [verdict.claim, say_published(verdict), _say_value(verdict)]
        table.add_row(*map(Text, [*cells, *([say_accepted(verdict)] if roomy else [])]), word)
    return table


def _say_value(verdict: Verdict) -> str:
    unit = say_unit(verdict.unit)
    if isinstance(verdict.value, float):
        return f"{say_measured(verdict.value, verdict.interval)} {unit}".rstrip()
    return ", ".join(map(str, verdict.measured))


def _group_not_run(verdicts: tuple[Verdict, ...]) -> list[Text]:
    """Return a line for each reason, with the claims that were not run for it."""
    from rich.text import Text  # noqa: PLC0415  # see above

    claims: dict[str, list[str]] = {}
    for verdict in verdicts:
        if verdict.verdict == "not run":
            claims.setdefault(verdict.reason, []).append(verdict.claim)
    return [
        Text.assemble(("not run ", STYLES["not run"]), ", ".join(names), (f": {reason}", "dim"))
        for reason, names in claims.items()
    ]
