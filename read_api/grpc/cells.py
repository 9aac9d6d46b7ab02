"""Rows of any query as a protobuf table: the same in ad-hoc answers and in the tiles of dashboards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import msgspec

from projections.engine.declare.registry import all_registered
from read_api.grpc.messages import TIME, value

ABSENT = "absent"  # the reason of a value in a row that has no such column
Row = Mapping[str, Any]


def cells(query: str, columns: Sequence[str], dimensions: Iterable[str], rows: Iterable[Row]) -> list[dict[str, Any]]:
    """The members of TableRows, one value a column.

    A name is no number, though it looks like one: what rows are told apart or chosen by stays text. A list or object is
    its JSON.
    """
    keys, filters = frozenset(dimensions), _chosen_by(query)
    return [{"values": [_cell(row, name, name in keys, name in filters) for name in columns]} for row in rows]


@cache
def _chosen_by(query: str) -> frozenset[str]:
    declared = all_registered().get(query)  # None: of a dashboard that an earlier release configured
    return frozenset(param.name for param in declared.params) if declared else frozenset()


def _cell(row: Row, column: str, is_key: bool, is_filter: bool) -> dict[str, Any]:
    if column not in row:
        return {"reason": ABSENT}
    content = row[column]
    if isinstance(content, list | dict):
        return {"text": msgspec.json.encode(content).decode()}
    if isinstance(content, str) and (is_key or (is_filter and not TIME.fullmatch(content))):
        return {"text": content}
    reasons = row.get("reasons")
    reason = reasons.get(column) if isinstance(reasons, dict) else None
    return value(content, str(reason or row.get("reason") or "") if content is None else "")
