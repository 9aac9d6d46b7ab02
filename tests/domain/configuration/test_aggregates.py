"""Aggregates as pure functions: whatever is commanded, states stay valid, and stored events bring them back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.configuration import alert_rule, company, dashboard, report_schedule
from domain.configuration.alert_rule import AlertRule
from domain.configuration.company import Company
from domain.configuration.dashboard import ChangeDashboard, Dashboard
from domain.configuration.kinds import Issued
from domain.configuration.registry import (
    AGGREGATES,
    COMMANDS,
    EVENTS,
    aggregate_of,
    company_aggregate_id,
    read_command,
    read_event,
    write_body,
)
from domain.errors import Conflict, Invalid, NotFound, Unavailable
from tests.support.any_command import any_command, any_of
from tests.support.examples import examples

Test = Callable[[list[tuple[str, Any]]], None]
SAMPLES = Path(__file__).parents[2] / "data" / "config_events.jsonl"
ISSUED = Issued("acme", "ann", "admin", 1_700_000_000_000, "c-1")


def commands_of(aggregate: str) -> list[str]:
    """Names of its commands."""
    return [name for name, command in COMMANDS.items() if command.aggregate.name == aggregate]


def given_commands(aggregate: str) -> Callable[[Test], Callable[[], None]]:
    """Histories of an aggregate: a creation, where it needs one, and any commands after it."""
    names = commands_of(aggregate)
    first = any_command([f"{aggregate}.create"] if f"{aggregate}.create" in names else names)
    histories = st.tuples(first, st.lists(any_command(names), max_size=6)).map(lambda t: [t[0], *t[1]])
    return lambda test: settings(max_examples=examples(30))(given(histories)(test))


def played(aggregate: str, commands: list[tuple[str, Any]]) -> Iterator[tuple[Any, Any, tuple[Any, ...]]]:
    """Take commands one after the other; the state before, the command and its events, of those that are accepted."""
    kind, state = AGGREGATES[aggregate], None
    for place, (_, command) in enumerate(commands):
        issued = replaced(ISSUED, at=ISSUED.at + 60_000 * place, command_id=f"c-{place}")
        try:
            events = kind.decide(state, command, issued)
        except (Invalid, NotFound, Conflict):
            continue
        yield state, command, tuple(events)
        for event in events:
            state = kind.evolve(state, event)


def replaced(issued: Issued, **changes: Any) -> Issued:
    """The same, with changes."""
    return Issued(**{name: changes.get(name, getattr(issued, name)) for name in Issued.__slots__})


def problems_of(state: Any) -> list[str]:
    """What is wrong with a state."""
    match state:
        case Dashboard():
            return list(dashboard.problems(state))
        case AlertRule():
            return list(alert_rule.problems(state))
        case report_schedule.ReportSchedule():
            return list(report_schedule.problems(state))
        case Company():
            return list(company.problems(company.ChangeCalendar(*msgspec.structs.astuple(state.calendar))))
        case _:
            raise AssertionError(state)


def says_a_state(aggregate: str, command: Any) -> bool:
    """Whether it says what shall be, and not what shall happen."""
    contents = {"dashboard": Dashboard, "alert_rule": AlertRule, "report_schedule": report_schedule.ReportSchedule}
    if aggregate not in contents:
        return True
    return command.verb != "create" and set(command.__struct_fields__) <= set(contents[aggregate].__struct_fields__)


def histories_stay_valid(aggregate: str, commands: list[tuple[str, Any]]) -> None:
    """States are valid, events read back as they were written bring the same state, commands repeat to nothing."""
    kind, state, again = AGGREGATES[aggregate], None, None
    for before, command, events in played(aggregate, commands):
        assert before == state
        for event in events:
            state = kind.evolve(state, event)
            again = kind.evolve(again, read_event(event.topic, write_body(event)))
        assert problems_of(state or Company()) == []
        assert again == state
        if says_a_state(aggregate, command):
            assert kind.decide(state, command, ISSUED) == (), "what is so already is no event"


@given_commands("company")
def test_any_history_of_a_company_stays_valid(commands: list[tuple[str, Any]]) -> None:
    """Valid, restored by its events, idempotent."""
    histories_stay_valid("company", commands)


@given_commands("dashboard")
def test_any_history_of_a_dashboard_stays_valid(commands: list[tuple[str, Any]]) -> None:
    """Valid, restored by its events, idempotent."""
    histories_stay_valid("dashboard", commands)


@given_commands("alert_rule")
def test_any_history_of_an_alert_rule_stays_valid(commands: list[tuple[str, Any]]) -> None:
    """Valid, restored by its events, idempotent."""
    histories_stay_valid("alert_rule", commands)


@given_commands("report_schedule")
def test_any_history_of_a_report_schedule_stays_valid(commands: list[tuple[str, Any]]) -> None:
    """Valid, restored by its events, idempotent."""
    histories_stay_valid("report_schedule", commands)


@given(any_of(dashboard.CreateDashboard), any_of(ChangeDashboard))
def test_a_change_as_a_whole_lands_where_it_says(first: Any, wanted: ChangeDashboard) -> None:
    """The events of a PUT lead to its contents, except for the order of tiles, which have places of their own."""
    state = dashboard.evolve(None, dashboard.decide(None, first, ISSUED)[0])
    for event in dashboard.decide(state, wanted, ISSUED):
        state = dashboard.evolve(state, event)
    assert (state.name, state.description, state.sharing) == (wanted.name, wanted.description, wanted.sharing)
    assert {tile.id: tile for tile in state.tiles} == {tile.id: tile for tile in wanted.tiles}
    assert (state.owner, state.archived) == ("ann", False)


@pytest.mark.parametrize("topic", EVENTS)
@settings(max_examples=examples(15))
@given(data=st.data())
def test_every_event_comes_back_from_its_json(topic: str, data: st.DataObject) -> None:
    """The same event, and the same bytes when it is written again."""
    event = data.draw(any_of(EVENTS[topic]))
    body = write_body(event)
    assert read_event(topic, body) == event
    assert write_body(read_event(topic, body)) == body


def test_events_of_the_past_are_read_for_ever() -> None:
    """One stored body of every event, as it was first released. Lines are added here and never changed."""
    stored = [json.loads(line) for line in SAMPLES.read_text().splitlines()]
    assert {sample["topic"] for sample in stored} == set(EVENTS)
    for sample in stored:
        read_event(sample["topic"], json.dumps(sample["body"]).encode())


def test_names_are_unique_and_say_whose_they_are() -> None:
    """A topic and a command begin with the name of their aggregate; none is used twice."""
    assert len(COMMANDS) == sum(len(a.commands) for a in AGGREGATES.values())
    assert len(EVENTS) == sum(len(a.events) for a in AGGREGATES.values())
    for aggregate in AGGREGATES.values():
        assert {aggregate_of(event.topic) for event in aggregate.events} == {aggregate}


@pytest.mark.parametrize(
    ("topic", "body"),
    [
        ("dashboard.exploded", b"{}"),
        ("dashboard.renamed", b'{"name":"x","font":"serif"}'),
        ("alert_rule.severity_changed", b'{"severity":"apocalyptic"}'),
    ],
)
def test_what_a_newer_release_wrote_is_parked(topic: str, body: bytes) -> None:
    """An event, a field or a choice that is not known: nothing is decided after it by this code."""
    with pytest.raises(Unavailable) as refused:
        read_event(topic, body)
    assert refused.value.code == "newer_event"


def test_a_company_has_one_aggregate() -> None:
    """Its id follows from the company alone."""
    assert company_aggregate_id("acme") == company_aggregate_id("acme") != company_aggregate_id("other")


def test_silences_that_are_over_are_forgotten_with_the_next_one() -> None:
    """So that a rule that is silenced every day does not grow for ever; those that last stay."""
    create = COMMANDS["alert_rule.create"]
    trigger = b'{"watched":{"kind":"metric","key":"mrr"},"condition":{"kind":"no_data","after_seconds":60}}'
    rule: Any = read_command(create, b'{"name":"r","trigger":' + trigger + b"}")
    silence = [alert_rule.SilenceAlertRule(for_seconds, "maintenance") for for_seconds in (60, 7200, 60)]
    history = [("", rule), *(("", s) for s in silence)]
    state = None
    for _, _, events in played("alert_rule", history):
        for event in events:
            state = alert_rule.evolve(state, event)
    assert isinstance(state, AlertRule)
    assert [s.id for s in state.silences] == ["c-2", "c-3"]
