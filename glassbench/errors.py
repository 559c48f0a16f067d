"""Errors that a user is meant to read: what, where, got, expected, and what to do."""

from __future__ import annotations


class GlassbenchError(Exception):
    """Base of every error that glassbench raises on purpose.

    Parameters
    ----------
    what
        One sentence that says what is wrong.
    where
        The file and line, the stage, or the sample.
    got
        What was found there.
    expected
        What would have been right, allowed names included.
    remedy
        What the reader can do about it.
    """

    exit_code = 3

    def __init__(
        self,
        what: str,
        *,
        where: str = "",
        got: str = "",
        expected: str = "",
        remedy: str = "",
    ) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.got = got
        self.expected = expected
        self.remedy = remedy

    def __reduce__(self) -> tuple[object, ...]:
        """Survive the trip from a worker process, keyword arguments included."""
        fields = {name: getattr(self, name) for name in ("where", "got", "expected", "remedy")}
        return (_rebuild, (type(self), self.what, fields))

    def __str__(self) -> str:
        """Format the error as a short block, one line per known fact."""
        lines = [f"{self.where}: {self.what}" if self.where else self.what]
        facts = (("got", self.got), ("expected", self.expected), ("to do", self.remedy))
        lines += [f"  {label:<9}{text}" for label, text in facts if text]
        return "\n".join(lines)


def _rebuild(kind: type[GlassbenchError], what: str, fields: dict[str, str]) -> GlassbenchError:
    return kind(what, **fields)


class SpecError(GlassbenchError):
    """A spec file or an argument cannot be used."""

    exit_code = 2


class VariableError(GlassbenchError):
    """A Dataset does not hold what its stage declared."""


class StageError(GlassbenchError):
    """A stage could not be computed."""


class StoreError(GlassbenchError):
    """The store could not be read or written."""


class ReportError(GlassbenchError):
    """A report could not be written or read."""
