"""The sample data: always the same, real where it says so, and sensible where it is made up."""

from __future__ import annotations

import asyncio
import io
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from analytics.business_events_pb2 import SubscriptionEvent
from analytics.user_analytics_pb2 import UserEvent
from trading.trading_signals_pb2 import AccountEquity, AccountEquityBatch, MarketBar, TradingResult

from app.demo.behaviour import LOOKED
from app.demo.billing import billing_events, charges
from app.demo.companies import COMPANIES, DAY, HOUR, MADE_UP, MINUTE, UNTIL, Company, users
from app.demo.living import EVENTS_A_STEP, Living
from app.demo.load import Progress, end_of_sample, load
from app.demo.market import FILES, Bar, daily_bars, table
from app.demo.purchases import FILE
from app.demo.rules import breakout, crossover, round_trips
from app.demo.sample import EVENTS, PARTS, sample, sample_until
from app.demo.satisfaction import satisfaction_events
from app.demo.subscriptions import PLANS, Step, Terms, subscription_events
from app.demo.trading import accounts, trading_events
from app.settings import Settings
from domain.errors import Invalid
from eventlog.publish.event import Event

ACME = COMPANIES[0]


def bars(*closes: float) -> list[Bar]:
    """Days that open at the close of the day before, their extremes one beyond."""
    before = (closes[0], *closes)
    return [
        Bar(DAY * day, opened, max(opened, close) + 1, min(opened, close) - 1, close, 1.0)
        for day, (opened, close) in enumerate(zip(before, closes, strict=False))
    ]


@dataclass
class Seen:
    """What the whole sample comes to."""

    events: int = 0
    ids: set[str] = field(default_factory=set)
    kinds: Counter[tuple[str, str]] = field(default_factory=Counter)
    late: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def seen() -> Seen:
    """The whole sample, gone through once."""
    found = Seen()
    for event in sample():
        envelope = event.envelope
        found.events += 1
        found.ids.add(envelope.event_id)
        found.kinds[envelope.message_type, envelope.service_source] += 1
        if envelope.timestamp >= UNTIL:
            found.late.append(envelope.event_id)
    return found


@pytest.mark.ci
def test_the_sample_has_the_size_that_progress_is_measured_by(seen: Seen) -> None:
    """As many events as EVENTS says, each with an id of its own, none after the sample's end."""
    assert (seen.events, len(seen.ids), seen.late) == (EVENTS, EVENTS, [])


@pytest.mark.ci
def test_what_is_made_up_says_so(seen: Seen) -> None:
    """Only market bars and cedar's orders come from a file; every other event has the source `demo`."""
    sources = {(kind, source) for kind, source in seen.kinds if source != MADE_UP}
    assert sources == {("payment", FILE), *(("market_bar_batch", file) for file in FILES.values())}
    assert {kind for kind, source in seen.kinds if source == MADE_UP}.isdisjoint({"market_bar_batch"})


def test_a_second_run_makes_the_same_events() -> None:
    """Byte for byte, so that event ids and what they stand for are the same on every start."""
    small = COMPANIES[-1]
    first, second = ([event.record for part in PARTS for event in part(small)] for _ in range(2))
    assert first == second


NOW = UNTIL + 3 * DAY + 13 * HOUR + 25 * MINUTE  # a Thursday afternoon


def last_of(part: str, events: list[Event]) -> int:
    """When the newest of these kinds happened."""
    return max(event.record.timestamp for event in events if event.envelope.message_type == part)


@pytest.fixture(scope="module")
def moved() -> list[Event]:
    """The sample of the smallest company as it is loaded then."""
    return list(sample_until(NOW, COMPANIES[-1:]))


def test_a_sample_that_was_moved_ends_at_its_moment(moved: list[Event]) -> None:
    """Nothing lies after it, and every kind comes close to it."""
    assert all(event.record.timestamp < NOW for event in moved)
    for part, within in {
        "system_metric_batch": MINUTE, "user_event": DAY, "payment": 7 * DAY, "subscription": 60 * DAY,
        "market_bar_batch": 8 * DAY,
    }.items():  # fmt: skip
        assert NOW - last_of(part, moved) <= within, part


def test_what_was_moved_is_what_it_was_but_for_its_time(moved: list[Event]) -> None:
    """Ids, days of the week and all trades stay; nothing moves where the sample ends when it was made to."""
    small = COMPANIES[-1]
    made = {event.event_id: event for part in PARTS for event in part(small)}
    for event in moved:
        at, before = event.record.timestamp, made[event.event_id].record.timestamp
        assert ((at - before) % DAY, event.record.key) == (0, made[event.event_id].record.key)
        if event.envelope.message_type not in ("system_metric_batch", "performance_data_batch"):
            assert (at - before) % (7 * DAY) == 0
    trades = [
        TradingResult.FromString(e.envelope.payload) for e in moved if e.envelope.message_type == "trading_result"
    ]
    assert len(trades) == sum(event.envelope.message_type == "trading_result" for event in made.values())
    assert all(NOW - 20 * 365 * DAY < trade.opened_at < trade.closed_at < NOW for trade in trades)
    by_parts = [part for part in PARTS if part.__name__ not in ("market_events", "trading_events")]
    unmoved = {event.event_id: event.record for event in sample_until(UNTIL, [small])}
    for part in by_parts:
        assert all(unmoved[event.event_id] == event.record for event in part(small)), part


def test_the_end_of_the_sample_is_now_or_what_the_setting_says() -> None:
    assert end_of_sample("2026-11-23") == end_of_sample("2026-11-23T00:00Z") == UNTIL
    assert end_of_sample("") > UNTIL
    with pytest.raises(Invalid, match="no day or moment"):
        end_of_sample("soon")


def test_real_files_are_complete() -> None:
    """As many days and orders as SOURCES.md says."""
    assert {symbol: len(daily_bars(symbol)) for symbol in FILES} == {"AAPL": 1867, "SPX": 5031, "IXIC": 5031}
    orders = list(table(FILE))
    assert (len(orders), len({order["customer"] for order in orders})) == (6919, 2357)
    assert daily_bars("AAPL")[0] == Bar(850348800000, 0.861608, 0.866072, 0.85268, 0.85268, 21750400.0)


def test_a_crossover_follows_the_faster_average() -> None:
    """Averages of 2 and 3 closes: above is long, below is short, equal and too early is nothing."""
    assert crossover(bars(10, 10, 10, 13, 13, 7), fast=2, slow=3) == [0, 0, 0, 1, 1, -1]


def test_a_breakout_holds_until_the_opposite_extreme() -> None:
    """Two days' extremes to enter, one day's to leave; a close beyond both turns the position."""
    assert breakout(bars(10, 10, 12, 12, 13, 10, 5), entry=2, leave=1) == [0, 0, 1, 1, 1, -1, -1]


def test_a_rule_is_filled_on_the_day_after_it_decided() -> None:
    """Round trips lie behind each other, and begin only when the first average was known and a day had passed."""
    days = daily_bars("AAPL")
    trips = round_trips("AAPL", "crossover_15_40")
    assert trips[0].opened_at >= days[40].start
    assert all(before.closed_at <= after.opened_at for before, after in pairwise(trips))
    opens = {bar.open for bar in days}
    assert all(trip.lowest <= trip.entry_price <= trip.highest for trip in trips)
    assert {trip.entry_price for trip in trips} | {trip.exit_price for trip in trips} <= opens


def test_trades_are_net_of_fees() -> None:
    """pnl = side × (exit − entry) × quantity − fees, in cents; fees are 0.05 % of both legs; excursions embrace it."""
    trades = [
        TradingResult.FromString(event.envelope.payload)
        for event in trading_events(COMPANIES[-1])
        if event.envelope.message_type == "trading_result"
    ]
    assert len(trades) > 100
    for trade in trades:
        sign = 1 if trade.side == 1 else -1
        gained = sign * (trade.exit_price - trade.entry_price) * trade.quantity
        assert trade.fees == pytest.approx(0.0005 * trade.quantity * (trade.entry_price + trade.exit_price), abs=0.006)
        assert trade.pnl == pytest.approx(gained - trade.fees, abs=0.006)
        assert trade.max_adverse_excursion - 0.01 <= gained <= trade.max_favourable_excursion + 0.01


def test_the_last_value_of_an_account_is_its_deposit_and_profits() -> None:
    """Where no position is open, equity is the balance: the deposit and every closed trade."""
    owners = {account.account_id: account for account in accounts(ACME)}
    last: dict[str, AccountEquity] = {}
    lowest = 1e9
    for event in trading_events(ACME):
        if event.envelope.message_type == "account_equity_batch":
            for value in AccountEquityBatch.FromString(event.envelope.payload).items:
                last[value.account_id] = value
                lowest = min(lowest, value.equity)
    assert len(last) > 3
    assert lowest > 0
    for name, value in last.items():
        account = owners[name]
        assert value.balance == pytest.approx(account.deposit + sum(map(account.pnl, account.trips())), abs=0.01)


FOLLOWS = {
    "trial_started": {"TRIAL_CONVERTED", "CANCELED"},
    "canceled": {"REACTIVATED"},
    "paused": {"RESUMED"},
}


@pytest.mark.parametrize("company", COMPANIES, ids=lambda company: company.company_id)
def test_subscriptions_live_possible_lives(company: object) -> None:
    """A start or a trial first, nothing but the way back from a stop, in order of time, at the plan's price."""
    lives: dict[str, list[SubscriptionEvent]] = {}
    for event in subscription_events(next(c for c in COMPANIES if c is company)):
        fact = SubscriptionEvent.FromString(event.envelope.payload)
        lives.setdefault(fact.subscription_id, []).append(fact)
    assert len(lives) > 10
    for life in lives.values():
        names = [SubscriptionEvent.Event.Name(fact.event) for fact in life]
        assert names[0] in {"STARTED", "TRIAL_STARTED"}
        assert all(b in FOLLOWS.get(a.lower(), {b}) for a, b in pairwise(names)), names
        assert [fact.sequence for fact in life] == list(range(1, len(life) + 1))
        assert [fact.effective_at for fact in life] == sorted(fact.effective_at for fact in life)
        assert {fact.unit_amount / PLANS[fact.plan] for fact in life} <= {1.0, 10.0}


def test_who_subscribes_is_charged_for_each_interval_at_the_terms_that_hold() -> None:
    """Not while paused, not after the end, and anew from when they come back."""
    single, yearly = Terms("basic", yearly=False), Terms("pro", yearly=True)
    double = replace(single, seats=2)

    monthly: list[tuple[int, Step, Terms]] = [
        (0, "trial_started", single),
        (10 * DAY, "trial_converted", single),
        (50 * DAY, "quantity_changed", double),
        (75 * DAY, "paused", double),
        (100 * DAY, "resumed", double),
        (120 * DAY, "canceled", double),
    ]
    paid = [(charge.at // DAY, charge.amount) for charge in charges(monthly)]
    assert paid == [(10, 29.0), (40, 29.0), (70, 58.0), (100, 58.0)]
    ends: list[tuple[int, Step, Terms]] = [(0, "started", yearly), (400 * DAY, "canceled", yearly)]
    assert [(charge.at // DAY, charge.amount) for charge in charges(ends)] == [(0, 990.0), (365, 990.0)]


@pytest.mark.parametrize("company", COMPANIES, ids=lambda company: company.company_id)
def test_every_company_has_costs_and_opinions(company: Company) -> None:
    """No table of revenue, acquisition or satisfaction is empty for anybody."""
    kinds = {event.envelope.message_type for part in (billing_events, satisfaction_events) for event in part(company)}
    assert kinds == {"payment", "acquisition_cost", "support_ticket", "survey_response"}


def test_every_user_signs_up_before_anything_else() -> None:
    """The first events of a user are a look and the signup, at the time when the user joined."""
    behaviour = next(part for part in PARTS if part.__name__ == "behaviour_events")
    seen: dict[str, list[tuple[int, str]]] = {}
    for event in behaviour(ACME):
        envelope = event.envelope
        happened = (envelope.timestamp, UserEvent.FromString(envelope.payload).name)
        seen.setdefault(envelope.user_id, []).append(happened)
    first = {user: sorted(events)[:2] for user, events in seen.items()}
    assert first == {
        user.user_id: [(user.joined - LOOKED, "page_view"), (user.joined, "signup")] for user in users(ACME)
    }


def test_what_goes_on_happens_now_and_is_made_up() -> None:
    """Ten minutes of steps: each gives its events, all of that moment; each full minute gives sound bars."""
    start = UNTIL + DAY
    living = Living(Random(7), start)
    made_bars: list[MarketBar] = []
    kinds: Counter[str] = Counter()
    for now in range(start, start + 10 * MINUTE, 1_000):
        events = living.step(now)
        envelopes = [event.envelope for event in events]
        assert {(e.timestamp, e.service_source) for e in envelopes} == {(now, MADE_UP)}
        happened = [e for e in envelopes if e.message_type != "market_bar"]
        assert len(happened) == EVENTS_A_STEP
        kinds.update(e.message_type for e in happened)
        made_bars += [MarketBar.FromString(e.payload) for e in envelopes if e.message_type == "market_bar"]
    assert set(kinds) == {"user_event", "system_metric_batch", "performance_data_batch", "trading_result"}
    assert len(made_bars) == 9 * sum(len(company.symbols) for company in COMPANIES)
    assert all(bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high for bar in made_bars)
    last = daily_bars("SPX")[-1].close
    assert all(abs(bar.close / last - 1) < 0.1 for bar in made_bars if bar.symbol == "SPX")


async def test_loading_that_was_stopped_is_not_remembered_as_done(
    tmp_path: Path, database_url: str, nats_url: str
) -> None:
    """The next start loads again."""
    stop = asyncio.Event()
    stop.set()
    settings = Settings(data=tmp_path / "data", database_url=database_url, nats_url=nats_url)
    assert not await load(settings, stop, io.StringIO())
    assert not settings.data.exists()


def test_progress_says_how_far_how_fast_how_long() -> None:
    """Plain lines where no terminal is."""
    out = io.StringIO()
    progress = Progress(4_000, out)
    progress.add(1_000)
    progress.add(3_000)
    progress.end()
    lines = out.getvalue().splitlines()
    assert re.fullmatch(r"25%  1,000 sample events, [\d,]+/s, \d+ s left", lines[0])
    assert re.fullmatch(r"100%  4,000 sample events, [\d,]+/s, 0 s left", lines[-1])
