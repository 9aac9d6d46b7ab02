"""What a company has set for all of its answers: the calendar that cuts them, and the currency of its totals."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import msgspec

from domain.company_calendar import UTC_CALENDAR
from domain.configuration.company import Calendar
from domain.errors import NO_TABLES, Unavailable
from domain.ports import ReadStore

CONFIGURATION = "configuration"
SETTINGS = """
SELECT calendar, currency, currency_set FROM {configured_company} WHERE company_id = %s ORDER BY aggregate_id LIMIT 1
"""


class CompanySettings(NamedTuple):
    """The calendar, UTC where none is set; the currency of totals, None where none is set."""

    calendar: Calendar = UTC_CALENDAR
    currency: str | None = None


async def settings_of(company: str, store: ReadStore) -> CompanySettings:
    """What the company has set; nothing, where nobody projects settings. Raises what the store raises."""
    try:
        answer = await store.ask(company, CONFIGURATION, SETTINGS, (company,))
    except Unavailable as error:
        if error.code != NO_TABLES:
            raise
        return CompanySettings()
    return _read(*answer.rows[0]) if answer.rows else CompanySettings()


@lru_cache(1_000)
def _read(calendar: str, currency: str, currency_set: bool) -> CompanySettings:
    return CompanySettings(msgspec.json.decode(calendar, type=Calendar), currency if currency_set else None)
