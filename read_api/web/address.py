"""The address of a page is its state: company, period, comparison, filters, as of when, which panel is open."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

from domain.company_calendar import UTC_CALENDAR, Period, day_at, first_day
from domain.configuration.company import Calendar
from domain.configuration.dashboard import FILTERS
from domain.errors import Invalid
from projections.engine.query.params import read_time
from read_api.dashboards.documents import PERIOD, PERSON
from read_api.web.formats import utc

PERIODS: Mapping[str, str] = MappingProxyType(
    {
        "": "As each tile has it",
        "7d": "Last 7 days",
        "30d": "Last 30 days",
        "90d": "Last 90 days",
        "month": "This month",
        "year": "This year",
        "12m": "Last 12 months",
        "5y": "Last 5 years",
        "days": "From … to …",
    }
)
COMPARISONS: Mapping[str, str] = MappingProxyType(
    {"previous": "Period before", "year": "A year before", "none": "Nothing"}
)
OWN_DAYS = "days"
SPANS = ("month", "day")  # columns that name a period: a month such as 2026-01, or a day of it
YEARS_AND_MONTHS: Mapping[str, Period] = MappingProxyType({"month": "month", "year": "year"})
_SPAN = re.compile(r"\d{4}-\d\d(-\d\d)?")
_LENGTHS = MappingProxyType({"7d": 7, "30d": 30, "90d": 90, "12m": 365, "5y": 1_826})
MARKET = ("market", "interval", "indicator")  # whose price, in which bars, with which indicator
_PAGE = ("company", "period", "compare", "as_of", "panel", *PERIOD, *MARKET)


@dataclass(frozen=True, slots=True)
class Address:
    """What an address asks for. `begin` and `end` (exclusive) are days, given where the period is `days`.

    `own`: parameters that one page alone has, each with its values.
    """

    path: str
    company: str
    period: str = ""
    compare: str = "previous"
    as_of: str = ""
    panel: str = ""
    begin: str = ""
    end: str = ""
    filters: Mapping[str, str] = field(default_factory=dict)
    own: Mapping[str, Sequence[str]] = field(default_factory=dict)
    market: Mapping[str, str] = field(default_factory=dict)

    def to(self, **changes: Any) -> str:
        """The address with other texts in some of its members; what is as usual is left out."""
        return replace(self, **changes).text()

    def text(self) -> str:
        """As it stands in the browser."""
        return f"{self.path}?{urlencode(self.members())}"

    def members(self) -> list[tuple[str, str]]:
        """Its parameters, but for those that are as usual."""
        usual = {"compare": "previous"}
        members = {"company": self.company, "period": self.period, "compare": self.compare, "as_of": self.as_of}
        members |= {PERIOD[0]: self.begin, PERIOD[1]: self.end, **self.filters, **self.market, "panel": self.panel}
        own = [(name, value) for name, values in self.own.items() for value in values]
        return [(name, text) for name, text in [*members.items(), *own] if text and text != usual.get(name)]

    def narrowed(self, name: str, value: str) -> str:
        """The same page of what a table's cell or a chart's mark names alone; empty where it is that already."""
        alike = self.period if name in SPANS else self.filters.get(name)
        if not value or value == alike:
            return ""
        if name in SPANS:
            return self.to(period=value, begin="", end="", panel="")
        return self.to(filters={**self.filters, name: value}, panel="")

    def person(self, user: str) -> str:
        """The dashboard of one user, who pays as the customer of the same id if at all, of the same time."""
        both = {"user_id": user, "customer_id": user}
        return self.to(path=f"/dashboards/{PERSON}", filters=both, own={}, market={}, panel="")

    def days_back(self, today: date, calendar: Calendar) -> int:
        """How many days before today its moment is, as a number that is not above 0: the slider's."""
        return (day_at(datetime.fromisoformat(self.as_of), calendar) - today).days - 1 if self.as_of else 0

    def params(self, today: date, calendar: Calendar = UTC_CALENDAR) -> dict[str, str]:
        """The parameters of the dashboard: from and to where a period is chosen, and the filters.

        `today`: by that calendar, which says when years begin.
        """
        begin, end = self.begin, self.end
        if self.period in _LENGTHS:
            begin, end = (today - timedelta(days=_LENGTHS[self.period] - 1)).isoformat(), _after(today)
        elif self.period in YEARS_AND_MONTHS:
            begin, end = first_day(today, YEARS_AND_MONTHS[self.period], calendar).isoformat(), _after(today)
        elif _SPAN.fullmatch(self.period):
            begin, end = _span(self.period)
        return {**({"from": begin, "to": end} if begin and end else {}), **self.filters}


def read_address(path: str, params: Mapping[str, str], company: str, zone: tzinfo = UTC) -> Address:
    """What a page's parameters ask for; `company` where they name none. Raises Invalid for what a page has not.

    `zone`: of a moment that names none.
    """
    if unknown := sorted(set(params) - {*_PAGE, *FILTERS}):
        raise Invalid(f"a page has no parameter {unknown[0]!r}", code="unknown_parameter")
    period = params.get("period", OWN_DAYS if params.get("from") else "")
    compare = params.get("compare") or "previous"
    if (period not in PERIODS and not _is_span(period)) or compare not in COMPARISONS:
        raise Invalid(
            f"period is one of {', '.join(PERIODS)}, a month or a day, compare of {', '.join(COMPARISONS)}",
            code="bad_parameter",
        )
    begin, end = (_day(params.get(name, "")) if period == OWN_DAYS else "" for name in PERIOD)
    if period == OWN_DAYS and not begin < end:
        raise Invalid("a period of days has a first day, and ends later", code="bad_parameter")
    filters = {name: value for name, value in params.items() if name in FILTERS and value}
    as_of, panel = read_moment(params.get("as_of", ""), zone), params.get("panel", "")
    market = {name: params[name] for name in MARKET if params.get(name)}
    return Address(
        path, params.get("company") or company, period, compare, as_of, panel, begin, end, filters, market=market
    )


def _is_span(text: str) -> bool:
    try:
        return bool(_SPAN.fullmatch(text) and _span(text))
    except (ValueError, OverflowError):
        return False


def _span(text: str) -> tuple[str, str]:
    """The first day of a month or day, and the first one after it."""
    first = date.fromisoformat(text if len(text) > len("2026-01") else f"{text}-01")
    return first.isoformat(), _after(first) if first.isoformat() == text else _after_month(first)


def _after_month(first: date) -> str:
    return (first + timedelta(days=31)).replace(day=1).isoformat()


def _after(day: date) -> str:
    return (day + timedelta(days=1)).isoformat()


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise Invalid(f"{text!r} is no day, as 2026-01-31 is", code="bad_parameter") from None


def with_zone(text: str, zone: tzinfo) -> str:
    """A moment as it was typed, or a day for its beginning: what a form leaves out is this zone, and UTC is answered.

    What is neither is left as it was: whoever reads it says what is wrong.
    """
    try:
        known = datetime.fromisoformat(text)
        return utc(known if known.tzinfo else known.replace(tzinfo=zone))
    except (ValueError, OverflowError):
        return text


def read_moment(text: str, zone: tzinfo = UTC) -> str:
    """A moment of the past as queries take it: UTC, of this zone where it names none; or empty. Raises Invalid."""
    if not text:
        return ""
    try:
        return utc(read_time(with_zone(text, zone)))
    except ValueError as error:
        raise Invalid(f"as of: {error}", code="bad_parameter") from None


def field_time(text: str, zone: tzinfo) -> str:
    """A moment as a browser's field takes it: of this zone, to the second; empty stays empty. Raises Invalid."""
    return datetime.fromisoformat(read_moment(text, zone)).astimezone(zone).isoformat()[:19] if text else ""
