"""Exchange rates: by pair, source and day, the last one of a day; a code that is none goes to quarantine."""

from __future__ import annotations

from typing import Any

import pytest
from analytics.business_events_pb2 import ExchangeRate

from domain.events.catalogue import BY_NAME
from domain.events.problems import Code
from domain.events.validation import check_payload
from eventlog.publish.builders import exchange_rate, exchange_rate_batch
from eventlog.publish.event import Event
from tests.projections.harness import ReadModels
from tests.projections.test_user_activity import moment, ms


def rate(at: str, quote: str, value: float, *, company: str = "acme", base: str = "EUR", source: str = "ecb") -> Event:
    when = ms(moment(at))
    return exchange_rate(company_id=company, base=base, quote=quote, rate=value, at=when, source=source, timestamp=when)


async def test_the_last_rate_of_a_day_stands(models: ReadModels) -> None:
    """Whatever order they come in; of every source and tenant its own."""
    models.given(
        [
            rate("2025-10-01T16:00:00", "USD", 1.17),
            rate("2025-10-01T14:00:00", "USD", 1.16),
            rate("2025-10-01T15:00:00", "USD", 1.2, source="desk"),
            rate("2025-10-02T14:00:00", "USDT", 1.18),
            rate("2025-10-01T14:00:00", "USD", 9, company="globex"),
        ],
        batches_of=(1, 2),
    )
    assert [
        (r["quote"], r["source"], r["day"], r["rate"]) for r in await models.rows("exchange_rates", base="EUR")
    ] == [
        ("USD", "desk", "2025-10-01", "1.2"),
        ("USD", "ecb", "2025-10-01", "1.17"),
        ("USDT", "ecb", "2025-10-02", "1.18"),
    ]


async def test_a_day_of_rates_is_one_event(models: ReadModels) -> None:
    """The form in which a central bank's list goes in; `at` that is absent is the event's time."""
    items = [
        ExchangeRate(base="EUR", quote=quote, rate=value, source="ecb") for quote, value in (("USD", 1.1), ("CHF", 0.9))
    ]
    when = ms(moment("2025-10-03T14:00:00"))
    models.given([exchange_rate_batch(company_id="acme", items=items, timestamp=when)])
    rates = await models.rows("exchange_rates", from_="2025-10-03", to="2025-10-04")
    assert [(r["quote"], r["at"]) for r in rates] == [("CHF", "2025-10-03T14:00:00Z"), ("USD", "2025-10-03T14:00:00Z")]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"base": "eur"}, Code.BAD_CHOICE),
        ({"quote": "US"}, Code.BAD_CHOICE),
        ({"quote": "USD\n"}, Code.BAD_CHOICE),
        ({"base": "X" * 11}, Code.BAD_CHOICE),
        ({"rate": 0.0}, Code.OUT_OF_RANGE),
        ({"rate": None}, Code.MISSING_FIELD),
    ],
)
def test_what_is_no_rate(wrong: dict[str, Any], code: Code) -> None:
    """Codes and the rate are checked where the event comes in."""
    given: dict[str, Any] = {"base": "EUR", "quote": "USD", "rate": 1.1} | wrong
    problem = check_payload(BY_NAME["exchange_rate"], ExchangeRate(**given))
    assert problem is not None
    assert problem.code is code
