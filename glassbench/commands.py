"""What the commands do: call the Python interface and print. Imports wait until they are needed."""
# ruff: noqa: PLC0415  # `glassbench list` must not pay for xarray, numba and LAMMPS

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glassbench.errors import SpecError, StageError

if TYPE_CHECKING:
    from argparse import Namespace

    from rich.console import Console
    from rich.table import Table

    from glassbench.api import Run
    from glassbench.engine.begun import Begun
    from glassbench.engine.run import Failure
    from glassbench.engine.store import Entry
    from glassbench.spec.model import Protocol
    from glassbench.stage import Stage

STORE_ACTIONS = ("list", "verify", "remove", "export")
KEYS_REMEDY = "`glassbench store list` shows the keys"
MISSED = 1
FAILED = 3
PLAN_MAX_WIDTH = 1000
NAME_COLUMNS = ("stage", "uses", "key", "with", "makes")


def _console() -> Console:
    from rich.console import Console

    class PipedConsole(Console):
        def on_broken_pipe(self) -> None:
            """Leave it to the command line, where rich would exit with 1, a missed claim."""
            raise  # noqa: PLE0704  # rich calls this while it handles the error

    return PipedConsole(highlight=False)


def _table(*columns: str) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        # Names are for copying: other columns wrap first.
        table.add_column(column, overflow="fold", no_wrap=column in NAME_COLUMNS)
    return table


def list_specs(_: Namespace) -> int:
    """List the specs: key, year and title."""
    from glassbench.data import find_spec, spec_keys
    from glassbench.spec.load import read_header

    table = _table("key", "year", "title")
    for key in spec_keys():
        header = read_header(find_spec(key))
        table.add_row(key, str(header.year), header.title)
    _console().print(table)
    return 0


def list_stages(arguments: Namespace) -> int:
    """List all stages, or describe the named ones."""
    from glassbench.engine.stages import load_stages
    from glassbench.spec.schema import spec_schema

    stages = load_stages()
    if arguments.schema:
        print(json.dumps(spec_schema(stages), indent=2))  # noqa: T201  # for a file, unwrapped
        return 0
    if not arguments.name:
        table = _table("stage", "runs", "what it does")
        for uses in sorted(stages):
            table.add_row(uses, stages[uses].runs, stages[uses].summary)
        _console().print(table)
        return 0
    for name in arguments.name:
        chosen = [stage for uses, stage in stages.items() if name in (uses, stage.name)]
        if not chosen:
            raise SpecError(f"there is no stage {name!r}", expected=", ".join(sorted(stages)))
        for stage in chosen:
            describe_stage(stage)
    return 0


def describe_stage(stage: Stage) -> None:
    """Print the contract of a stage: inputs, parameters and what it makes."""
    from glassbench.spec.annotations import describe, describe_condition, describe_inputs
    from glassbench.variables import lookup

    console = _console()
    console.print(f"[bold]{stage.uses}[/bold]  (runs {stage.runs})\n{stage.summary}\n")
    for line in describe_inputs(stage):
        console.print(line)
    table = _table("with", "type", "default", "meaning")
    for param in stage.params.values():
        default = "required" if param.required else str(param.default)
        table.add_row(param.name, describe(param.annotation), default, param.doc)
    console.print(table)
    made = _table("makes", "dims", "units", "meaning")
    for name in stage.makes:
        variable = lookup(name)
        meaning = variable.long_name + describe_condition(stage, name)
        made.add_row(name, " ".join(variable.dims), variable.units, meaning)
    console.print(made)


def check(arguments: Namespace) -> int:
    """Check specs; all of them, even after a bad one."""
    from glassbench.api import open_spec

    errors = []
    for name in arguments.spec:
        try:
            spec = open_spec(name)
        except SpecError as error:
            errors.append(str(error))
        else:
            scales = ", ".join(spec.scale_names)
            n_run = sum(check.not_run is None for check in spec.checks)
            _console().print(
                f"{spec.path}: fine. {len(spec.stages)} stages, {n_run} of {len(spec.checks)} "
                f"claims are checked, scales {scales}",
                soft_wrap=True,
            )
    if errors:
        raise SpecError("\n\n".join(errors))
    return 0


def run(arguments: Namespace) -> int:
    """Run a spec, print its verdicts and write its report."""
    from glassbench import api
    from glassbench.engine.progress import reporting
    from glassbench.engine.provenance import command_line

    console = _console()
    spec = api.open_spec(arguments.spec)
    with reporting(console) as reporter:
        done = api.run(
            spec,
            arguments.scale,
            store=arguments.store,
            until=arguments.until,
            fresh=arguments.fresh,
            workers=arguments.workers,
            scheduler=arguments.scheduler,
            command=command_line(),
            reporter=reporter,
        )
    if arguments.until:
        _print_failures(console, done, tracebacks=arguments.traceback)
        return FAILED if done.failures else 0
    return _conclude(console, done, arguments)


def report(arguments: Namespace) -> int:
    """Write the report from stored results alone."""
    from glassbench import api
    from glassbench.engine.run import Results
    from glassbench.engine.why import plan_tasks

    spec = api.open_spec(arguments.spec)
    protocol = spec.at_scale(arguments.scale)
    place = api.open_store(arguments.store)
    results = Results(keys={stage_id: {} for stage_id in protocol.stages})
    for task in plan_tasks(protocol):
        if place.find(task.key) is not None:
            results.keys[task.stage_id][task.sample] = task.key
    return _conclude(_console(), api.Run(spec, protocol, place, results), arguments)


def _conclude(console: Console, done: Run, arguments: Namespace) -> int:
    """Print verdicts, scores and failures, write the report, and choose the exit code."""
    from glassbench.report.text import score_lines, verdict_lines

    console.print(verdict_lines(done, console.width))
    if (scores := score_lines(done, console.width)) is not None:
        console.print(scores)
    _print_failures(console, done, tracebacks=arguments.traceback)
    page = done.report(arguments.out)
    console.print(f"report: {page}", soft_wrap=True)
    if done.failures:
        return FAILED
    return MISSED if any(verdict.is_unexpected for verdict in done.judged) else 0


def _print_failures(console: Console, done: Run, *, tracebacks: bool) -> None:
    """Print each different failure once, with the samples that it hit."""
    alike: dict[tuple[str, str], list[Failure]] = {}
    for failure in done.failures:
        text = failure.traceback if tracebacks else failure.message
        alike.setdefault((failure.stage_id, text), []).append(failure)
    for (stage_id, text), failures in alike.items():
        places = {failure.sample: failure.place for failure in failures}
        samples = [places[sample] for sample in sorted(i for i in places if i is not None)]
        several = "s" if len(samples) > 1 else ""
        hit = f", sample{several} {', '.join(samples)}" if samples else ""
        console.print(f"\n{stage_id} failed{hit}:\n{text}", markup=False, soft_wrap=True)


def plan(arguments: Namespace) -> int:
    """Show per stage how many results are there, and what the missing ones would cost."""
    from glassbench.engine.plan import HEADER, make_plan
    from glassbench.engine.stages import load_stages

    protocol, place = _open(arguments)
    found = make_plan(protocol, place, load_stages())
    table = _table(*HEADER)
    for column in table.columns:
        column.no_wrap = True
        column.justify = "left" if column.header in NAME_COLUMNS else "right"
    for item in found.stages:
        table.add_row(*item.cells())
    table.add_section()
    for row in found.totals:
        table.add_row(*row, style="bold")
    console = _console()
    # No cell is cut: what does not fit on a screen is read in a file.
    wide = console.options.update(max_width=PLAN_MAX_WIDTH)
    console.width = max(console.width, console.measure(table, options=wide).maximum)
    console.print(table)
    for note in found.notes():
        console.print(note, markup=False, soft_wrap=True)
    return 0


def why(arguments: Namespace) -> int:
    """Explain for each result whether it is reused, and if not, what differs."""
    from glassbench.api import check_stage_names
    from glassbench.engine.why import explain

    protocol, place = _open(arguments)
    check_stage_names(protocol, [arguments.stage] if arguments.stage else [])
    console = _console()
    for answer in explain(protocol, place):
        if arguments.stage in (None, answer.task.stage_id):
            console.print(f"{answer.task.label} {answer}", markup=False, soft_wrap=True)
    return 0


def _open(arguments: Namespace) -> tuple[Protocol, Any]:
    from glassbench import api

    spec = api.open_spec(arguments.spec)
    return spec.at_scale(arguments.scale), api.open_store(arguments.store)


def compare(arguments: Namespace) -> int:
    """Put the verdicts of reports side by side."""
    from glassbench.report.compare import compare_runs

    _console().print(compare_runs([Path(folder) for folder in arguments.folder]))
    return 0


def new(arguments: Namespace) -> int:
    """Write a spec and its table of claims to start from."""
    from glassbench.spec.template import write_template

    for path in write_template(arguments.key, Path.cwd()):
        _console().print(f"wrote {path}", soft_wrap=True)
    _console().print(f"next: glassbench check {arguments.key}")
    return 0


def store(arguments: Namespace) -> int:
    """List, verify, remove or export stored results."""
    actions = {
        "list": _list_store,
        "verify": _verify_store,
        "remove": _remove_from_store,
        "export": _export_from_store,
    }
    return actions[arguments.action](arguments)


def _list_store(arguments: Namespace) -> int:
    from glassbench.api import open_store

    place = open_store(arguments.store)
    table = _table("key", "stage", "sample", "made", "s", "MiB", "from")
    for entry in place.entries():
        source = "shipped" if entry.is_seed else "here"
        table.add_row(*_store_row(entry, entry.provenance(), source))
    for task in place.unfinished():
        with suppress(FileNotFoundError):  # it has just been finished
            record = {**task.record(), "finished": task.saved()}
            table.add_row(*_store_row(task, record, "unfinished"))
    _console().print(table)
    return 0


def _store_row(item: Entry | Begun, record: dict[str, Any], source: str) -> tuple[str, ...]:
    identity = record.get("identity", {})
    size = sum(path.stat().st_size for path in item.folder.rglob("*") if path.is_file()) / 2**20
    return (
        item.key,
        str(identity.get("stage", "?")),
        str(identity.get("sample", "")),
        str(record.get("finished", "?")),
        f"{record['wall_s']:.1f}" if "wall_s" in record else "",
        f"{size:.2f}",
        source,
    )


def _verify_store(arguments: Namespace) -> int:
    """Find damaged results, which runs would silently compute anew."""
    from glassbench.api import open_store

    whole, damaged = open_store(arguments.store).verify()
    console = _console()
    for path in damaged:
        console.print(f"damaged: {path}", markup=False, soft_wrap=True)
    console.print(f"results: {len(whole)} whole, {len(damaged)} damaged")
    return FAILED if damaged else 0


def _remove_from_store(arguments: Namespace) -> int:
    from glassbench.api import open_store

    place = open_store(arguments.store)
    if not arguments.argument:
        raise SpecError("remove takes the keys of results", remedy=KEYS_REMEDY)
    for key in arguments.argument:
        if not place.remove(key):
            raise SpecError(
                f"there is no result {key!r} of your own",
                where=str(place.folder),
                remedy=KEYS_REMEDY,
            )
    return 0


def _export_from_store(arguments: Namespace) -> int:
    """Copy the results of one stage into another folder, to ship them as seeds."""
    from glassbench import api
    from glassbench.engine.store import Store
    from glassbench.engine.why import plan_tasks

    if len(arguments.argument) != len(("spec", "scale", "stage", "folder")):
        raise SpecError("export takes SPEC SCALE STAGE DIR", got=" ".join(arguments.argument))
    spec, scale, stage_id, folder = arguments.argument
    protocol = api.open_spec(spec).at_scale(scale)
    api.check_stage_names(protocol, [stage_id])
    place, target = api.open_store(arguments.store), Store(Path(folder).absolute())
    for task in plan_tasks(protocol):
        if task.stage_id == stage_id:
            entry = place.find(task.key)
            if entry is None:
                raise StageError(f"{task.label} has not been computed yet")
            target.adopt(entry)
    return 0
