"""The law of settings: asked at its own position an answer is the same, whatever the company set since.

Every registered query is asked before anything was ever set, then of a company with a calendar and a currency, each
time as of the position of the answer after these were changed, and rates with them. A query that is declared enters by
itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from adapters.postgres.log.log import EmbeddedLog
from domain.configuration.company import Calendar, CalendarChanged, CurrencyChanged
from domain.configuration.kinds import Event as Change
from domain.configuration.registry import company_aggregate_id, write_body
from domain.events.catalogue import STREAMS
from domain.position import Position
from eventlog.publish.builders import config_event, exchange_rate, payment
from eventlog.publish.event import Event
from projections.engine.declare.registry import all_registered, read_beside
from projections.engine.past.history import History
from projections.engine.past.past_store import PastStore, answer_past
from projections.engine.query.ask import answer
from projections.engine.query.asked_at import LastingAnswer
from projections.engine.query.composed import projections_of
from projections.engine.query.request import Past, Question
from tests.laws.busy_company import busy_company
from tests.laws.test_asked_at import WITHOUT_PAST, params
from tests.projections.harness import COMPANY, PARTITIONS, ReadModels
from tests.support import signing

MOMENT = datetime(2025, 3, 25, 12, tzinfo=UTC)
KOLKATA = Calendar(time_zone="Asia/Kolkata", week_starts_on="sunday", fiscal_year_starts=4, trading_days="all")
SETTINGS = (KOLKATA, "EUR", 2.0), (Calendar(time_zone="America/New_York"), "USD", 4.0)
OF_NOW = ("as_of", "complete", "lag_ms")  # of whoever tells it: the past is always complete


class Company:
    """A company, its log and its read models."""

    def __init__(self, url: str) -> None:
        self.url, self.models, self.log, self.version = url, ReadModels(url), EmbeddedLog(url), 0

    async def begin(self) -> None:
        """Everything but settings."""
        await self.models.reads.open()
        await self.log.create_topics(dict.fromkeys(STREAMS, PARTITIONS))
        at = int(MOMENT.timestamp() * 1000)
        of: dict[str, Any] = {"company_id": COMPANY, "customer_id": "c9", "kind": "succeeded", "timestamp": at}
        several = [
            payment(invoice_id=f"i-{currency}", payment_id=f"p-{currency}", amount=9.0, currency=currency, **of)
            for currency in ("EUR", "USD")
        ]
        await self.happen([e for e in busy_company() if e.record.topic != "config-events"] + several)

    async def happen(self, events: Sequence[Event]) -> None:
        """To the log, and folded."""
        await self.log.append([event.record for event in events])
        self.models.given(events)

    async def set(self, calendar: Calendar, currency: str, rate: float) -> None:
        """Its calendar and currency; what rates were is reported again."""
        rates = [
            exchange_rate(company_id=COMPANY, base="EUR", quote="USD", rate=rate, source="ecb", at=e, timestamp=e)
            for e in (int(MOMENT.timestamp() * 1000), int(MOMENT.timestamp() * 1000) - 86_400_000)
        ]
        await self.happen([self._changed(CalendarChanged(calendar)), self._changed(CurrencyChanged(currency)), *rates])

    def _changed(self, change: Change) -> Event:
        self.version += 1
        return config_event(
            company_id=COMPANY,
            topic=change.topic,
            aggregate_id=str(company_aggregate_id(COMPANY)),
            aggregate_version=self.version,
            body=write_body(change).decode(),
            actor="ann",
            role="admin",
        )

    async def answers(self, names: Iterable[str]) -> Mapping[str, LastingAnswer]:
        """What queries say now."""
        return {name: await answer(_question(name), self.models.reads) for name in names}

    async def then(self, answers: Mapping[str, LastingAnswer]) -> Mapping[str, Mapping[str, Any]]:
        """What queries say as of the position of their answers."""
        told: dict[str, Mapping[str, Any]] = {}
        with closing(signing.scratch(self.url)) as scratch:
            history, stores = History(self.log, scratch, 10**6), dict[str, PastStore]()
            for name, found in answers.items():
                at = found["position"]
                if at not in stores:
                    stores[at] = PastStore(history, scratch, COMPANY, Past(Position.parse(at)))
                told[name] = await answer_past(_question(name), stores[at])
        return told


ALL = sorted(all_registered().keys() - WITHOUT_PAST)
FEW = ["acquisition_costs", "payment_totals", "trading_totals"]
APART = {name for name in ALL if getattr(all_registered()[name], "apart", False)}  # models, which take a minute


def _question(name: str) -> Question:
    return Question(name, COMPANY, params(name), MOMENT)


def _digests(answers: Mapping[str, Mapping[str, Any]], like: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Of all that answers say of the company, and of where they stand; by query."""
    return {
        name: hashlib.sha256(
            msgspec.json.encode({k: _timeless(v) for k, v in each.items() if k in like[name] and k not in OF_NOW})
        ).hexdigest()
        for name, each in answers.items()
    }


def _timeless(value: Any) -> Any:
    """Rows without what goes by who tells them."""
    if isinstance(value, list):
        return [{k: v for k, v in row.items() if k not in OF_NOW} for row in value]
    return value


@pytest.fixture
async def company(database_url: str) -> AsyncIterator[Company]:
    """With a busy past, which has never set anything."""
    company = Company(database_url)
    await company.begin()
    yield company
    await company.log.close()
    await company.models.close()


@pytest.mark.parametrize(
    "names",
    [
        FEW,
        pytest.param(sorted({*ALL} - APART), marks=pytest.mark.ci),  # each statement of a past fills its tables
        pytest.param(sorted(APART), marks=pytest.mark.check),
    ],
)
async def test_what_was_set_later_changes_no_answer_at_its_position(company: Company, names: Sequence[str]) -> None:
    """Hash for hash; and it does change those of now, so that there is something to be shown."""
    before = await company.answers(names)
    for settings in SETTINGS:
        await company.set(*settings)
        now = await company.answers(names)
        assert _digests(await company.then(before), before) == _digests(before, before)
        other = [name for name in names if _digests({name: now[name]}, now) != _digests({name: before[name]}, now)]
        assert len(other) > len(names) / 2, other
        before = now
    assert any(found.get("rates") for found in before.values())
    for name, found in before.items():
        own = projections_of(_question(name))
        assert found.beside <= own | read_beside(own), name
