"""Explain: where a number comes from. A page of the events behind a measure, out of the company's history."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any, NamedTuple

from msgspec import to_builtins

from domain.errors import Invalid
from domain.metrics.value import Reason
from domain.position import Position
from projections.engine.declare.merge_rules import Twelfths
from projections.engine.declare.projection import Ledger, Projection
from projections.engine.declare.rows import Column
from projections.engine.fold.log_order import place_of
from projections.engine.past import contributions
from projections.engine.past.past_store import PastStore
from projections.engine.query.answer_row import CURRENCY
from projections.engine.query.ask import find, read_by_calendar
from projections.engine.query.basis import Basis
from projections.engine.query.company_settings import settings_of
from projections.engine.query.cursors import cursor_of, read_cursor
from projections.engine.query.formatting import money, show_time, shower
from projections.engine.query.params import read_time
from projections.engine.query.plain import Selected, names_in
from projections.engine.query.request import Page, Question, cuts_time
from projections.engine.rebuild import Folding
from projections.engine.store.port import FoldFailed


class _Began(NamedTuple):
    """What all pages of an explanation are told at."""

    position: str
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class Subject:
    """What is to be explained: a measure of the rows that a query's answer is made from; `currency`: the company's."""

    projection: Projection
    rows: Selected
    measure: Column
    currency: str | None

    @property
    def ledgers(self) -> list[Ledger]:
        """The ledgers of facts that count in these rows."""
        table = self.rows.table
        return [
            each for each in self.projection.ledgers if table in (each.into, *(fold.into for fold in each.counting))
        ]


async def explain(store: PastStore, question: Question, page: Page) -> dict[str, Any]:
    """The events behind a measure of a query, in the form of the API.

    Raises NotFound for an unknown query, Invalid for a wrong parameter or a measure that is not stored, and what
    `History.facts` raises.
    """
    projection, query = find(question.name)
    basis = Basis(store)
    request = await read_by_calendar(query, question, basis)
    rows, column = contributions.selected(query, request, page.measure)
    money = contributions.is_of_currencies(rows, column)
    subject = Subject(
        projection, rows, column, (await settings_of(question.company, basis)).currency if money else None
    )
    try:
        goal, explained = await _folded(store, subject, page)
    except FoldFailed:
        await store.narrow(projection, from_snapshot=False)
        goal, explained = await _folded(store, subject, page)
    position = basis.position([projection.name], str(goal))
    began = _Began(position, question.asked_at)
    return {
        "query": query.name,
        "measure": page.measure,
        "definition_version": projection.definition_version,
        "position": position,
        "calendar": to_builtins(request.calendar) if cuts_time(query) else None,
        "rule": column.rule.__name__.lower(),
        **explained,
        "next_cursor": _next(began, page, explained["events"]),
        "scanned": store.figures(),
    }


async def _folded(store: PastStore, subject: Subject, page: Page) -> tuple[Position, dict[str, Any]]:
    """The position that it is told at, and what `_entries` finds there. Raises FoldFailed, and what reading raises."""
    projection, rows, column = subject.projection, subject.rows, subject.measure
    past = store.past_of(projection)
    goal = await asyncio.to_thread(store.history.goal, projection, past)
    folding, entries = Folding(projection), list[bytes]()
    history = store.history.read(projection, store.company, past, Position(), goal, store.scanned)
    async for _, _, facts in history:
        await asyncio.to_thread(folding.add, facts)
        for fold in projection.additive:
            if fold.into == rows.table and fold.reads.name in facts:
                seen = contributions.own(facts[fold.reads.name], store.member)
                entries.append(await asyncio.to_thread(contributions.shares, fold, column, seen, subject.ledgers))
    return goal, await asyncio.to_thread(_entries, store, subject, folding, entries, page)


def _entries(store: PastStore, subject: Subject, folding: Folding, entries: list[bytes], page: Page) -> dict[str, Any]:
    """The value, the number of events behind it and a page of them."""
    table, (value, of_value) = subject.rows.table, contributions.value(subject.rows, subject.measure, subject.currency)
    deciding, params = contributions.statement(subject.rows, subject.measure, subject.ledgers)
    part = subject.projection.part(names_in(deciding + value))
    folded = folding.changes().of(part)
    show = shower(subject.measure.kind)
    with store.scratch.filled(part, store.company, None, folded, store.member) as tables:
        # Filled: what the ordered folds refuse has been found there.
        entries += [contributions.effects(o, table, subject.measure) for o in folded.ordered if table in o.fold.into]
        tables.copy(contributions.create(table, subject.measure), contributions.copy(table), b"".join(entries))
        _, totals = tables.select(f"SELECT count(*) FROM ({deciding}) AS d", params)
        _, values = tables.select(value, of_value)
        order = contributions.order(table, newest=page.newest)
        through = contributions.through(subject.measure.rule, order)
        names, rows = tables.select(
            f'SELECT d.*, {through} AS "_through" FROM ({deciding}) AS d {order} LIMIT %s OFFSET %s',
            (*params, page.limit, page.start),
        )
    events = [_shown(subject, dict(zip(names, row, strict=True))) for row in rows]
    amount, currency, several = values[0]
    reasons = {"value": str(Reason.MIXED_CURRENCIES)} if several else {}
    return {"value": show(amount), CURRENCY: currency, "reasons": reasons, "total": totals[0][0], "events": events}


def _shown(subject: Subject, entry: Mapping[str, Any]) -> dict[str, Any]:
    keys = [c for c in subject.rows.table.keys if c.name != "company_id"]
    return {
        "topic": entry["_topic"],
        **place_of(entry["_seq"])._asdict(),
        "event_id": entry["_event_id"] or "",
        "user_id": entry["_user_id"] or "",
        "timestamp": show_time(datetime.fromtimestamp(entry["_at"] / 1000, UTC)),
        "row": {c.name: shower(c.kind)(entry[c.name]) for c in keys},
        "share": _share(subject.measure, entry),
        "counts": entry["_counts"],
    }


def _share(measure: Column, entry: Mapping[str, Any]) -> Any:
    """The share as answers show it. Twelfths are rounded so that shares still add up to the rounded sum."""
    if measure.kind is not Twelfths or entry["_through"] is None or not entry["_counts"]:
        return shower(measure.kind)(entry["share"])
    until, before = (round(Fraction(int(sum_), 12)) for sum_ in (entry["_through"], entry["_through"] - entry["share"]))
    return money(until - before)


def _next(began: _Began, page: Page, events: Sequence[object]) -> str | None:
    """Where the next page begins, at the same position and moment: later events do not move it."""
    if len(events) < page.limit:
        return None
    return cursor_of([began.position, began.asked_at.isoformat(), page.start + len(events)])


def turn(store: PastStore, question: Question, page: Page) -> tuple[PastStore, Question, Page]:
    """Store, question and page that a cursor goes on with. Raises Invalid for one that was not given."""
    if not page.cursor:
        return store, question, page
    try:
        position, moment, start = read_cursor(page.cursor)
        goal, asked_at = Position.parse(position), read_time(moment)
        page = replace(page, start=int(start))
    except (ValueError, TypeError, AttributeError, OverflowError, Invalid):
        raise Invalid("parameter cursor: no explanation has given it", code="bad_parameter") from None
    return replace(store, past=replace(store.past, position=goal)), replace(question, asked_at=asked_at), page
