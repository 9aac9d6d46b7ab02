"""An ordered fold over two event types of one stream: its facts in log order, live, after a restart and rebuilt."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import psycopg
import pytest

from domain.errors import Defect
from eventlog.publish.builders import payment, subscription, survey_response
from eventlog.publish.event import Event
from projections.engine.declare.merge_rules import Key, Own, Text
from projections.engine.declare.projection import Fact, Projection, State
from projections.engine.declare.rows import Row
from projections.engine.fold.additive import looked_at
from projections.engine.fold.admission import readmit
from projections.engine.rebuild import Folding
from tests.projections.harness import COMPANY, Logged, ReadModels, chunks_of, logged

TYPES = "subscription", "payment"


class TypesSeen(Row):
    """The types of a customer's facts, as they came."""

    company_id: Key[Text]
    customer_id: Key[Text]
    seen: Own[Text]


def advance(state: State | None, facts: Sequence[Fact]) -> State:
    """All types so far."""
    return json.dumps([*(json.loads(state) if state else []), *(fact["_event"][0] for fact in facts)]).encode()


def rows(state: State) -> Mapping[str, list[dict[str, Any]]]:
    """One row."""
    return {TypesSeen.table.name: [{"seen": "".join(json.loads(state))}]}


def types_seen() -> Projection:
    """A projection with such a fold."""
    projection = Projection("types_seen", version=1)
    projection.ordered_fold(*TYPES, by=("company_id", "customer_id"), into=[TypesSeen], advance=advance, rows=rows)
    return projection


def customer_events(kinds: str) -> Iterator[Event]:
    """Events of one customer, all of one log key, in this order: s, p, and what the fold does not read."""
    base: dict[str, Any] = {"company_id": COMPANY, "user_id": "u", "timestamp": 1_760_000_000_000}
    for kind in kinds:
        if kind == "s":
            yield subscription(event="changed", customer_id="c", subscription_id="s", **base)
        elif kind == "p":
            yield payment(customer_id="c", kind="failed", amount=1.0, **base)
        else:
            yield survey_response(survey="nps", score=1.0, respondent_id="r", **base)


ORDER = "spp-sspsp--pps"


@pytest.mark.parametrize("sizes", [(100,), (1,), (3, 2)])
def test_facts_of_both_types_come_in_the_order_of_the_log(database_url: str, sizes: tuple[int, ...]) -> None:
    """However they are split, and over a restart in between."""
    models = ReadModels(database_url, [types_seen()])
    try:
        models.given(customer_events(ORDER), batches_of=sizes)
        models.restart()
        models.given(customer_events("ps"), batches_of=sizes)
        assert seen(database_url) == ORDER.replace("-", "") + "ps"
    finally:
        models.restart()


def test_a_rebuild_holds_the_facts_of_both_types() -> None:
    """Of several batches, in the order of the log."""
    projection, folding = types_seen(), Folding(types_seen())
    records = logged(customer_events(ORDER))
    for start in range(0, len(records), 4):
        folding.add(facts_of(records[start : start + 4], projection))
    (ordered,) = folding.changes().ordered
    ((key, facts),) = ordered.facts.items()
    assert key == (COMPANY, "c")
    assert "".join(fact["_event"][0] for fact in facts) == ORDER.replace("-", "")


def test_types_of_two_streams_are_refused() -> None:
    """And none at all."""
    for types in (("subscription", "user_event"), ()):
        with pytest.raises(Defect, match="one stream"):
            Projection("wrong", version=1).ordered_fold(
                *types, by=("company_id", "user_id"), into=[TypesSeen], advance=advance, rows=rows
            )


def facts_of(records: Sequence[Logged], projection: Projection) -> Any:
    """What a rebuild reads of them."""
    return readmit("business-events", chunks_of(records), set(), looked_at([projection]))


def seen(database_url: str) -> str:
    """The only row's text."""
    with psycopg.connect(database_url) as connection:
        ((found,),) = connection.execute('SELECT seen FROM read_models."types_seen_v1"').fetchall()
    return str(found)
