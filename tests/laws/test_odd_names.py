"""The law of names: a symbol, strategy, event, customer, tag or id may hold any character, wherever names are listed.

Every event type is published with every free text of it being an odd name. Every registered query that is split by a
text, or filtered by one, is asked; each name has its own row, and the filter finds that row alone. A query or an event
type that is declared enters by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any, cast

import pytest
from google.protobuf.descriptor import FieldDescriptor

from domain.events.catalogue import CATALOGUE, EventType
from domain.events.field_rules import double_of
from domain.events.validation import RESERVED_STREAMS
from domain.name_list import name_list
from eventlog.publish import builders
from eventlog.publish.event import Event
from projections.engine.declare.registry import all_queries, all_registered, projection
from projections.engine.query.params import LISTED
from projections.engine.query.plain import Query
from tests.projections.harness import ReadModels

NAMES = ("a,b", ' "q" ', "x\x1fy", "x\x1e1y", "a:b", "a", r"\:%_'{}", "order/77", "k=v", "..", "ü\n|;&?#+")
COMPANY, DAY = "oddco", 86_400_000
START = 20_100 * DAY
MEMBERS: dict[str, Any] = {"currency": "USD", "base": "USD", "quote": "EUR", "low": 1, "unit_amount": 5}


@pytest.fixture(scope="module")
def folded(module_database_url: str) -> str:
    """All names, in all texts of all types that are published by others."""
    asyncio.run(ReadModels(module_database_url).given(list(published())).close())
    return module_database_url


@pytest.fixture
async def models(folded: str) -> AsyncIterator[ReadModels]:
    """They are asked."""
    opened = ReadModels(folded, [projection("satisfaction")])  # tables are there: none need be made
    yield opened
    await opened.close()


def published() -> Iterator[Event]:
    """Each fact of a type on each of two days."""
    for kind in CATALOGUE:
        if kind.stream not in RESERVED_STREAMS and not kind.takes_back:  # which would leave nothing
            for place, name in enumerate(NAMES):
                yield from (_event(kind, name, START + day * DAY, f"{kind.name}-{place}-{day}") for day in (0, 1))


def _event(kind: EventType, name: str, at: int, event_id: str) -> Event:
    by_name = cast("dict[str, FieldDescriptor]", dict(kind.message.DESCRIPTOR.fields_by_name))
    fields = [field for field in by_name.values() if double_of(field.name) not in by_name]  # no text of a number
    values = {f.name: value for f in fields if (value := _value(kind, f, name, at)) is not None}
    return getattr(builders, kind.name)(company_id=COMPANY, user_id=name, timestamp=at, event_id=event_id, **values)  # type: ignore[no-any-return]  # builders are made of the catalogue


def _value(kind: EventType, field: FieldDescriptor, name: str, at: int) -> Any:
    if field.is_repeated:
        return [name] if field.type == FieldDescriptor.TYPE_STRING else None
    if field.name in MEMBERS:
        return MEMBERS[field.name]
    if field.type == FieldDescriptor.TYPE_STRING:
        return dict(kind.choices).get(field.name, (name,))[-1]
    if field.name not in kind.required:
        return None
    if field.enum_type is not None:
        return field.enum_type.values_by_number[1].name.lower()
    return at if field.name in kind.times else 1


def split() -> Sequence[tuple[str, str]]:
    """Every query that can be split by what is free text of it, with that dimension."""
    queries = [query for _, (_, query) in sorted(all_queries().items()) if "by" in {p.name for p in query.params}]
    return [(q.name, p.name) for q in queries for p in q.params if p.read is str and p.name in _dimensions(q)]


def _dimensions(query: Query) -> Sequence[str]:
    """What its `by` takes, as it says itself."""
    meaning = next(param.meaning for param in query.params if param.name == "by")
    return meaning.partition(" out of ")[2].partition(";")[0].split(", ")


@pytest.mark.parametrize(("query", "dimension"), split())
async def test_every_name_is_a_group_and_a_filter_of_its_own(query: str, dimension: str, models: ReadModels) -> None:
    """What `by` shows, the filter of the same name finds, and nothing else."""
    rows = await models.rows(query, COMPANY, by=dimension)
    found = [row[dimension] for row in rows]
    assert len(set(found)) == len(found)
    for row in rows:
        only = await models.rows(query, COMPANY, by=dimension, **{dimension: row[dimension]})
        assert [each for each in only if each[dimension] == row[dimension]] == [row]
        assert len(only) == 1


async def test_a_tag_is_one_tag_whatever_it_holds(models: ReadModels) -> None:
    """As it was published, as a group, and as a filter."""
    assert {name for row in await models.rows("trades", COMPANY) for name in row["tags"]} == set(NAMES)
    rows = await models.rows("metric", COMPANY, key="total_trades", by="tag")
    assert {row["tag"]: row["value"] for row in rows} == dict.fromkeys(NAMES, 1)
    for name in NAMES:
        (row,) = await models.rows("metric", COMPANY, key="total_trades", tag=name)
        assert row["value"] == 1


LISTS = {
    "funnel": ("steps", "name"),
    "markets": ("symbols", "symbol"),
    "correlations": ("names", "of"),
    "market_insights": ("symbols", "subject"),
}


def test_every_list_of_names_is_among_those_that_are_tried() -> None:
    """A new parameter that takes several names needs a line."""
    listed = {query.name for query in all_registered().values() for each in query.params if LISTED in each.meaning}
    assert listed == LISTS.keys()


@pytest.mark.parametrize("query", sorted(LISTS))
async def test_a_list_holds_any_names(query: str, models: ReadModels) -> None:
    """All of them in one list: each is meant, and nothing else."""
    given, shown = LISTS[query]
    needed = {"interval": "1d"} if query != "funnel" else {}
    needed = {name: text for name, text in needed.items() if name in {p.name for p in all_registered()[query].params}}
    few = NAMES[:9]
    rows = await models.rows(query, COMPANY, **{given: name_list(few)}, **needed)
    if query in ("funnel", "markets"):
        assert sorted(row[shown] for row in rows) == sorted(few)
    else:
        assert {row.get(shown) for row in rows} <= {*few, None}


async def test_paths_tell_names_and_subjects_apart(models: ReadModels) -> None:
    """A colon of a name is none between a name and what it was about."""
    found = await models.rows("journey", COMPANY, detail="subject", length="1", top="100")
    assert len({tuple(row["path"]) for row in found}) == len(found) >= len(NAMES)
