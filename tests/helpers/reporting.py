"""What the tests of figures share: runs of made-up results, and looks at what is drawn."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np

from glassbench.api import Run
from glassbench.engine.run import Results
from glassbench.engine.store import Store
from glassbench.report.style import RC
from glassbench.stage import Split

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from glassbench.report.drawing import Drawing
    from glassbench.spec.model import Spec


def save_run(
    folder: Path, spec: Spec, made: Mapping[str, Any], without: Collection[str] = ()
) -> Run:
    """Store results, a list of Datasets or that of the whole protocol by stage, as a laptop run."""
    store, results = Store(folder / "store"), Results()
    for name, call in spec.stages.items():
        results.keys[name] = {}
        if name not in made or name in without:
            continue
        is_once = call.stage.split is Split.PROTOCOL
        for i, part in enumerate([made[name]] if is_once else made[name]):
            key = f"{name.replace('_', 'x')}x{i}"
            store.save(key, part, {})
            results.keys[name][None if is_once else i] = key
    return Run(spec, spec.at_scale("laptop"), store, results)


def leave_out(run: Run, *names: str) -> Run:
    """Return a run without the results of some stages."""
    keys = {name: {} if name in names else own for name, own in run.results.keys.items()}
    return Run(run.spec, run.protocol, run.store, Results(keys=keys))


def change_params(run: Run, stage_id: str, **params: object) -> Run:
    """Return a run with other parameters of a stage, and the same results."""
    calls = dict(run.protocol.stages)
    calls[stage_id] = replace(calls[stage_id], params={**calls[stage_id].params, **params})
    return Run(run.spec, replace(run.protocol, stages=calls), run.store, run.results)


def make_axes(drawing: Drawing) -> list[Axes]:
    """Draw a figure in our style, without a file, and return its axes."""
    with mpl.rc_context(RC):
        figure: Figure = drawing.make()
        return figure.axes


def get_points(ax: Axes, k: int) -> NDArray[np.float64]:
    """Return x and y of one of the lines of a panel, shape (2, n)."""
    return np.asarray(ax.lines[k].get_xydata(), dtype=np.float64).T


def read_legend(ax: Axes) -> list[str]:
    """Return the labels of a legend."""
    return [text.get_text() for text in ax.get_legend().get_texts()]  # type: ignore[union-attr]
