"""The lines of a tile as protobuf series: the same columns that its chart shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

from domain.metrics.catalogue import METRICS
from read_api.charts.columns import TIMES, kind_of, label
from read_api.charts.shapes import shape_of
from read_api.grpc.answers import goes_on
from read_api.grpc.messages import ms

LINES = ("line", "area", "bar", "stacked_bar")  # kinds of tiles that may run along time
Row = Mapping[str, Any]


def tile_series(tile: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The members of Series: one a measure, and value of what tells them apart; none where nothing runs along time."""
    kind, query, rows, answer = tile["kind"], tile["query"], tile["rows"], {**tile["extra"], **tile}
    shape = shape_of(query, rows) if kind in LINES else None
    if shape is None or kind_of(shape.along, [row.get(shape.along) for row in rows]) not in TIMES:
        return
    apart = shape.series and list(dict.fromkeys(row[shape.series] for row in rows))
    for measure, of in product(shape.measures, apart or [None]):
        own = [row for row in rows if of is None or row[shape.series] == of]
        yield {
            "key": measure,
            "title": label(measure),
            "unit": unit_of(measure),
            "dimensions": {} if of is None else {shape.series: of},
            "points": [_point(row, shape.along, measure, answer) for row in own if row.get(shape.along)],
        }


def unit_of(column: str) -> str:
    """The unit of a column that is a metric of the catalogue; empty for others."""
    return str(METRICS[column].unit) if column in METRICS else ""


def _point(row: Row, along: str, measure: str, answer: Mapping[str, Any]) -> dict[str, Any]:
    begin, reasons = row[along], row.get("reasons", {})
    unfinished = goes_on(along, begin, answer)
    return {"time": ms(begin), "value": row.get(measure), "reason": reasons.get(measure, ""), "unfinished": unfinished}
