"""Alerters on a real store: what is over is evaluated once, whoever looks, and told once, whoever is gone."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import msgspec
import psycopg
import pytest

from adapters.postgres.tables.alerts import PostgresAlerts
from domain.access.rights import Principal, Tier
from domain.alerting.notices import News, Notice
from domain.alerting.watch import Rule
from domain.configuration.alert_rule import AlertRule
from domain.configuration.channels import Channel
from domain.errors import AnalyticsError, Conflict, Fenced, Unavailable
from domain.ports import Placed, Record
from projections.engine.query.request import Question
from read_api.alerts.alerter import DELAY, Alerter, Evaluator, due_of
from read_api.alerts.backtest import backtest
from read_api.alerts.rules import RuleBook
from read_api.alerts.values import Reader
from tests.support.event_store import aggregate, decide, state

MINUTE, LEASE = 60_000, 1.0
START = 1_790_002_800_000  # a full minute
RULE_ID = str(aggregate("a"))
RULE: Mapping[str, Any] = {
    "name": "many",
    "trigger": {
        "watched": {"kind": "query", "query": "system_metrics", "measure": "count", "by": ["service"]},
        "condition": {"kind": "threshold", "compare": "above", "value": "10"},
        "every": "1m",
        "no_data": "normal",
    },
    "notification": {"channels": [{"kind": "webhook", "url": "https://a.example/"}]},
}


class World:
    """What alerters look at: the clock, what came in each minute by service, how far it is complete, what was sent."""

    def __init__(self, store: PostgresAlerts) -> None:
        self.store = store
        self.now = START
        self.lag = 0
        self.counts: dict[int, Mapping[str, int]] = {}  # by minutes after the start
        self.log: dict[bytes, Record] = {}
        self.sent: list[Notice] = []
        self.errors: list[AnalyticsError] = []
        self.tiers: dict[str, Tier] = {}

    async def ask(self, _principal: Principal, question: Question) -> dict[str, Any]:
        """The rows of a minute."""
        assert question.asked_at.timestamp() * 1000 <= self.now - self.lag - DELAY, "asked of a minute that is not over"
        minute = round((question.asked_at.timestamp() * 1000 - START) / MINUTE)
        return {"rows": [{"service": n, "count": each} for n, each in self.counts.get(minute, {}).items()]}

    async def complete_to(self, names: object) -> int:
        """The projections of what is watched."""
        assert "system_metrics" in str(names)
        return self.now - self.lag

    async def append(self, records: Sequence[Record]) -> list[Placed]:
        """Take them by their ids."""
        self.log |= {record.headers["event_id"]: record for record in records}
        return []

    async def send_notice(self, _channel: Channel, notice: Notice, link: str) -> None:
        """Take it."""
        assert link == notice.rule_id
        if self.errors:
            raise self.errors.pop(0)
        self.sent.append(notice)

    def alerter(self, store: PostgresAlerts | None = None, holder: str = "one") -> tuple[Evaluator, Alerter]:
        """One that waits for nothing between two tries."""
        store, log = store or self.store, self
        evaluator = Evaluator(store, Reader(self, self.tiers), self.complete_to, holder=holder, now=lambda: self.now)
        return evaluator, Alerter(
            store, evaluator, log, self, holder=holder, now=lambda: self.now,  # type: ignore[arg-type]  # it appends alone
            lease=LEASE, link=lambda notice: notice.rule_id, first_pause=0.0,
        )  # fmt: skip

    async def pass_minutes(self, minutes: int, evaluator: Evaluator, alerter: Alerter) -> None:
        """So many, and the work of each."""
        for _ in range(minutes):
            self.now += MINUTE
            await self.work(evaluator, alerter)

    async def work(self, evaluator: Evaluator, alerter: Alerter) -> None:
        """Whatever is due."""
        while await evaluator.next(LEASE):
            pass
        await alerter.hand_over()
        while await alerter.send():
            pass

    def told(self) -> list[tuple[int, str, str]]:
        """Minute, service and news of all that was sent."""
        return [((n.at - START) // MINUTE, json.loads(i.series)["service"], i.news) for n in self.sent for i in n.items]


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    """A fresh database with one rule."""
    decided(database_url, 1, 0, "created", RULE)
    store = PostgresAlerts(database_url, LEASE)
    yield World(store)
    await store.close()


def decided(database_url: str, version: int, minutes: float, topic: str, body: Mapping[str, object]) -> None:
    """Something was decided about the rule, so many minutes after the start."""
    said = json.dumps(state("acme", at=round(START + minutes * MINUTE), body=body)).encode()
    with psycopg.connect(database_url) as connection:
        decide(connection, "a", version, said, topic=f"alert_rule.{topic}")


async def ready(world: World) -> tuple[Evaluator, Alerter]:
    """One that has planned, a little after the end of a minute, when every watch is due."""
    evaluator, alerter = world.alerter()
    await evaluator.plan()
    world.now += DELAY + 31_000
    return evaluator, alerter


async def test_a_change_is_told_once_and_again_after_its_time(world: World) -> None:
    """One message a period, of all series; what goes on is told every five minutes."""
    world.counts = {n: {"db": 11, "web": 11 if n == 2 else 1} for n in range(2, 9)}
    working = await ready(world)
    await world.pass_minutes(10, *working)
    expected = [(2, "db", News.BEGUN), (2, "web", News.BEGUN), (3, "web", News.RESOLVED), (9, "db", News.RESOLVED)]
    assert world.told() == expected
    assert len(world.log) == 4
    assert [len(notice.items) for notice in world.sent] == [2, 1, 1]


async def test_repeats_silences_and_mute_timings(world: World, database_url: str) -> None:
    """Told again every five minutes; not while it is silent, and then what is so."""
    world.counts = {n: {"db": 11, "web": 11} for n in range(1, 30)}
    notification = {**RULE["notification"], "repeat_seconds": 300, "group_by": ["service"]}
    decided(database_url, 2, 0.1, "notification_changed", {"notification": notification})
    silence = {
        "id": "s",
        "starts_at": START,
        "until": START + 5 * MINUTE,
        "reason": "",
        "by": "",
        "matching": {"service": "web"},
    }
    decided(database_url, 3, 0.2, "silenced", {"silence": silence})
    muted = {"days": ["monday"], "from_time": "15:08", "to_time": "15:30"}  # from the eighth minute on
    decided(database_url, 4, 0.3, "notification_changed", {"notification": {**notification, "mute_timings": [muted]}})
    working = await ready(world)
    await world.pass_minutes(12, *working)
    assert world.told() == [(1, "db", "begun"), (5, "web", "begun"), (6, "db", "still")]
    assert {notice.group for notice in world.sent} == {'{"service":"db"}', '{"service":"web"}'}


async def test_nothing_is_evaluated_before_it_is_final(world: World) -> None:
    """While a projection is behind the minute is not over, whatever the clock says; then all of it is told."""
    world.counts = {1: {"db": 11}}
    working = await ready(world)
    world.lag = 5 * MINUTE
    await world.pass_minutes(4, *working)
    assert world.told() == []
    world.lag = 0
    await world.pass_minutes(1, *working)
    assert world.told() == [(1, "db", "begun"), (2, "db", "resolved")]


async def test_two_evaluate_each_period_once(world: World, database_url: str) -> None:
    """Side by side on one store: the same changes as one alone, and each told once."""
    world.counts = {n: {"db": 11 if n % 2 else 1} for n in range(1, 21)}
    other = PostgresAlerts(database_url, LEASE)
    first, second = world.alerter(), world.alerter(other, "two")
    await ready(world)
    for _ in range(20):
        world.now += MINUTE
        await asyncio.gather(world.work(*first), world.work(*second))
    await world.work(*first)
    await other.close()
    assert sorted(minute for minute, _, _ in world.told()) == list(range(1, 21))
    assert max(Counter(notice.notice_id for notice in world.sent).values()) == 1


async def test_whoever_lost_a_watch_keeps_nothing(world: World) -> None:
    """A process that stood still while another one took its watch over."""
    await ready(world)
    world.now += MINUTE
    left = await world.store.claim("gone", world.now)
    assert left is not None
    await asyncio.sleep(LEASE + 0.1)
    world.counts = {1: {"db": 11}}
    await world.work(*world.alerter())
    for late in (world.store.keep(left, "gone", (), ()), world.store.extend(left, "gone")):
        with pytest.raises(Fenced):
            await late
    assert world.told() == [(1, "db", "begun")]


async def test_what_does_not_arrive_is_tried_again_or_dead(world: World) -> None:
    """Five times where it may pass; never where it will not."""
    world.counts = {1: {"db": 11}}
    working = await ready(world)
    world.errors = [Unavailable("away")] * 4 + [Conflict("gone")]
    await world.pass_minutes(3, *working)
    assert world.told() == [(2, "db", "resolved")]
    (dead,) = await world.store.listing("acme", "dead", 10)
    assert (dead.error, dead.notice.at) == ("gone", START + MINUTE)


async def test_a_tier_without_alerts_ends_them(world: World) -> None:
    """Nobody hears of it; the history says why."""
    world.counts = {n: {"db": 11} for n in range(1, 9)}
    working = await ready(world)
    await world.pass_minutes(1, *working)
    world.tiers["acme"] = Tier.FREE
    await world.pass_minutes(2, *working)
    assert world.told() == [(1, "db", "begun")]
    assert len(world.log) == 2


async def test_a_back_test_is_what_fired(world: World) -> None:
    """Event for event, through a restart in between."""
    world.counts = {n: {"db": 11 if n % 7 < 3 else 1, "web": 30 if n % 5 == 0 else 2} for n in range(1, 200)}
    working = await ready(world)
    await world.pass_minutes(30, *working)
    await world.pass_minutes(30, *world.alerter())
    rule = msgspec.convert(RULE, AlertRule, strict=False)
    changes = await backtest(Reader(world, {}), "acme", Rule(RULE_ID, rule), START, START + 60 * MINUTE)
    assert {each.event_id("acme").encode() for each in changes} == set(world.log)
    assert len(changes) > 20


async def test_rules_are_as_they_were_at_the_end_of_each_period(world: World, database_url: str) -> None:
    """What is evaluated late is judged by the rule of then."""
    world.counts = {n: {"db": 11} for n in range(1, 9)}
    decided(database_url, 2, 3.5, "disabled", {})
    working = await ready(world)
    world.now += 6 * MINUTE
    await world.work(*working)
    rules = RuleBook(world.store)
    ((watch, _), *_) = await rules.read()
    assert [len(rules.at(watch, START + n * MINUTE)) for n in (-1, 0, 3, 4)] == [0, 1, 1, 0]
    assert len(world.log) == 2
    assert due_of(watch, START) > START + MINUTE + DELAY
