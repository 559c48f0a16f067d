"""Configuration of the documentation; the reference of stages is made from their functions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from glassbench.engine.stages import load_stages
from glassbench.spec.annotations import describe, describe_condition, describe_inputs
from glassbench.variables import lookup

if TYPE_CHECKING:
    from collections.abc import Iterator

    from glassbench.stage import Stage

project = "glassbench"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
html_theme = "alabaster"
myst_heading_anchors = 3
# The README shows paths of the repository.
suppress_warnings = ["myst.xref_missing"]


def _describe(stage: Stage) -> Iterator[str]:
    yield f"\n## {stage.uses}\n\n{stage.summary} Runs {stage.runs}.\n"
    yield from (f"- {line}" for line in describe_inputs(stage, "`"))
    if stage.params:
        yield "\n| with | type | default | meaning |\n| --- | --- | --- | --- |"
    for param in stage.params.values():
        default = "required" if param.required else f"`{param.default}`"
        yield f"| `{param.name}` | {describe(param.annotation)} | {default} | {param.doc} |"
    yield "\n| makes | dims | units | meaning |\n| --- | --- | --- | --- |"
    for name in stage.makes:
        made = lookup(name)
        meaning = made.long_name + describe_condition(stage, name)
        yield f"| `{name}` | {', '.join(made.dims)} | {made.units} | {meaning} |"


def _write_stages() -> None:
    lines = ["# Stages", "", "What a spec may use, made from the functions themselves."]
    for _, stage in sorted(load_stages().items()):
        lines += _describe(stage)
    (Path(__file__).parent / "stages.md").write_text("\n".join(lines) + "\n")


_write_stages()
