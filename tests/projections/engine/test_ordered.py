"""Ordered folds, without a database: what is written adds up to the rows that the states stand for."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import hypothesis.strategies as st
from hypothesis import given

from projections.engine.declare.merge_rules import Count, Key, Own, Sum, Text
from projections.engine.declare.projection import Fact, Projection, State
from projections.engine.declare.rows import Row
from projections.engine.fold.ordered import Change, StateKey, advance
from projections.engine.store.port import OrderedFacts

visits = Projection("visits", version=1)


class VisitedPages(Row):
    """The pages of a visit, how often each was seen, and what was seen after it last; belongs to one visit."""

    company_id: Key[Text]
    user_id: Key[Text]
    page: Key[Text]
    next_page: Own[Text]
    seen: Sum[Count]


class LastPages(Row):
    """How many visits stand at a page, and after how many steps; shared by all."""

    company_id: Key[Text]
    page: Key[Text]
    visits: Sum[Count]
    steps: Sum[Count]


def walk(state: State | None, facts: Sequence[Fact]) -> State:
    """The last three pages: what is older no longer has a row."""
    pages = json.loads(state) if state else []
    return json.dumps([*pages, *(f["page"] for f in facts)][-3:]).encode()


def seen(state: State) -> Mapping[str, Iterable[Mapping[str, Any]]]:
    """Rows of a walk."""
    pages = json.loads(state)
    after = dict(zip(pages, [*pages[1:], None], strict=True))
    own = [{"page": p, "next_page": after[p], "seen": pages.count(p)} for p in dict.fromkeys(pages)]
    return {"visited_pages": own, "last_pages": [{"page": pages[-1], "visits": 1, "steps": len(pages)}]}


visits.ordered_fold(
    "support_ticket", by=("company_id", "user_id"), into=(VisitedPages, LastPages), advance=walk, rows=seen
)
(FOLD,) = visits.ordered
COMPANIES, USERS, PAGES = ("acme", "b,c"), ("u", 'q"'), ("", "a", "line\nend", "x,y")
Tables = dict[str, dict[tuple[str, ...], list[Any]]]
steps = st.tuples(st.tuples(st.sampled_from(COMPANIES), st.sampled_from(USERS)), st.sampled_from(PAGES))


def apply(stored: Tables, change: Change) -> None:
    """Merge as a store does, by the rules of the declaration."""
    rows, keys = stored.setdefault(change.table.name, {}), len(change.table.keys)
    for line in _read(change.gone):
        del rows[tuple(line[:keys])]
    for line in _read(change.put):
        key = tuple(line[:keys])
        old = rows.get(key, [0 if c.rule is Sum else "" for c in change.table.values])
        rules = [c.rule for c in change.table.values]
        new = [int(a) + int(b) if r is Sum else b for r, a, b in zip(rules, old, line[keys:], strict=True)]
        rows[key] = new
        if change.shared and not any(new):
            del rows[key]


def _read(text: bytes | None) -> list[list[str]]:
    lines = list(csv.reader(io.StringIO((text or b"").decode(), newline="")))
    assert text is None or lines == sorted(lines, key=lambda line: [c.encode() for c in line[:-2]])
    return lines


def stands_for(states: Mapping[StateKey, State]) -> Tables:
    """The rows of all states, counted anew."""
    found: Tables = {}
    for (company, user), state in states.items():
        rows = seen(state)
        for row in rows["visited_pages"]:
            key = (company, user, row["page"])
            found.setdefault("visited_pages", {})[key] = [row["next_page"] or "", row["seen"]]
        for row in rows["last_pages"]:
            sums = found.setdefault("last_pages", {}).setdefault((company, row["page"]), [0, 0])
            sums[:] = [sums[0] + row["visits"], sums[1] + row["steps"]]
    return found


@given(st.lists(st.lists(steps, min_size=1, max_size=6), max_size=6))
def test_what_is_written_batch_by_batch_are_the_rows_of_the_states(batches: list[list[tuple[StateKey, str]]]) -> None:
    """Rows are deleted, set and added to until they are those of the newest states; only states that moved are."""
    states: dict[StateKey, State] = {}
    stored: Tables = {}
    for batch in batches:
        facts: dict[StateKey, list[Fact]] = {}
        for key, page in batch:
            facts.setdefault(key, []).append({"page": page})
        before = {key: states[key] for key in facts if key in states}
        moved, changes = advance(visits, OrderedFacts(FOLD, facts), before)
        assert all(states.get(key) != state for key, state in moved.items())
        states |= moved
        for change in changes:
            apply(stored, change)
    expected = {key: walk(None, [{"page": p} for each in batches for k, p in each if k == key]) for key in states}
    assert states == expected
    assert {name: rows for name, rows in stored.items() if rows} == stands_for(states)


def test_facts_that_move_no_state_write_nothing() -> None:
    """A repeat costs no new versions of rows."""
    key = ("acme", "u")
    moved, changes = advance(visits, OrderedFacts(FOLD, {key: []}), {key: b'["a"]'})
    assert not moved
    assert all(change.gone is None and change.put is None for change in changes)
