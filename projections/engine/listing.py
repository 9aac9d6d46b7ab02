"""Listing: the rows of a table as they are, filtered, in the order of their keys, page by page."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

from projections.engine.declare import Row
from projections.engine.query import FROM, LIMIT, TO, Param, Query, Request, Statement
from projections.engine.show import shower

DEFAULT_LIMIT = 1_000


def _read_cursor(text: str) -> list[Any]:
    try:
        values = json.loads(base64.urlsafe_b64decode(text.encode()))
    except ValueError:
        raise ValueError(f"{text!r} is no cursor that this query has given") from None
    if not isinstance(values, list):
        raise ValueError(f"{text!r} is no cursor that this query has given")
    return values


def listing(name: str, *, of: type[Row], filters: Sequence[str], time: str, summary: str) -> Query:
    """A query that lists rows by key; `filters` are columns that may be fixed, `time` the column of `from` and `to`.

    An answer that is not the last page has `next_cursor`, to be given as `cursor`.
    """
    table = of.table
    keys = [c.name for c in table.keys if c.name != "company_id"]
    columns = [c for c in table.columns if c.name != "company_id"]
    shows = {c.name: shower(c.kind) for c in columns}

    def ask(request: Request) -> Statement:
        conditions: list[str] = ["company_id = %s"]
        params: list[object] = [request.company]
        for bound, operator in (("from", ">="), ("to", "<")):
            if request.get(bound) is not None:
                conditions.append(f'"{time}" {operator} %s')
                params.append(request.get(bound))
        for column in (f for f in filters if request.get(f) is not None):
            conditions.append(f'"{column}" = %s')
            params.append(request.get(column))
        order = ", ".join(f'"{k}"' for k in keys)
        if request.get("cursor"):
            conditions.append(f"({order}) > ({', '.join(['%s'] * len(keys))})")
            params.extend(request.get("cursor"))
        names = ", ".join(f'"{c.name}"' for c in columns)
        limit = request.get("limit", DEFAULT_LIMIT)
        where = " AND ".join(conditions)
        return Statement(
            f"SELECT {names} FROM {{{table.name}}} WHERE {where} ORDER BY {order} LIMIT {limit}", tuple(params)
        )

    def shape(_request: Request, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        return [{name: shows[name](value) for name, value in row.items()} for row in rows]

    def extra(request: Request, rows: list[dict[str, Any]]) -> dict[str, Any]:
        if len(rows) < request.get("limit", DEFAULT_LIMIT):
            return {"next_cursor": None}
        last = json.dumps([rows[-1][k] for k in keys]).encode()
        return {"next_cursor": base64.urlsafe_b64encode(last).decode()}

    params = (
        FROM,
        TO,
        LIMIT,
        Param("cursor", "where the last page ended (next_cursor of its answer)", _read_cursor),
        *(Param(f, f"only rows with this {f}") for f in filters),
    )
    return Query(name, summary, params, ask, shape, extra)
