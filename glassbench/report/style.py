"""How figures look: sizes, fonts and colours, in one place and without touching global state."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

INK = "#22262b"
FAINT = "#8a929c"
GRID = "#e4e7eb"
# Warm copper against blue stay apart in all common kinds of colour blindness; the others are
# the palette of Okabe and Ito.
SPECIES_COLOURS = {"Cu": "#b5591b", "Zr": "#2467a8"}
OTHER_COLOURS = ("#00785a", "#8f4a7c", "#7a6a00", "#3d3d3d")
SERIES_COLOURS = (*reversed(SPECIES_COLOURS.values()), *OTHER_COLOURS)

FEW_DECADES = 1000  # largest over smallest number of an axis
RC: Any = {
    "figure.dpi": 100,
    "savefig.dpi": 200,
    "font.family": "DejaVu Sans",
    "font.size": 8.5,
    "axes.titlesize": 9,
    "axes.titleweight": "normal",
    "axes.titlelocation": "left",
    "axes.labelsize": 8.5,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.formatter.use_mathtext": True,
    "axes.unicode_minus": True,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "xtick.minor.width": 0.5,
    "ytick.minor.width": 0.5,
    "text.color": INK,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "legend.handlelength": 1.6,
    "lines.linewidth": 1.4,
    "lines.markersize": 4.5,
    "svg.fonttype": "path",
    "svg.hashsalt": "glassbench",
    "svg.image_inline": True,
    "path.simplify": True,
}


def colour_of(species: str, position: int = 0) -> str:
    """Return the colour of a species, the same in every figure.

    Parameters
    ----------
    species
        Symbol of the element.
    position
        Its place among the species of the spec, for elements without a colour of their own.
    """
    return SPECIES_COLOURS.get(species) or OTHER_COLOURS[position % len(OTHER_COLOURS)]


def series_colour(position: int) -> str:
    """Return the colour of one of several curves or bars, by its place among them."""
    return SERIES_COLOURS[position % len(SERIES_COLOURS)]


def shades_of(colour: str) -> Colormap:
    """Return a colour map from nearly white through a colour to a dark shade of it."""
    from matplotlib.colors import LinearSegmentedColormap, to_rgb  # noqa: PLC0415  # slow

    red, green, blue = to_rgb(colour)
    pale = tuple(1 - 0.12 * (1 - part) for part in (red, green, blue))
    dark = (0.3 * red, 0.3 * green, 0.3 * blue)
    return LinearSegmentedColormap.from_list("shades", [pale, (red, green, blue), dark])


def split_shades(colour: str) -> Colormap:
    """Return a colour map from grey through white to a colour, for differences."""
    from matplotlib.colors import LinearSegmentedColormap  # noqa: PLC0415  # slow

    return LinearSegmentedColormap.from_list("split", ["#4a4f57", "#ffffff", colour])


@dataclass(frozen=True)
class Margins:
    """Room round and between axes in inches, for labels; fixed, since fitting it is slow."""

    left: float = 0.62
    right: float = 0.12
    top: float = 0.3
    bottom: float = 0.48
    between: float = 0.68
    above: float = 0.42


PLAIN = Margins()


def make_panels(
    n_columns: int,
    n_rows: int = 1,
    *,
    size_in: tuple[float, float] = (2.95, 2.45),
    margins: Margins = PLAIN,
    height_ratios: Sequence[float] = (),
    **options: Any,  # noqa: ANN401  # of matplotlib
) -> tuple[Figure, NDArray[Any]]:
    """Return a figure with a grid of axes, always a two-dimensional array of them.

    Parameters
    ----------
    n_columns, n_rows
        Shape of the grid.
    size_in
        Width and height of one of the axes in inches, before the ratios.
    margins
        Room for labels.
    height_ratios
        Relative heights of the rows.
    options
        Of ``Figure.subplots``.
    """
    from matplotlib.figure import Figure  # noqa: PLC0415  # slow

    inner = [
        n * size + (n - 1) * gap
        for n, size, gap in zip(
            (n_columns, n_rows), size_in, (margins.between, margins.above), strict=True
        )
    ]
    width = inner[0] + margins.left + margins.right
    height = inner[1] + margins.bottom + margins.top
    figure = Figure(figsize=(width, height))
    axes = figure.subplots(n_rows, n_columns, squeeze=False, **options, gridspec_kw={
        "left": margins.left / width, "right": 1 - margins.right / width,
        "bottom": margins.bottom / height, "top": 1 - margins.top / height,
        "wspace": margins.between / size_in[0], "hspace": margins.above / size_in[1],
        "height_ratios": height_ratios or None,
    })  # fmt: skip
    return figure, axes


def draw(function: Callable[[], Figure]) -> str:
    """Call a function that makes a figure in our style; return the figure as SVG.

    The same figure gives the same bytes. No setting outlives the call.
    """
    import matplotlib as mpl  # noqa: PLC0415  # slow

    with mpl.rc_context(RC):
        stream = io.StringIO()
        function().savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    return stream.getvalue()


def add_grid(axes: Axes) -> None:
    """Add faint lines at the ticks of the y axis."""
    axes.grid(axis="y", color=GRID, linewidth=0.6)


def count_cells(n_points: int) -> int:
    """Return how many cells a density plot should have across, so that most hold some points."""
    fewest, most = 12, 70
    return min(max(round(2 * math.cbrt(n_points)), fewest), most)


def label_log_axes(ax: Axes) -> None:
    """Label both logarithmic axes in plain numbers, see `label_log_axis`."""
    label_log_axis(ax.xaxis)
    label_log_axis(ax.yaxis)


def label_log_axis(axis: Axis) -> None:
    """Label a logarithmic axis in plain numbers; at 1, 2 and 5 if its range is of few decades."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter  # noqa: PLC0415  # slow

    low, high = axis.get_view_interval()
    is_short = high < FEW_DECADES * low
    axis.set_major_locator(LogLocator(subs=(1, 2, 5) if is_short else (1,)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def mark_published(ax: Axes, x: float, y: float, **options: Any) -> None:  # noqa: ANN401  # of plot
    """Mark a number that the paper printed, in the same way in every figure."""
    ax.plot(x, y, "D", markersize=4.5, markerfacecolor="white", markeredgecolor=INK,
            markeredgewidth=0.9, zorder=4, linestyle="none", **options)  # fmt: skip


def draw_band(
    ax: Axes, x: NDArray[Any], bounds: NDArray[Any], colour: str, lowest: float | None = None
) -> None:
    """Shade the room between two curves, shape (n, 2), where both are known.

    Parameters
    ----------
    ax
        Where.
    x
        Places, shape (n,).
    bounds
        Lower and upper curve, shape (n, 2).
    colour
        Of the curve in the middle.
    lowest
        What lies below is cut off, which a logarithmic axis asks for.
    """
    low, high = bounds.T if lowest is None else np.maximum(bounds, lowest).T
    ax.fill_between(x, low, high, color=colour, alpha=0.18, linewidth=0)
