"""Figures of a fit: prediction against target, weights, and the choice of C."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from glassbench.report.drawing import FAN_2020, Drawing, join_words
from glassbench.report.sources import makers, param, published_value, read, read_species
from glassbench.report.style import (
    FAINT,
    GRID,
    INK,
    add_grid,
    colour_of,
    count_cells,
    make_panels,
    shades_of,
)
from glassbench.report.words import RHO, say, say_measured

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from glassbench.api import Run

Interval = tuple[float, float]


def plan_prediction(run: Run, stage_id: str) -> Drawing:
    """Plan the density plot of structural flexibility against ln v_flex of the test atoms."""
    fit = read(run, stage_id, "structural_flexibility", "log_flexibility", "is_test")
    names, index = read_species(run, stage_id, fit)
    points, labels = [], []
    for k, name in enumerate(names):
        chosen = (index.values == k) & (fit["is_test"].values == 1)
        pair = [fit[v].values[chosen] for v in ("log_flexibility", "structural_flexibility")]
        points.append((pair[0], pair[1]))
        labels.append(say_measured(*_find_correlation(run, stage_id, name, *pair)))

    def make() -> Figure:
        figure, axes = make_panels(len(names))
        for k, name in enumerate(names):
            ax = axes[0, k]
            _draw_density(ax, *points[k], colour_of(name, k))
            ax.set(xlabel=r"$\ln\,(v_\mathrm{flex}\,/\,\mathrm{Å}^3)$", title=name)
            ax.set_title(f"{RHO} = {labels[k]}", loc="right")
        axes[0, 0].set_ylabel("structural flexibility $SF$")
        return figure

    counts = [f"{say(len(p[0]))} {name}" for p, name in zip(points, names, strict=True)]
    found = [f"{label} ({name})" for name, label in zip(names, labels, strict=True)]
    caption = (
        f"The atoms held back from training (stage {stage_id}), {join_words(counts)}; darker "
        "cells hold more atoms, on a logarithmic scale. The line is SF = ln v_flex. "
        f"Pearson {RHO} = {join_words(found)}{_say_published(run, stage_id, names)}. "
        f"Drawn as Figs. 2 and S4 of {FAN_2020}."
    )
    alt = f"Density plots of structural flexibility against ln v_flex: {join_words(found)}"
    title = "Structural flexibility against flexibility volume"
    return Drawing(f"{stage_id}-prediction", title, caption, alt, make)


def _correlation_stages(run: Run, stage_id: str) -> list[str]:
    """Return the scores that correlate the prediction of a fit on its test atoms."""
    return [
        score
        for score in makers(run, "pearson_r", "pearson_r_interval")
        if run.protocol.stages[score].inputs.get("x") == stage_id
        and param(run, score, "x_variable") == "structural_flexibility"
        and param(run, score, "subset") == "test"
    ]


def _find_correlation(
    run: Run, stage_id: str, name: str, x: NDArray[Any], y: NDArray[Any]
) -> tuple[float, Interval | None]:
    """Return the correlation as scored, with its interval; without a score, as plotted."""
    for score in _correlation_stages(run, stage_id):
        data = read(run, score, "pearson_r", "pearson_r_interval").sel(species=name)
        low, high = data["pearson_r_interval"].sel(bound=["low", "high"]).values
        return float(data["pearson_r"]), (float(low), float(high))
    return float(np.corrcoef(x, y)[0, 1]), None


def _say_published(run: Run, stage_id: str, names: list[str]) -> str:
    found = [
        f"{say_measured(value)} ({name})"
        for score in _correlation_stages(run, stage_id)
        for name in names
        if (value := published_value(run, score, "pearson_r", {"species": name})) is not None
    ]
    return f"; the paper has {join_words(found)}" if found else ""


def _draw_density(ax: Axes, x: NDArray[Any], y: NDArray[Any], colour: str) -> None:
    across = count_cells(len(x))
    size = (across, int(0.7 * across))
    ax.hexbin(x, y, gridsize=size, bins="log", mincnt=1, cmap=shades_of(colour), linewidths=0.1)
    low, high = max(x.min(), y.min()), min(x.max(), y.max())
    ax.plot([low, high], [low, high], color=INK, linewidth=0.8, dashes=(4, 2))


def plan_weights(run: Run, stage_id: str) -> Drawing | None:
    """Plan the weights of the linear model over the reduced distance."""
    fit = read(run, stage_id, "weight")
    if "feature_species" not in fit.coords or "feature_r" not in fit.coords:
        return None
    names = [str(name) for name in fit["species"].values]

    def make() -> Figure:
        figure, axes = make_panels(len(names), size_in=(2.95, 2.1))
        for k, name in enumerate(names):
            ax = axes[0, k]
            ax.axhline(0, color=FAINT, linewidth=0.7)
            _draw_weights(ax, fit.sel(species=name), names)
            ax.set(xlabel="reduced distance $r/r_p$", title=f"around {name}")
        axes[0, 0].set_ylabel("weight")
        axes[0, -1].legend(title="neighbours", alignment="left")
        return figure

    caption = (
        "Weight of each radial function in the structural flexibility, by the distance at which "
        "it counts neighbours, in units of the first peak of g(r). Where a weight is negative, "
        "a neighbour makes the atom less flexible."
    )
    alt = f"Weights of the linear models for {join_words(names)} over reduced distance"
    return Drawing(f"{stage_id}-weights", "What the model has learnt", caption, alt, make)


def _draw_weights(ax: Axes, model: xr.Dataset, names: list[str]) -> None:
    for k, neighbour in enumerate(names):
        mine = model["feature_species"].values == neighbour
        ax.plot(model["feature_r"].values[mine], model["weight"].values[mine],
                color=colour_of(neighbour, k), label=neighbour)  # fmt: skip
    add_grid(ax)


def plan_regularisation(run: Run, stage_id: str) -> Drawing:
    """Plan the correlation over the regularisation parameter C."""
    variables = ("test_pearson_r", "cv_pearson_r", "chosen_c", "chosen_epsilon")
    fit = read(run, stage_id, *variables)
    names = [str(name) for name in fit["species"].values]

    def make() -> Figure:
        figure, axes = make_panels(1, size_in=(4.4, 2.3))
        for k, name in enumerate(names):
            _draw_scan(axes[0, 0], fit.sel(species=name), name, colour_of(name, k))
        axes[0, 0].axvline(1, color=GRID, linewidth=1, zorder=0)
        axes[0, 0].set(xscale="log", xlabel="regularisation parameter $C$", ylabel=f"Pearson {RHO}")
        axes[0, 0].legend(loc="lower right")
        add_grid(axes[0, 0])
        return figure

    chosen = [f"{say(float(fit['chosen_c'].sel(species=n)))} ({n})" for n in names]
    caption = (
        "Full lines: on the test atoms. Dashed: in cross-validation inside the training part, by "
        f"which C was chosen, {join_words(chosen)}, the ringed points. {_say_range(fit, names)}"
        f"Drawn as Fig. S1 of {FAN_2020}, which finds {RHO} insensitive to C above 1."
    )
    alt = f"Correlation over the regularisation parameter C for {join_words(names)}"
    return Drawing(f"{stage_id}-regularisation", "Sensitivity to C", caption, alt, make)


def _draw_scan(ax: Axes, model: xr.Dataset, name: str, colour: str) -> None:
    c = model["c"].values
    in_folds = model["cv_pearson_r"].sel(epsilon=float(model["chosen_epsilon"]), method="nearest")
    ax.plot(c, in_folds.values, color=colour, linewidth=1, dashes=(3, 2))
    ax.plot(c, model["test_pearson_r"].values, "o-", color=colour, label=name)
    chosen = int(np.argmin(np.abs(c - float(model["chosen_c"]))))
    ax.plot(c[chosen], model["test_pearson_r"].values[chosen], "o", markersize=9,
            markerfacecolor="none", markeredgecolor=colour)  # fmt: skip


def _say_range(fit: xr.Dataset, names: list[str]) -> str:
    above = fit["test_pearson_r"].values[:, fit["c"].values > 1]
    if above.shape[1] < 2:  # noqa: PLR2004  # a range takes two values
        return ""
    spans = [f"{np.ptp(r):.2g} ({n})" for r, n in zip(above, names, strict=True)]
    return f"Above C = 1 the correlation on the test atoms varies by {join_words(spans)}. "
