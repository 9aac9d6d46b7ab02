"""Commands taken by several handlers at once on one store, as several processes do."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from typing import Any
from uuid import UUID

import msgspec
import psycopg
import pytest

from command_api.command_handler import CommandResult, company_of
from domain.access.rights import EVERY_COMPANY, OPERATOR, Principal, Role, Tier
from domain.configuration.event_store import State
from domain.errors import Conflict, Forbidden, Invalid, NotFound, Unavailable
from tests.support.command_handlers import ADMIN, counted, handler_on, order

RULE = (
    '{"name":"r","trigger":{"watched":{"kind":"metric","key":"mrr"},'
    '"condition":{"kind":"threshold","compare":"below","value":"10"}}}'
)


async def test_fifty_writers_on_one_aggregate(database_url: str) -> None:
    """Everything that was accepted is in the history once, in versions without gap; every loser is told of it."""
    async with handler_on(database_url) as one, handler_on(database_url) as other:
        made = await one.take(ADMIN, order("dashboard.create", '{"name":"x"}'))
        names = [f"n{i}" for i in range(50)]
        orders = [order("dashboard.rename", f'{{"name":"{name}"}}', aggregate_id=made.id) for name in names]
        takes = [(one, other)[i % 2].take(ADMIN, each) for i, each in enumerate(orders)]
        outcomes = await asyncio.gather(*takes, return_exceptions=True)
    taken = {name: o for name, o in zip(names, outcomes, strict=True) if isinstance(o, CommandResult)}
    lost = [o for o in outcomes if not isinstance(o, CommandResult)]
    assert all(isinstance(o, Conflict) and o.code == "contended" for o in lost)
    with psycopg.connect(database_url) as connection:
        rows = connection.execute("SELECT originator_version, state FROM config_events ORDER BY 1").fetchall()
    history = {msgspec.json.decode(state)["body"]["name"]: version for version, state in rows[1:]}
    assert [version for version, _ in rows] == list(range(1, len(rows) + 1))
    assert history == {name: outcome.version for name, outcome in taken.items()}
    assert taken


async def test_fifty_writers_who_all_saw_the_same_version(database_url: str) -> None:
    """One wins; the others hear that the version that they saw is no longer the current one."""
    async with handler_on(database_url) as one, handler_on(database_url) as other:
        made = await one.take(ADMIN, order("dashboard.create", '{"name":"x"}'))
        orders = [order("dashboard.rename", f'{{"name":"n{i}"}}', aggregate_id=made.id, expected=1) for i in range(50)]
        takes = [(one, other)[i % 2].take(ADMIN, each) for i, each in enumerate(orders)]
        outcomes = await asyncio.gather(*takes, return_exceptions=True)
    assert Counter(getattr(o, "code", "taken") for o in outcomes) == {"taken": 1, "stale_version": 49}
    assert counted(database_url) == 2


async def test_the_same_key_twenty_times_at_once_has_one_effect(database_url: str) -> None:
    """Through several handlers: one aggregate is created, and every answer is the same."""
    async with handler_on(database_url) as one, handler_on(database_url) as other:
        same = order("dashboard.create", '{"name":"x"}', key="k-1")
        answers = await asyncio.gather(*((one, other)[i % 2].take(ADMIN, same) for i in range(20)))
        assert len({str(answer.as_json()) for answer in answers}) == 1
        assert (counted(database_url), counted(database_url, "idempotency_keys")) == (1, 1)
        await one.take(ADMIN, order("dashboard.rename", '{"name":"y"}', aggregate_id=answers[0].id))
        assert await other.take(ADMIN, same) == answers[0], "later commands do not change what was answered"


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("another body", {"body": '{"name":"z"}'}),
        ("another expected version", {"expected": 1}),
        ("another aggregate", {"aggregate_id": UUID(int=1)}),
    ],
)
async def test_a_key_for_another_request_is_a_conflict(database_url: str, name: str, change: dict[str, Any]) -> None:
    """The key is bound to what was asked; spelling does not matter."""
    async with handler_on(database_url) as handler:
        made = await handler.take(ADMIN, order("dashboard.create", '{"name":"x"}'))
        rename: dict[str, Any] = {
            "name": "dashboard.rename",
            "body": '{"name":"y"}',
            "aggregate_id": made.id,
            "key": "k",
        }
        first = await handler.take(ADMIN, order(**rename))
        assert await handler.take(ADMIN, order(**rename | {"body": '{ "name" : "\\u0079" }'})) == first
        with pytest.raises(Conflict) as refused:
            await handler.take(ADMIN, order(**rename | change))
        assert refused.value.code == "idempotency_key_reused", name
        with pytest.raises(Conflict):
            await handler.take(replace(ADMIN, sub="bob"), order(**rename))


async def test_a_command_without_effect_keeps_its_key_too(database_url: str) -> None:
    """No event, but the same answer again, whatever happens between."""
    async with handler_on(database_url) as handler:
        made = await handler.take(ADMIN, order("dashboard.create", '{"name":"x"}'))
        idle = order("dashboard.rename", '{"name":"x"}', aggregate_id=made.id, key="k")
        answer = await handler.take(ADMIN, idle)
        assert (answer.version, answer.events, answer.position) == (1, (), made.position)
        await handler.take(ADMIN, order("dashboard.rename", '{"name":"y"}', aggregate_id=made.id))
        assert await handler.take(ADMIN, idle) == answer


async def test_a_refused_command_leaves_its_key_free(database_url: str) -> None:
    """It had no effect; corrected, it may be sent with the same key."""
    async with handler_on(database_url) as handler:
        with pytest.raises(NotFound):
            await handler.take(ADMIN, order("dashboard.archive", aggregate_id=UUID(int=5), key="k"))
        assert (await handler.take(ADMIN, order("dashboard.create", '{"name":"x"}', key="k"))).version == 1


async def test_a_dry_run_stores_nothing(database_url: str) -> None:
    """It tells the events and the version that there would be, and checks what a real run would."""
    async with handler_on(database_url) as handler:
        told = await handler.take(ADMIN, order("alert_rule.create", RULE, dry_run=True, key="k"))
        assert ([event.topic for event in told.events], told.version) == (["alert_rule.created"], 1)
        assert (str(told.position), told.dry_run) == ("", True)
        made = await handler.take(ADMIN, order("alert_rule.create", RULE))
        with pytest.raises(Conflict):
            await handler.take(ADMIN, order("alert_rule.disable", aggregate_id=made.id, expected=7, dry_run=True))
        told = await handler.take(ADMIN, order("alert_rule.disable", aggregate_id=made.id, dry_run=True))
        assert told.version == 2
    assert (counted(database_url), counted(database_url, "idempotency_keys")) == (1, 0)


async def test_other_tenants_and_other_kinds_are_not_there(database_url: str) -> None:
    """The same answer as for an id that nobody has, on every path, also once the state is in memory."""
    stranger = Principal("eve", frozenset({"other"}), frozenset({Role.ADMIN}), Tier.ENTERPRISE)
    async with handler_on(database_url) as handler:
        made = await handler.take(ADMIN, order("dashboard.create", '{"name":"x"}'))
        with pytest.raises(NotFound) as foreign:
            await handler.take(stranger, order("dashboard.archive", aggregate_id=made.id, company_id="other"))
        with pytest.raises(NotFound) as unknown:
            await handler.take(stranger, order("dashboard.archive", aggregate_id=UUID(int=9), company_id="other"))
        assert (str(foreign.value), foreign.value.code) == (str(unknown.value), unknown.value.code)
        with pytest.raises(NotFound):
            await handler.take(ADMIN, order("alert_rule.archive", aggregate_id=made.id))
        with pytest.raises(Forbidden):
            await handler.take(stranger, order("dashboard.archive", aggregate_id=made.id))


@pytest.mark.parametrize(
    ("name", "body", "role", "tier", "code"),
    [
        ("dashboard.create", '{"name":"x"}', Role.ANALYST, Tier.ENTERPRISE, "forbidden_role"),
        ("dashboard.create", '{"name":"x"}', Role.ENGINEER, Tier.ENTERPRISE, "forbidden_role"),
        ("alert_rule.create", RULE, Role.ADMIN, Tier.BASIC, "forbidden_tier"),
        ("company.change_branding", "{}", Role.ADMIN, Tier.PRO, "forbidden_tier"),
        ("company.change_tier", '{"tier":"PRO"}', Role.ADMIN, Tier.ENTERPRISE, "forbidden_company"),
    ],
)
async def test_who_may_not(database_url: str, name: str, body: str, role: Role, tier: Tier, code: str) -> None:
    """Role, tier, and what only administrators of all companies decide."""
    async with handler_on(database_url) as handler:
        with pytest.raises(Forbidden) as refused:
            await handler.take(Principal("x", frozenset({"acme"}), frozenset({role}), tier), order(name, body))
    assert refused.value.code == code
    assert counted(database_url) == 0


async def test_the_operator_may_change_a_tier(database_url: str) -> None:
    """And so may an admin of all companies; it is on record who did."""
    async with handler_on(database_url) as handler:
        first = await handler.take(OPERATOR, order("company.change_tier", '{"tier":"PRO"}'))
        everywhere = Principal("root", frozenset({EVERY_COMPANY}), frozenset({Role.ADMIN}))
        second = await handler.take(everywhere, order("company.change_tier", '{"tier":"BASIC"}'))
    assert (first.id, first.version, second.version) == (second.id, 1, 2)
    with psycopg.connect(database_url) as connection:
        rows = connection.execute("SELECT state FROM config_events ORDER BY notification_id").fetchall()
    states = [msgspec.json.decode(state, type=State) for (state,) in rows]
    assert {s.company_id for s in states} == {"acme"}
    assert [(s.actor, s.role) for s in states] == [("local-operator", "admin"), ("root", "admin")]


async def test_nothing_is_decided_after_an_event_of_a_newer_release(database_url: str) -> None:
    """The aggregate is parked for this code until it is upgraded."""
    async with handler_on(database_url) as handler:
        made = await handler.take(ADMIN, order("dashboard.create", '{"name":"x"}'))
        with psycopg.connect(database_url) as connection:
            connection.execute(
                "INSERT INTO config_events (originator_id, originator_version, topic, state)"
                " SELECT originator_id, 2, 'dashboard.animated', state FROM config_events"
            )
        with pytest.raises(Unavailable) as refused:
            await handler.take(ADMIN, order("dashboard.archive", aggregate_id=made.id))
    assert refused.value.code == "newer_event"
    assert counted(database_url) == 2


@pytest.mark.parametrize("named", [None, "*", "a b", "x" * 65, "é"])
def test_a_token_for_all_companies_must_name_one(named: str | None) -> None:
    """By an id that a company can have."""
    with pytest.raises(Invalid):
        company_of(OPERATOR, named)
    assert company_of(ADMIN, None) == "acme"
