"""A small graphic per claim: accepted band, published mark, measured point and its interval."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from glassbench.scores.verdicts import Verdict

WIDTH, HEIGHT, MARGIN, MIDDLE = 180.0, 26.0, 7.0, 13.0
_POINT = 3.6
_PADDING = 0.06  # of the range, so that nothing sits on the edge


def draw_ruler(verdict: Verdict, css_class: str) -> str:
    """Draw a value claim to scale, as SVG; empty if the verdict compares no value.

    Parameters
    ----------
    verdict
        The verdict.
    css_class
        Colours the measured point; the page's style sheet says how.
    """
    accepted, value = verdict.accepted, verdict.value
    if not isinstance(accepted, tuple) or not isinstance(value, float) or verdict.published is None:
        return ""
    low, high = verdict.interval or (value, value)
    place = _Scale([*accepted, value, low, high, verdict.published])
    band, mark = place.span(*accepted), place.at(verdict.published)
    size = f'viewBox="0 0 {WIDTH:g} {HEIGHT:g}" width="{WIDTH:g}" height="{HEIGHT:g}"'
    label = "accepted band, published and measured value"
    parts = [
        f'<svg class="ruler {css_class}" {size} role="img" aria-label="{label}">',
        f'<line class="base" x1="0" x2="{WIDTH:g}" y1="{MIDDLE:g}" y2="{MIDDLE:g}"/>',
        f'<rect class="band" x="{band[0]:.1f}" y="6" width="{band[1]:.1f}" height="14" rx="2"/>',
        f'<line class="mark" x1="{mark:.1f}" x2="{mark:.1f}" y1="1.5" y2="24.5"/>',
    ]
    if verdict.interval is not None:
        left, right = place.at(low), place.at(high)
        parts.append(
            f'<path class="bar" d="M{left:.1f} {MIDDLE:g}H{right:.1f}'
            f'M{left:.1f} 9.5V16.5M{right:.1f} 9.5V16.5"/>'
        )
    parts.append(
        f'<circle class="point" cx="{place.at(value):.1f}" cy="{MIDDLE:g}" r="{_POINT}"/></svg>'
    )
    return "".join(parts)


class _Scale:
    """Turns values into pixels."""

    def __init__(self, values: list[float]) -> None:
        reach = max(values) - min(values) or abs(values[0]) or 1.0
        self.low = min(values) - _PADDING * reach
        self.unit = (WIDTH - 2 * MARGIN) / (reach * (1 + 2 * _PADDING))

    def at(self, value: float) -> float:
        return MARGIN + (value - self.low) * self.unit

    def span(self, low: float, high: float) -> tuple[float, float]:
        """Return start and width of a band, wide enough to be seen."""
        return self.at(low), max(self.at(high) - self.at(low), 1.0)
