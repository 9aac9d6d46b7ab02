"""How charts look: the same in a page and on paper, in light and in dark.

The series are Okabe and Ito's, by contrast with the ground; gain and loss are blue and vermilion, never green and red.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple


class Palette(NamedTuple):
    """Colours of a theme."""

    ink: str
    quiet: str
    line: str
    series: tuple[str, ...]
    gain: str
    loss: str
    middle: str  # between loss and gain


LIGHT = Palette(
    "#16191f",
    "#59616e",
    "#e3e6ec",
    ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b8860b"),
    "#0072b2",
    "#c44e00",
    "#f1f2f5",
)
DARK = Palette(
    "#e8ebf0",
    "#9aa4b2",
    "#2a303a",
    ("#56b4e9", "#e69f00", "#2fbf94", "#cc79a7", "#f0e442"),
    "#56b4e9",
    "#ee7a30",
    "#262b34",
)
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"


def config(palette: Palette) -> dict[str, Any]:
    """The configuration that Vega-Lite takes."""
    axis = {"labelColor": palette.quiet, "titleColor": palette.quiet, "gridColor": palette.line}
    return {
        "background": "transparent",
        "font": FONT,
        "view": {"stroke": "transparent"},
        "axis": {
            **axis,
            "domainColor": palette.line,
            "tickColor": palette.line,
            "labelFontSize": 11,
            "titleFontSize": 11,
            "titleFontWeight": "normal",
            "labelOverlap": True,
        },
        "legend": {
            "labelColor": palette.quiet,
            "titleColor": palette.quiet,
            "orient": "top",
            "title": None,
            "columns": 3,
            "labelFontSize": 11,
        },
        "range": {
            "category": list(palette.series),
            "diverging": [palette.loss, palette.middle, palette.gain],
            "heatmap": {"scheme": "viridis"},
        },
        "mark": {"color": palette.series[0]},
        "text": {"color": palette.ink, "fontSize": 11},
        "rule": {"color": palette.quiet},
    }


THEMES: Mapping[str, dict[str, Any]] = MappingProxyType({"light": config(LIGHT), "dark": config(DARK)})
