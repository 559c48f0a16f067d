"""The command line: thin over the Python interface.

Exit codes: 0 done, 1 a claim was missed (or hit) unexpectedly, 2 a bad spec or argument,
3 a stage failed, 130 interrupted, 141 the reader of the output has gone.
"""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from glassbench import commands
from glassbench.errors import GlassbenchError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

INTERRUPTED = 130
BROKEN_PIPE = 141


class _Parser(argparse.ArgumentParser):
    """Takes options between positional arguments too: `why SPEC --scale smoke STAGE`."""

    _is_nested = False

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:  # noqa: ANN401
        """Parse intermixed arguments, which argparse does by calling this method again."""
        if self._is_nested:
            return super().parse_known_args(args, namespace)
        self._is_nested = True
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self._is_nested = False


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="glassbench",
        description="Run descriptor papers of metallic glasses end to end and hold them against "
        "the numbers that they printed.",
    )
    parser.add_argument(
        "--version", action="version", version=f"glassbench {version('glassbench')}"
    )
    parser.add_argument("--traceback", action="store_true", help="show Python tracebacks of errors")
    commanding = parser.add_subparsers(
        dest="command", required=True, metavar="COMMAND", parser_class=_Parser
    )
    _add_commands_on_specs(commanding.add_parser)
    _add_commands_on_results(commanding.add_parser)
    return parser


def _add_commands_on_specs(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Add what looks at specs and stages without running anything."""
    add("list", help="list the specs").set_defaults(do=commands.list_specs)

    stages = add("stages", help="list the stages that a spec may use, or describe some")
    stages.add_argument("name", nargs="*", help="a stage, such as md.melt_quench")
    stages.add_argument(
        "--schema", action="store_true", help="print the JSON schema of specs, for editors"
    )
    stages.set_defaults(do=commands.list_stages)

    check = add("check", help="check specs without running them")
    check.add_argument("spec", nargs="+", help="key of a spec, or path of a YAML file")
    check.set_defaults(do=commands.check)

    plan = add("plan", help="show what a run would compute, reuse and cost")
    _add_spec(plan)
    plan.set_defaults(do=commands.plan)

    why = add("why", help="explain why results are reused or computed anew")
    _add_spec(why)
    why.add_argument("stage", nargs="?", help="only this stage")
    why.set_defaults(do=commands.why)

    new = add("new", help="start the spec of another paper")
    new.add_argument("key", help="its key, such as softness-2016")
    new.set_defaults(do=commands.new)


def _add_commands_on_results(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Add what makes results or looks at them."""
    run = add("run", help="run a spec and judge its claims")
    _add_spec(run)
    _add_execution(run)
    run.add_argument("--out", metavar="DIR", help="folder of the report (reports/KEY/SCALE)")
    run.set_defaults(do=commands.run)

    report = add("report", help="write the report again from what the store has")
    _add_spec(report)
    report.add_argument("--out", metavar="DIR", help="folder of the report (reports/KEY/SCALE)")
    report.set_defaults(do=commands.report)

    compare = add("compare", help="put the verdicts of reports side by side")
    compare.add_argument("folder", nargs="+", help="folders with a verdicts.json")
    compare.set_defaults(do=commands.compare)

    store = add("store", help="look after stored results")
    _add_store(store)
    store.add_argument("action", nargs="?", default="list", choices=commands.STORE_ACTIONS)
    store.add_argument("argument", nargs="*", help="remove: keys; export: SPEC SCALE STAGE DIR")
    store.set_defaults(do=commands.store)


def _add_store(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--store",
        metavar="DIR",
        help="folder of results (default: $GLASSBENCH_STORE or ~/.cache/glassbench/store)",
    )


def _add_spec(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("spec", help="key of a spec, or path of a YAML file")
    parser.add_argument("--scale", default="laptop", help="smoke, laptop (default) or paper")
    _add_store(parser)


def _add_execution(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--until", metavar="STAGE", help="stop after this stage")
    parser.add_argument(
        "--fresh",
        metavar="STAGE",
        action="append",
        default=[],
        help="compute this stage anew, and all that depends on it",
    )
    parser.add_argument("--workers", type=int, metavar="N", help="local processes (one per core)")
    parser.add_argument("--scheduler", metavar="ADDRESS", help="a dask scheduler to use instead")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    try:
        try:
            return _run(arguments)
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        # The reader, such as `head`, has gone; Python would flush again as it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE


def _run(arguments: Sequence[str] | None) -> int:
    parsed = build_parser().parse_args(arguments)
    try:
        code: int = parsed.do(parsed)
    except GlassbenchError as error:
        if parsed.traceback:
            traceback.print_exc()
        print(error, file=sys.stderr)  # noqa: T201  # the command line speaks
        return error.exit_code
    except KeyboardInterrupt:
        print(  # noqa: T201  # the same
            "interrupted; finished results are kept, the same command goes on from there",
            file=sys.stderr,
        )
        return INTERRUPTED
    return code


if __name__ == "__main__":
    sys.exit(main())
