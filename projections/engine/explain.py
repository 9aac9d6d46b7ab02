"""Explain: where a number comes from. A page of the events behind a measure, out of the company's history."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

from domain.errors import Invalid
from domain.position import Position
from projections.engine import shares
from projections.engine.declare import Column, Projection
from projections.engine.kinds import Twelfths
from projections.engine.order import place_of
from projections.engine.past import Folded, PastStore, tables_of
from projections.engine.query import Request, Selected, find, read_params, show_time
from projections.engine.rebuild import Folding
from projections.engine.show import money, shower

DEFAULT_LIMIT, MAX_LIMIT = 100, 10_000


@dataclass(frozen=True, slots=True)
class Page:
    """Which entries are wanted: all but the first `start`, `limit` at most, in order of event time or the other way."""

    start: int = 0
    limit: int = DEFAULT_LIMIT
    newest: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be explained: a measure of the rows that a query's answer is made from."""

    projection: Projection
    rows: Selected
    measure: Column


async def explain(store: PastStore, name: str, params: Mapping[str, str], measure: str, page: Page) -> dict[str, Any]:
    """The events behind a measure of a query, in the form of the API.

    Raises NotFound for an unknown query, Invalid for a wrong parameter or a measure that is not stored, and what
    `History.facts` raises.
    """
    projection, query = find(name)
    rows, column = shares.selected(query, Request(store.company, read_params(query, params)), measure)
    asked = Asked(projection, rows, column)
    goal = await asyncio.to_thread(store.history.goal, projection, store.past)
    folding, entries = Folding(projection), list[bytes]()
    history = store.history.facts(projection, store.company, store.past, Position(), goal, store.scanned)
    async for facts in history:
        await asyncio.to_thread(folding.add, facts)
        for fold in projection.additive:
            if fold.into == rows.table and fold.reads.name in facts:
                entries.append(await asyncio.to_thread(shares.shares, fold, column, facts[fold.reads.name]))
    found = await asyncio.to_thread(_entries, store, asked, folding, entries, page)
    return {
        "query": name,
        "measure": measure,
        "definition_version": projection.definition_version,
        "position": str(goal),
        "rule": column.rule.__name__.lower(),
        **found,
        "next_cursor": _next(goal, page, found["events"]),
        "scanned": asdict(store.scanned),
    }


def _entries(store: PastStore, asked: Asked, folding: Folding, entries: list[bytes], page: Page) -> dict[str, Any]:
    """The value, the number of events behind it and a page of them."""
    table, value = asked.rows.table, shares.value(asked.rows, asked.measure)
    deciding, params = shares.statement(asked.rows, asked.measure)
    part = asked.projection.part(tables_of(deciding + value))
    folded = Folded(folding.rows(), folding.ordered()).of(part)
    entries += [shares.effects(o, table, asked.measure) for o in folded.ordered if table in o.fold.into]
    show = shower(asked.measure.kind)
    with store.scratch.filled(part, store.company, None, folded) as tables:
        tables.copy(shares.create(table, asked.measure), shares.copy(table), b"".join(entries))
        _, totals = tables.select(f"SELECT count(*) FROM ({deciding}) AS d", params)
        _, values = tables.select(value, asked.rows.params)
        order = shares.order(table, newest=page.newest)
        through = shares.through(asked.measure.rule, order)
        names, rows = tables.select(
            f'SELECT d.*, {through} AS "_through" FROM ({deciding}) AS d {order} LIMIT %s OFFSET %s',
            (*params, page.limit, page.start),
        )
    events = [_shown(asked, dict(zip(names, row, strict=True))) for row in rows]
    return {"value": show(values[0][0]), "total": totals[0][0], "events": events}


def _shown(asked: Asked, entry: Mapping[str, Any]) -> dict[str, Any]:
    keys = [c for c in asked.rows.table.keys if c.name != "company_id"]
    return {
        "topic": entry["_topic"],
        **place_of(entry["_seq"])._asdict(),
        "event_id": entry["_event_id"] or "",
        "user_id": entry["_user_id"] or "",
        "timestamp": show_time(datetime.fromtimestamp(entry["_at"] / 1000, UTC)),
        "row": {c.name: shower(c.kind)(entry[c.name]) for c in keys},
        "share": _share(asked.measure, entry),
    }


def _share(measure: Column, entry: Mapping[str, Any]) -> Any:
    """The share as answers show it. Twelfths are rounded so that shares still add up to the rounded sum."""
    if measure.kind is not Twelfths or entry["_through"] is None:
        return shower(measure.kind)(entry["share"])
    until, before = (round(Fraction(int(sum_), 12)) for sum_ in (entry["_through"], entry["_through"] - entry["share"]))
    return money(until - before)


def _next(goal: Position, page: Page, events: Sequence[object]) -> str | None:
    """Where the next page begins, at the same position: later events do not move it."""
    if len(events) < page.limit:
        return None
    return base64.urlsafe_b64encode(json.dumps([str(goal), page.start + len(events)]).encode()).decode()


def turn(store: PastStore, page: Page, cursor: str) -> tuple[PastStore, Page]:
    """The store and the page that a cursor goes on with. Raises Invalid for one that was not given."""
    if not cursor:
        return store, page
    try:
        position, start = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        goal = Position.parse(position)
        page = replace(page, start=int(start))
    except (ValueError, TypeError, AttributeError, Invalid):
        raise Invalid("parameter cursor: no explanation has given it", code="bad_parameter") from None
    return replace(store, past=replace(store.past, position=goal)), page
