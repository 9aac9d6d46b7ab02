"""Numbers and times as their reader writes them: by the locale of the browser, in the time zone of the company."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Context, Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError, dates, numbers

from domain.company_calendar import zone_of
from domain.configuration.company import Calendar
from read_api.charts.columns import DAY, FORMATS, MOMENT, MONEY, MONTH, WEEKDAY

ENGLISH = Locale("en")
NOTHING = "–"
WHOLE_FROM = 10_000  # money of a figure that has no cents any more
TABLE_LISTS = " → "
_WIDE = Context(prec=100)  # any number is rounded to its decimals alone


@lru_cache(1_000)
def locale_of(accept_language: str) -> Locale:
    """The first language that is known here, of those that a browser accepts."""
    for part in accept_language.split(",")[:10]:
        try:
            return Locale.parse(part.partition(";")[0].strip(), sep="-")
        except (ValueError, UnknownLocaleError):
            continue
    return ENGLISH


@dataclass(frozen=True, slots=True)
class Formats:
    """How one reader sees the figures of one company.

    `calendar`: the company's, in whose zone times are; `currency`: of amounts that name none, empty where none is
    known; `today`: the day of the request there; `rule`: in words, which zone, weeks and years these are.
    """

    locale: Locale
    calendar: Calendar
    currency: str
    today: date
    rule: str = "Times are UTC."

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of times and days."""
        return zone_of(self.calendar)

    @property
    def tag(self) -> str:
        """The locale as browsers name it."""
        return str(self.locale).replace("_", "-")

    def value(self, kind: str, value: Any) -> str:
        """A value of a column of that kind; what is undefined is a dash."""
        if value is None:
            return NOTHING
        if kind in FORMATS:
            return self._number(kind, Decimal(str(value)))
        if kind == DAY:
            return _day(value, self.locale)
        if kind == MOMENT:
            return self.moment(value)
        if kind == MONTH:
            return self.span(value)
        return self.weekdays[value] if kind == WEEKDAY else _text(value)

    def span(self, text: str) -> str:
        """A month such as 2026-01, or a day."""
        if len(text) > len("2026-01"):
            return self.value(DAY, text)
        return str(dates.format_skeleton("yMMM", date.fromisoformat(f"{text}-01"), locale=self.locale))

    @property
    def weekdays(self) -> Mapping[int, str]:
        """The days of the week from 0, Monday, on."""
        names = dates.get_day_names("abbreviated", "stand-alone", self.locale)
        return {day: str(names[day]) for day in range(7)}

    def figure(self, kind: str, value: Any) -> str:
        """A value that stands large: money without cents where these say nothing."""
        if kind == MONEY and value is not None and abs(Decimal(str(value))) >= WHOLE_FROM:
            return self._decimal(Decimal(str(value)), 0, 0)
        return self.value(kind, value)

    def moment(self, moment: str | datetime) -> str:
        """A moment in the company's zone, to the second."""
        return _moment(moment, self.zone, self.locale)

    def clock(self, moment: str | datetime) -> str:
        """The time of day alone where it is today's, else with the day."""
        known = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
        if known.astimezone(self.zone).date() == self.today:
            return _as_browsers(dates.format_time(known, "medium", tzinfo=self.zone, locale=self.locale))
        return self.moment(known)

    def whole(self, value: float) -> str:
        """A whole number."""
        return self._decimal(Decimal(round(value)), 0, 0)

    def for_charts(self) -> Mapping[str, Any]:
        """How charts write numbers, as Vega takes it."""
        symbols = self.locale.number_symbols.get("latn", {})
        return {
            "decimal": symbols.get("decimal", "."),
            "thousands": symbols.get("group", ","),
            "grouping": [3],
            "currency": ["", ""],
        }

    def times_for_charts(self) -> Mapping[str, Any]:
        """How charts name months and days, as Vega takes it."""

        def names(of: Callable[..., Mapping[Any, str]], width: str, places: Sequence[int]) -> list[str]:
            known = of(width, "stand-alone", self.locale)
            return [str(known[place]) for place in places]

        sunday_first, months = (6, 0, 1, 2, 3, 4, 5), range(1, 13)
        return {
            "dateTime": "%x, %X",
            "date": "%d.%m.%Y",
            "time": "%H:%M:%S",
            "periods": ["AM", "PM"],
            "days": names(dates.get_day_names, "wide", sunday_first),
            "shortDays": names(dates.get_day_names, "abbreviated", sunday_first),
            "months": names(dates.get_month_names, "wide", months),
            "shortMonths": names(dates.get_month_names, "abbreviated", months),
        }

    def _number(self, kind: str, value: Decimal) -> str:
        form = FORMATS[kind]
        if form.percent:
            return self._decimal(value * 100, form.least, form.most) + " %"
        return self._decimal(value, form.least, form.decimals(value)) + form.suffix

    def _decimal(self, value: Decimal, least: int, most: int) -> str:
        """As babel writes it, which takes ten times as long: it reads a pattern anew for each number."""
        if not value.is_finite():
            return str(value)
        whole, _, decimals = f"{abs(value).quantize(Decimal(1).scaleb(-most), context=_WIDE):,f}".partition(".")
        decimals = decimals[:least] + decimals[least:].rstrip("0")
        point, group = _signs(self.locale)
        whole = whole if group == "," else whole.replace(",", group)
        return ("-" if value.is_signed() else "") + whole + (point + decimals if decimals else "")


@lru_cache(1_000)
def _signs(locale: Locale) -> tuple[str, str]:
    """What stands before decimals, and between thousands."""
    return numbers.get_decimal_symbol(locale), numbers.get_group_symbol(locale)


@lru_cache(5_000)  # the same days and moments stand in many tables
def _day(day: str, locale: Locale) -> str:
    return str(dates.format_date(date.fromisoformat(day), "medium", locale=locale))


@lru_cache(5_000)
def _moment(moment: str | datetime, zone: ZoneInfo, locale: Locale) -> str:
    known = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return _as_browsers(dates.format_datetime(known, "medium", tzinfo=zone, locale=locale))


def utc(moment: str | datetime) -> str:
    """A moment for the title of an element: ISO 8601, UTC."""
    known = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return known.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _as_browsers(time: str) -> str:
    """A time as scripts write it too: browsers put a plain space before AM and PM, where Unicode has a narrow one."""
    return time.replace("\N{NARROW NO-BREAK SPACE}", " ")


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return TABLE_LISTS.join(map(_text, value))
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_text(each)}" for name, each in value.items())
    return str(value)
