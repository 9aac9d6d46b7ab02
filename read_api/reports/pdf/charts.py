"""Charts on paper: the same declarations as on the pages, drawn without a browser and without looking for anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import msgspec

from read_api.charts.charts import charts_of, columns_drawn
from read_api.charts.spec import ROWS
from read_api.charts.theme import LIGHT, config
from read_api.reports.pdf import fonts
from read_api.reports.pdf.drawing import SvgChart
from read_api.web.formats import Formats

HEIGHT = 165.0  # points
HIGHEST, BAR = 540.0, 11.0  # points: of a chart, and of a bar that has a name
PIXEL = 0.75  # points
MOST_MARKS = 2_000  # of very many rows every so many is drawn, as on the pages


class Picture(NamedTuple):
    """A chart: what it shows in words, and the drawing."""

    title: str
    drawing: SvgChart


def pictures(
    kind: str, query: str, params: Mapping[str, str], rows: Sequence[Mapping[str, Any]], formats: Formats, width: float
) -> list[Picture]:
    """The charts of a section, one below the other; none where it is a table."""
    step = -(-len(rows) // MOST_MARKS) or 1
    drawn = [*rows[::step], *(rows[-1:] if (len(rows) - 1) % step else ())]
    charts = charts_of(kind, query, params, drawn, formats.calendar)
    if not charts:
        return []
    names = columns_drawn(charts, drawn[0])
    values = [{name: _cleaned(row.get(name)) for name in names} for row in drawn]
    return [Picture(chart.title, SvgChart(_svg(chart.spec, values, formats, width), width)) for chart in charts]


def _cleaned(value: Any) -> Any:
    """Texts without what is no letter: what draws charts ends its process at a NUL."""
    if isinstance(value, str):
        return fonts.clean(value)
    if isinstance(value, list):
        return [_cleaned(each) for each in value]
    return {name: _cleaned(each) for name, each in value.items()} if isinstance(value, dict) else value


def _svg(spec: Mapping[str, Any], values: Sequence[Mapping[str, Any]], formats: Formats, width: float) -> str:
    import vl_convert

    _ready()
    whole = {
        **spec,
        "data": {"name": ROWS, "values": list(values)},
        "width": width / PIXEL,
        "height": _height(spec, len(values)) / PIXEL,
        "config": {**config(LIGHT), "font": fonts.BASE},
    }
    return str(
        vl_convert.vegalite_to_svg(
            msgspec.json.encode(whole).decode(),
            allowed_base_urls=[],
            format_locale=dict(formats.for_charts()),
            time_format_locale=dict(formats.times_for_charts()),
        )
    )


def _height(spec: Mapping[str, Any], rows: int) -> float:
    """Points; more where names stand below each other."""
    named = spec.get("encoding", {}).get("y", {}).get("type") == "nominal"
    return min(HIGHEST, max(HEIGHT, BAR * rows)) if named else HEIGHT


@cache
def _ready() -> None:
    import vl_convert

    fonts.ready()
    vl_convert.register_font_directory(str(fonts.FOLDER))
