"""The law of kept answers: what the cache gives is what a computation of now would give, for every registered query.

Events of several companies come between the questions, so that most answers are asked where nothing of their company
has moved. A query that is declared enters by itself.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from adapters.postgres.read_models.tenant_positions import record_replacement
from domain.access.rights import Member
from domain.configuration.company import CurrencyChanged, Profile, ProfileChanged
from domain.configuration.dashboard import DashboardArchived
from domain.configuration.kinds import Event as ConfigurationEvent
from domain.configuration.registry import write_body
from domain.errors import AnalyticsError
from eventlog.publish.builders import config_event
from eventlog.publish.event import Event
from projections.engine.declare.registry import all_projections, all_registered
from projections.engine.query.ask import answer
from projections.engine.query.asked_at import FOREVER, LastingAnswer
from projections.engine.query.request import Question
from read_api.answers import cache
from read_api.answers.cache import AnswerCache
from read_api.answers.cache_tiers import GuardedTier, Tiers
from read_api.answers.cached_answer import Key, key_of, packed, unpacked
from tests.laws.test_folds import NewDatabase, logs_of
from tests.projections.harness import Logged, ReadModels
from tests.support.any_configuration import EVENTS
from tests.support.closed_trades import NOON, closed_trade
from tests.support.examples import examples
from tests.support.needed import needed_by

ALL = all_registered()
TOPICS = frozenset().union(*(projection.topics for projection in all_projections().values()))
ASKED = datetime(2026, 1, 1, tzinfo=UTC)
COMPANIES = ("acme", "globex")
OF_NOW = ("as_of", "complete", "lag_ms")  # they go by the clock


class Shelf:
    """A tier of all processes; `losing` says whether it loses what it is given."""

    def __init__(self, losing: random.Random) -> None:
        self.values: dict[str, bytes] = {}
        self._losing = losing

    async def get(self, name: str) -> bytes | None:
        return self.values.get(name)

    async def put(self, name: str, value: bytes) -> None:
        if self._losing.random() < 0.8:
            self.values[name] = value


def said(found: Mapping[str, Any]) -> Any:
    """An answer without what goes by the clock."""
    rows = [{k: v for k, v in row.items() if k not in OF_NOW} for row in found["rows"]]
    return {k: v for k, v in found.items() if k not in OF_NOW} | {"rows": rows}


@settings(max_examples=examples(1), deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
@given(records=logs_of(TOPICS), seed=st.integers(0, 2**32))
@pytest.mark.slow
@pytest.mark.ci  # every query, after every kind of event
def test_a_kept_answer_is_the_answer_of_now(new_database: NewDatabase, records: list[Logged], seed: int) -> None:
    """In two processes that share a tier, after each of some batches of events."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(cache, "WORTH", 0.0)
        patched.setattr(cache, "LOOK", 0.0)
        hits = asyncio.run(_asked(ReadModels(new_database()), records, random.Random(seed)))
    assert min(hits) > len(ALL) / 4, "answers are found in the process, and on the shelf"


async def _asked(models: ReadModels, records: list[Logged], chance: random.Random) -> tuple[int, int]:
    await models.reads.open()

    async def make(question: Question) -> LastingAnswer:
        return await answer(question, models.reads, models.comparing)

    guarded = GuardedTier("shared", Shelf(chance), 0.0, 5.0)
    processes = [AnswerCache(models.reads, make, tiers=Tiers(guarded)) for _ in range(2)]
    size = len(records) // 3 + 1
    try:
        for begin in range(0, len(records), size):
            models.fold(records[begin : begin + size])
            for name, query in ALL.items():
                for company in COMPANIES:
                    question = Question(name, company, needed_by(query), ASKED)
                    await _compare(processes, question, make)
        return processes[0].counts["process_hits"], guarded.counts["hits"]
    finally:
        await models.close()


async def _compare(processes: list[AnswerCache], question: Question, make: Any) -> None:
    try:
        now = said(await make(question))
    except AnalyticsError as error:
        for process in processes:
            with pytest.raises(type(error)):
                await process.answer(question)
        return
    for process in (*processes, processes[0]):
        assert said(await process.answer(question)) == now, question


def configured(topic: str, version: int, body: ConfigurationEvent) -> Event:
    """An event of the configuration of the first company."""
    of: dict[str, Any] = {"company_id": COMPANIES[0], "aggregate_id": topic.partition(".")[0], "topic": topic}
    return config_event(aggregate_version=version, body=write_body(body).decode(), actor="ann", role="admin", **of)


async def test_what_is_set_empties_what_rests_on_it_alone(
    new_database: NewDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dashboard or an alert rule changes none of the answers but its own; zone and currency those that read them."""
    monkeypatch.setattr(cache, "WORTH", 0.0)
    monkeypatch.setattr(cache, "LOOK", 0.0)
    models = ReadModels(new_database()).given([closed_trade(trade_id="t1", pnl=1.0), *DASHBOARD])
    await models.reads.open()
    kept = AnswerCache(models.reads, lambda question: answer(question, models.reads))

    async def computed(name: str) -> tuple[bool, Mapping[str, Any]]:
        """Whether it was made anew, and the answer, which is at the newest position."""
        before, question = kept.counts["computed"], Question(name, COMPANIES[0], {}, ASKED)
        found = await kept.answer(question)
        assert said(found) == said(await answer(question, models.reads))
        return kept.counts["computed"] > before, found

    try:
        assert [(await computed(name))[0] for name in RESTING] == [True] * len(RESTING)
        assert (await computed("trading_totals"))[1]["currency"] != "JPY"
        for events, anew in SET:
            models.given(events)
            assert [(await computed(name))[0] for name in RESTING] == list(anew), events
        assert (await computed("trading_totals"))[1]["currency"] == "JPY"
    finally:
        await models.close()


RESTING = ("trading_totals", "survey_answers", "dashboards")
DASHBOARD = [configured(event.topic, 1, event) for event in EVENTS if event.topic == "dashboard.created"][:1]
SET: Any = [  # what is configured, and whether each of these is made anew
    ([configured("dashboard.archived", 2, DashboardArchived())], (False, False, True)),
    ([configured(e.topic, 1, e) for e in EVENTS if e.topic == "alert_rule.created"][:1], (False, False, True)),
    ([configured("company.currency_changed", 1, CurrencyChanged("JPY"))], (True, True, True)),
    ([configured("company.currency_changed", 2, CurrencyChanged("JPY"))], (False, False, True)),
    ([configured("company.profile_changed", 3, ProfileChanged(Profile()))], (False, False, True)),
]


QUESTIONS = st.builds(
    Question,
    st.sampled_from(["kpis", "kpi", "s"]),
    st.sampled_from(["acme", "acm", "e"]),
    st.dictionaries(st.sampled_from(["at", "by", "a", "t"]), st.text(max_size=3), max_size=3),
    st.sampled_from([ASKED, datetime(2026, 1, 1, 0, 1, tzinfo=UTC)]),
    st.sampled_from([None, Member(frozenset({"u1"})), Member(frozenset({"u1", "u2"})), Member(frozenset({"u1,u2"}))]),
)
STATES = st.lists(
    st.tuples(st.sampled_from(["trading", "tradin", "g"]), st.integers(1, 2), st.text("a:0=12,", max_size=4)),
    max_size=2,
).map(tuple)
UNTIL = st.sampled_from([ASKED + timedelta(microseconds=1), datetime(2026, 2, 1, tzinfo=UTC), FOREVER])
ASKERS = st.tuples(QUESTIONS, STATES, st.sampled_from(["", "code"]))


@given(first=ASKERS, second=ASKERS)
def test_keys_are_the_same_only_where_everything_is(first: Any, second: Any) -> None:
    """Company, query, parameters, member, state, code; the order of parameters does not count, nor the moment: answers
    say themselves for which ones they stand.
    """
    first, second = ((replace(question, asked_at=ASKED), *rest) for question, *rest in (first, second))
    assert (key_of(*first) == key_of(*second)) is (first == second)
    assert (key_of(*first).name == key_of(*second).name) is (first == second)
    question, *rest = first
    turned = dict(reversed(question.params.items()))
    assert key_of(Question(question.name, question.company, turned, question.asked_at, question.member), *rest) == (
        key_of(*first)
    )


@given(first=ASKERS, second=ASKERS, at=st.integers(0, 10_000), bit=st.integers(0, 7), until=UNTIL, cut=st.booleans())
def test_bytes_of_another_key_and_torn_ones_are_nothing(
    first: Any, second: Any, at: int, bit: int, until: datetime, *, cut: bool
) -> None:
    """Whatever one bit of them is, wherever they end."""
    key, other = key_of(*first), key_of(*second)
    told = LastingAnswer({"rows": [{"pnl": "1.5", "n": 3, "none": None}], "position": "a:0=1"}, ASKED, until)
    value = packed(key, told, 0.5)
    assert value is not None
    found = unpacked(key, value)
    assert found == (0.5, told)
    assert (found[1].asked_at, found[1].until) == (ASKED, until)
    if other != key:
        assert unpacked(other, value) is None
    torn = bytearray(value)
    torn[at % len(value)] ^= 1 << bit
    assert unpacked(key, bytes(value[: at % len(value)] if cut else torn)) is None


def test_what_would_not_come_back_as_it_was_is_not_put_anywhere() -> None:
    """A date would come back as text."""
    answer = LastingAnswer({"rows": [{"day": ASKED.date()}]}, ASKED, FOREVER)
    assert packed(Key(b"k", "n"), answer, 1.0) is None


def trade(company: str, number: int) -> Event:
    """A closed trade."""
    return closed_trade(company_id=company, user_id=f"u{number}", trade_id=f"t{number}", pnl=1, closed_at=NOON + number)


async def test_a_company_s_position_moves_with_its_own_events_alone(read_models_url: str) -> None:
    """As the store says it, with row security on; and where its rows were put in place of others."""
    models = ReadModels(read_models_url).given([trade("third", 0)])
    await models.reads.open()

    async def own() -> list[str]:
        return [(await models.reads.checkpoints(["trading"], name))["trading"].of_company for name in COMPANIES]

    try:
        seen = [await own()]
        for number, company in enumerate(("acme", "globex", "acme")):
            models.given([trade(company, number)])
            seen.append(await own())
        with psycopg.connect(read_models_url) as connection:
            record_replacement(connection, "acme")
        seen.append(await own())
        changed = [[x != y for x, y in zip(before, after, strict=True)] for before, after in pairwise(seen)]
        assert changed == [[True, False], [False, True], [True, False], [True, False]]
    finally:
        await models.close()
