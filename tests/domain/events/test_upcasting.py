"""Upcasting: older schemas are read as today's, newer ones are parked, and a chain without a step is found at start."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from analytics import user_analytics_pb2 as users
from common.envelope_pb2 import AnalyticsProcessingEnvelope

from domain.errors import Defect
from domain.events import upcasting
from domain.events.catalogue import BY_NAME
from domain.events.problems import RefusedEvent
from domain.events.validation import judge
from eventlog.intake.parsing import from_protobuf
from projections.engine.fold import admission
from projections.engine.fold.admission import Admission, Records, readmit
from tests.projections.engine.fold.test_admission import Memory, chunk

KIND = BY_NAME["user_event"]
Step = Callable[[Any], Any]


@pytest.fixture
def third_version() -> Iterator[None]:
    """The user event in its third version: first called `clicked` what is `click` now, then had pages without `/`."""

    def renamed(fact: Any) -> Any:
        fact.name = fact.name.removesuffix("ed")
        return fact

    def rooted(fact: Any) -> Any:
        fact.page = f"/{fact.page}"
        return fact

    _of_version(3)
    upcasting.upcasts(KIND.name, 1)(renamed)
    upcasting.upcasts(KIND.name, 2)(rooted)
    yield
    _of_version(1)
    upcasting.STEPS.clear()


def _of_version(number: int) -> None:
    """The catalogue as a release with that version has it, and what admission remembers of it."""
    object.__setattr__(KIND, "schema_version", number)
    admission._suspect.cache_clear()


def event(version: int, name: str, page: str, *, batch: bool = False) -> bytes:
    """A user event as a publisher of that version wrote it."""
    fact = users.UserEvent(name=name, page=page)
    payload = users.UserEventBatch(items=[fact, fact]) if batch else fact
    return AnalyticsProcessingEnvelope(
        message_type=KIND.batch_name if batch else KIND.name,
        company_id="acme",
        user_id="u1",
        timestamp=1_760_000_000_000,
        event_id=f"{version}-{name}-{batch}",
        schema_version=version,
        payload=payload.SerializeToString(),
    ).SerializeToString()


VALUES = [
    event(0, "clicked", "home"),
    event(1, "clicked", "home", batch=True),
    event(2, "click", "home"),
    event(3, "click", "/home"),
    event(3, "click", "/home", batch=True),
]


@pytest.mark.usefixtures("third_version")
def test_facts_of_every_version_are_read_as_todays() -> None:
    """In columns, live and again from recorded decisions; single and in batches."""
    records = Records.of([chunk(VALUES)])
    memory = Memory()
    facts, admitted = Admission("user-behavior", memory.known, memory.highest).decide(records)
    assert (admitted.admitted, admitted.quarantined) == (len(VALUES), [])
    for found in (facts, readmit("user-behavior", [chunk(VALUES)], set())):
        assert set(found["user_event"].select("name", "page").rows()) == {("click", "/home")}
        assert found["user_event"].height == 7


@pytest.mark.usefixtures("third_version")
def test_what_is_newer_than_the_code_waits_for_it() -> None:
    """In the log and at the doors; nothing about it is guessed."""
    newer = event(4, "click", "/home")
    memory = Memory()
    facts, admitted = Admission("user-behavior", memory.known, memory.highest).decide(Records.of([chunk([newer])]))
    assert (dict(facts), [b.code for b in admitted.quarantined]) == ({}, ["newer_schema"])
    with pytest.raises(RefusedEvent, match="schema version 4, and 3 is the newest known"):
        from_protobuf(newer)


@pytest.mark.usefixtures("third_version")
def test_rules_hold_for_what_was_read() -> None:
    """An old event that breaks a rule after its upcast is bad, whoever looks."""
    bad = event(1, "ed", "home")
    problem = judge(bad, "user-behavior")
    memory = Memory()
    _, admitted = Admission("user-behavior", memory.known, memory.highest).decide(Records.of([chunk([bad])]))
    assert problem is not None
    assert [(b.code, b.reason) for b in admitted.quarantined] == [(problem.code, problem.reason)]


@pytest.mark.usefixtures("third_version")
def test_a_chain_with_a_gap_is_found() -> None:
    """At start, before any event is read; a step that leads nowhere too."""
    upcasting.check()
    step = upcasting.STEPS.pop((KIND.name, 2))
    with pytest.raises(Defect, match="no upcast of user_event from schema version 2"):
        upcasting.check()
    upcasting.STEPS.update({(KIND.name, 2): step, (KIND.name, 3): step})
    with pytest.raises(Defect, match="from schema version 3 leads nowhere"):
        upcasting.check()
    with pytest.raises(Defect, match="two upcasts"):
        upcasting.upcasts(KIND.name, 3)(step)


def test_the_chains_of_the_catalogue_are_whole() -> None:
    """As they are declared."""
    upcasting.check()
