"""Competitive insights through the real store: who is compared with whom, over what, and how often peers are asked."""

from __future__ import annotations

import asyncio
import json
import statistics
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.postgres.read_models.read_store import PostgresReadStore
from adapters.postgres.tables.consents import PostgresConsents
from domain.access.rights import Tier
from domain.configuration.company import ConsentChanged, CurrencyChanged, TierChanged
from domain.configuration.kinds import Event as Decided
from domain.configuration.registry import company_aggregate_id, write_body
from domain.errors import AnalyticsError, Invalid, LimitExceeded, NotFound
from domain.ports import Answer
from eventlog.publish.builders import config_event
from eventlog.publish.event import Event
from projections.engine.query import compared
from projections.engine.query.ask import answer
from projections.engine.query.compared import KEPT_FOR, WAITING, Comparing
from projections.engine.query.request import Question
from tests.projections.harness import ReadModels
from tests.support.clock import Clock
from tests.support.closed_trades import closed_trade

AT = 1_760_000_000_000  # in October 2025
OCTOBER = {"from": "2025-10-01", "to": "2025-11-01"}
OURS = "ourselves"
PEERS = tuple(f"secretpeer{number}" for number in range(5))


def said(company: str, decisions: Iterable[Decided], first: int = 1) -> list[Event]:
    """What a company says about itself, from this version on."""
    return [
        config_event(
            company_id=company,
            event_id=f"{company}-{version}",
            timestamp=AT + version,
            topic=decision.topic,
            aggregate_id=str(company_aggregate_id(company)),
            aggregate_version=version,
            body=write_body(decision).decode(),
            actor="ann",
            role="admin",
        )
        for version, decision in enumerate(decisions, first)
    ]


def sold(company: str, pnl: float, number: int = 0) -> Event:
    """A trade in October."""
    return closed_trade(company_id=company, trade_id=f"{company}-{number}", pnl=pnl, closed_at=AT, timestamp=AT)


def member(company: str, pnl: float, *also: Decided, tier: Tier = Tier.PRO) -> list[Event]:
    """A company of the tier that agreed, with a trade."""
    return [*said(company, [TierChanged(tier), ConsentChanged(True), *also]), sold(company, pnl)]


def circle(size: int = 5) -> list[Event]:
    """Ourselves, better than all of so many peers."""
    peers = [event for number, peer in enumerate(PEERS[:size]) for event in member(peer, 1.0 + number)]
    return [*member(OURS, 100.0), *peers]


async def standing_of(models: ReadModels, metric: str = "total_pnl", **params: str) -> dict[str, Any]:
    """The one row that we are told."""
    found = await models.answer("competitive", OURS, **{"metric": metric, **OCTOBER, **params})
    (row,) = found["rows"]
    assert "secretpeer" not in json.dumps(found)
    return dict(row)


async def reason(models: ReadModels, metric: str = "total_pnl") -> str:
    """Why there is no finding."""
    row = await standing_of(models, metric)
    assert row["finding"] is None
    return str(row["reasons"]["finding"])


async def test_a_company_is_told_where_it_stands(models: ReadModels) -> None:
    """With the question that gives its own value again, and what the noise is."""
    models.given(circle())
    row = await standing_of(models)
    finding = row.pop("finding")
    assert 0 <= finding["percentile"] <= 100
    assert (finding["tier"], finding["epsilon"], finding["rounded_to"]) == ("PRO", 1.0, 5)
    assert "Laplace noise" in finding["noise"]
    assert (row["kind"], row["metric"], row["unit"]) == ("competitive", "total_pnl", "money")
    assert (row["sample"], row["minimum"], row["method_version"]) == (5, 5, 1)
    assert row["evidence"]["query"] == "metric"
    (own,) = await models.rows("metric", OURS, **row["evidence"]["params"])
    assert own["value"] == "100"


async def test_four_peers_are_too_few(models: ReadModels) -> None:
    """Their number is not told either."""
    models.given(circle(4))
    assert await reason(models) == "too_few"
    assert (await standing_of(models))["sample"] == 0


@pytest.mark.parametrize(
    "fifth",
    [
        member(PEERS[4], 9.0, ConsentChanged(False)),
        member(PEERS[4], 9.0, tier=Tier.ENTERPRISE),
        [*said(PEERS[4], [TierChanged(Tier.PRO)]), sold(PEERS[4], 9.0)],
        member(PEERS[4], 9.0)[:2],
        [*member(PEERS[4], 9.0), *said(PEERS[4], [ConsentChanged(False)], 3)],
    ],
    ids=["withdrew", "another tier", "never agreed", "no trade", "withdrew later"],
)
async def test_who_is_no_peer_does_not_count(models: ReadModels, fifth: Sequence[Event]) -> None:
    """Beside four who are."""
    models.given([*circle(4), *fifth])
    assert await reason(models, "win_rate") == "too_few"


async def test_money_is_compared_in_one_currency(models: ReadModels) -> None:
    """A count has none, so that it is compared with everybody's."""
    models.given([*circle(4), *member(PEERS[4], 9.0, CurrencyChanged("JPY"))])
    assert await reason(models) == "too_few"
    assert (await standing_of(models, "total_trades"))["finding"] is not None


async def test_who_does_not_agree_is_told_nothing(models: ReadModels) -> None:
    """Before it has agreed and once it has withdrawn, at once, whatever was found before."""
    models.given([sold(OURS, 1.0), *circle()[3:]])
    assert await reason(models) == "not_agreed"
    models.given(said(OURS, [TierChanged(Tier.PRO), ConsentChanged(True)]))
    assert (await standing_of(models))["finding"] is not None
    models.given(said(OURS, [ConsentChanged(False)], 3))
    assert await reason(models) == "not_agreed"


async def test_a_company_without_a_value_is_told_why(models: ReadModels) -> None:
    """As the metric itself says."""
    models.given(circle())
    assert await reason(models, "nps") == (await models.rows("metric", OURS, key="nps"))[0]["reason"]


async def test_a_peer_that_withdraws_is_not_counted_from_then_on(models: ReadModels) -> None:
    """Whatever was found with it before."""
    models.given(circle())
    assert (await standing_of(models))["finding"] is not None
    models.given(said(PEERS[0], [ConsentChanged(False)], 3))
    assert await reason(models) == "too_few"


@pytest.mark.parametrize(
    "period",
    [
        {"from": "2025-10-02"},
        {"to": "2025-10-31T23:59:59.999Z"},
        {"from": "2025-10-01T00:00:00+02:00"},
        {"from": "0001-01-01", "to": "0001-01-01"},
        {"from": "2024-10-01", "to": "2025-11-01"},
        {"from": "2025-09-01", "to": "2025-11-01"},
        {"from": "2025-08-01", "to": "2025-11-01"},
        {"from": "2024-11-01", "to": "2025-11-01"},
        {"from": "2025-11-01", "to": "2025-10-01"},
        {"from": "2025-11-01"},
        {"from": "2025-10-01", "to": "2999-01-01"},
    ],
)
async def test_periods_are_of_the_calendar_and_over(models: ReadModels, period: dict[str, str]) -> None:
    """Each may be a draw of noise of its own, and so there must not be many over the same events."""
    with pytest.raises(Invalid) as refused:
        await standing_of(models, **period)
    assert refused.value.code == "bad_parameter"


async def test_asking_about_overlapping_periods_gains_nothing(models: ReadModels, store: Counting) -> None:
    """Of all periods up to a year that hold the month, three are answered; over many secrets, with one draw."""
    models.given(circle())
    first = [datetime(2024 + month // 12, month % 12 + 1, 1) for month in range(36)]
    periods = [(b, e) for b in first for e in first if 0 < (e - b).days <= 366 and b <= datetime(2025, 10, 1) < e]
    assert len(periods) >= 75
    answered = [period for period in periods if await is_answered(models, *period)]
    assert answered == [
        (datetime(2025, 1, 1), datetime(2026, 1, 1)),
        (datetime(2025, 10, 1), datetime(2025, 11, 1)),
        (datetime(2025, 10, 1), datetime(2026, 1, 1)),
    ]
    single, mean = list[float](), list[float]()
    for secret in range(8):
        standing_of = [await percentile_of(models, store, str(secret).encode(), *period) for period in answered]
        single.append(standing_of[0])
        mean.append(statistics.mean(standing_of))
    assert len(set(single)) > 1
    assert mean == single


class Consenting:
    """Companies that agreed, whatever is asked."""

    async def agreed(self, tier: str, currency: str | None, most: int) -> Sequence[str]:
        """All of them."""
        return PEERS


async def is_answered(models: ReadModels, begin: datetime, end: datetime) -> bool:
    """Whether a period is compared."""
    try:
        await standing_of(models, **{"from": f"{begin:%F}", "to": f"{end:%F}"})
    except Invalid:
        return False
    return True


async def percentile_of(models: ReadModels, store: Counting, secret: bytes, begin: datetime, end: datetime) -> float:
    """What a process with this secret tells."""
    comparing = Comparing(Consenting(), lambda: secret)
    params = {"metric": "total_pnl", "from": f"{begin:%F}", "to": f"{end:%F}"}
    found = await answer(Question("competitive", OURS, params, datetime.now(UTC)), store, comparing)
    return float(found["rows"][0]["finding"]["percentile"])


async def test_the_last_month_that_is_over_is_compared_without_a_period(models: ReadModels) -> None:
    """The evidence names it."""
    (row,) = await models.rows("competitive", OURS, metric="total_pnl")
    assert row["evidence"]["params"]["from"][7:] == row["evidence"]["params"]["to"][7:] == "-01T00:00:00Z"


async def test_a_metric_must_have_a_single_value(models: ReadModels) -> None:
    """A table has none, and what nobody knows is no metric."""
    with pytest.raises(Invalid) as refused:
        await standing_of(models, "retention")
    assert refused.value.code == "table_metric"
    with pytest.raises(NotFound):
        await standing_of(models, "luck")


async def test_nobody_is_compared_as_of_a_past_state(models: ReadModels, store: Counting) -> None:
    """The error says so; nothing is asked for it."""
    with pytest.raises(Invalid, match="past state") as refused:
        await answer(Question("competitive", OURS, {"metric": "total_pnl"}, datetime.now(UTC)), store)
    assert (refused.value.code, store.asked) == ("no_past", [])


class Counting(PostgresReadStore):
    """A read store that remembers which company was asked, and refuses those that have too much."""

    too_much: frozenset[str] = frozenset()

    def __init__(self, url: str) -> None:
        super().__init__(url, connections=1)
        self.asked: list[str] = []

    async def ask(self, company: str, projection: str, statement: str, params: Sequence[object]) -> Answer:
        """The store's answer."""
        self.asked.append(company)
        if company in self.too_much:
            raise LimitExceeded("the query took too long")
        return await super().ask(company, projection, statement, params)

    def peers_asked(self) -> set[str]:
        """Since the last time this was asked."""
        found, self.asked = set(self.asked) - {OURS}, []
        return found


@pytest.fixture
async def store(read_models_url: str) -> AsyncIterator[Counting]:
    """The read store of the test's database."""
    opened = Counting(read_models_url)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
async def comparing(read_models_url: str, clock: Clock) -> AsyncIterator[Comparing]:
    """Compares by that clock."""
    consents = PostgresConsents(read_models_url)
    yield Comparing(consents, lambda: b"another secret", clock)
    await consents.close()


async def asked(comparing: Comparing, store: Counting, metric: str = "total_pnl") -> dict[str, Any]:
    """The answer for ourselves."""
    question = Question("competitive", OURS, {"metric": metric, **OCTOBER}, datetime.now(UTC))
    return await answer(question, store, comparing)


async def test_a_finding_is_kept_for_a_day(
    models: ReadModels, store: Counting, comparing: Comparing, clock: Clock
) -> None:
    """At its own position, whatever has moved: nobody can try values of their own until an answer changes."""
    models.given(circle())
    first = await asked(comparing, store)
    assert store.peers_asked() == set(PEERS)
    assert await asked(comparing, store) == {**first, "as_of": (await asked(comparing, store))["as_of"]}
    models.given([sold(OURS, -1_000.0, 1)])
    clock.now = KEPT_FOR - 1
    kept = await asked(comparing, store)
    assert (kept["rows"], kept["position"], kept["complete"]) == (first["rows"], first["position"], False)
    assert kept["lag_ms"] >= 0
    assert store.peers_asked() == set()
    clock.now = KEPT_FOR
    assert (await asked(comparing, store))["position"] != first["position"]
    assert store.peers_asked() == set(PEERS)


async def test_those_who_ask_at_once_have_the_peers_asked_once(
    models: ReadModels, store: Counting, comparing: Comparing
) -> None:
    """So many may wait, and the others are told to come again."""
    models.given(circle())
    found = await asyncio.gather(*(asked(comparing, store) for _ in range(WAITING)))
    assert len({json.dumps(each["rows"]) for each in found}) == 1
    assert sum(company == PEERS[0] for company in store.asked) == sum(company == PEERS[1] for company in store.asked)
    once = store.asked.count(PEERS[0])
    more = [asked(comparing, store, metric) for metric in ("win_rate", "total_trades", "total_fees")]
    crowd = [asked(comparing, store, "losing_trades") for _ in range(2 * WAITING)]
    outcomes = await asyncio.gather(*more, *crowd, return_exceptions=True)
    refused = [each for each in outcomes if isinstance(each, BaseException)]
    assert refused
    assert {isinstance(each, LimitExceeded) for each in refused} == {True}
    assert store.asked.count(PEERS[0]) <= once + 4 * 3  # its calendar, its currency and its rows


async def test_the_peers_that_are_asked_are_bounded_and_the_same(
    models: ReadModels, store: Counting, comparing: Comparing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of eight peers the same six, whatever is compared."""
    more = [event for number in range(5, 8) for event in member(f"peer{number}", 1.0)]
    models.given([*circle(), *more])
    monkeypatch.setattr(compared, "PEERS", 6)
    chosen = []
    for metric in ("total_pnl", "win_rate"):
        assert (await asked(comparing, store, metric))["rows"][0]["finding"] is not None
        chosen.append(store.peers_asked())
    assert len(chosen[0]) == 6
    assert chosen[0] == chosen[1]


async def test_a_peer_that_has_too_much_to_be_asked_has_no_value(
    models: ReadModels, store: Counting, comparing: Comparing
) -> None:
    """It does not hold up the others, and its name is in no error."""
    models.given([*circle(), *member("peer5", 3.0)])
    store.too_much = frozenset({PEERS[0]})
    assert (await asked(comparing, store))["rows"][0]["sample"] == 5
    store.too_much = frozenset(PEERS)
    assert (await asked(comparing, store, "win_rate"))["rows"][0]["reasons"] == {"finding": "too_few"}
    store.too_much = frozenset({OURS})
    with pytest.raises(AnalyticsError, match="took too long"):
        await asked(comparing, store)
