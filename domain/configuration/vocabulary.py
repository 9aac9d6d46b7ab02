"""What commands name has to be there: queries and their parameters, metrics, dimensions, currencies, addresses.

A command is walked through part by part, so that a new command which has a tile, a channel or a currency in it is
checked without being mentioned here. What the write side does not know by itself it asks of a `Vocabulary`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import msgspec

from domain.alerting.watch import watch_of, windows_of
from domain.configuration.addresses import email_problem, url_problem
from domain.configuration.alert_terms import Trigger, WatchedMeasure, WatchedMetric
from domain.configuration.channels import ToEmail, ToSlack, ToWebhook
from domain.configuration.company import ChangeCurrency, ChangeProfile
from domain.configuration.dashboard import FILTERS, Tile
from domain.configuration.report_schedule import Report, Section
from domain.errors import Invalid, NotFound
from domain.metrics.catalogue import METRICS
from domain.name_list import name_list
from domain.suggestion import did_you_mean

METRIC = "metric"  # the query that answers for a metric of the catalogue
SOME_MIDNIGHT = datetime(2026, 1, 1, tzinfo=UTC)
KEY_FIGURES = "kpis"  # the query whose parameters say which period a report is about


class Vocabulary(Protocol):
    """What exists outside of the write side."""

    @property
    def currencies(self) -> Collection[str]:
        """Codes that money may be in."""
        ...

    def ask(self, company: str, query: str, params: Mapping[str, str], left_open: Collection[str] = ()) -> None:
        """Return where the query can be asked so, or could with what is left open.

        Raises NotFound for an unknown query, Invalid for its parameters.
        """
        ...

    def measures(self, query: str) -> Collection[str]:
        """Numbers that each row of the query has; none where its rows are no totals. Raises NotFound."""
        ...

    async def exists(self, company: str) -> bool:
        """Whether anything is known of a company. Raises Unavailable."""
        ...


def unknown_names(part: Any, company: str, words: Vocabulary, field: str = "") -> Iterator[str]:
    """A problem, `field: reason`, for each name in a command, or in a part of one, that nothing stands behind."""
    yield from (f"{_joined(field, inner)}: {reason}" for inner, reason in _own(part, company, words))
    if isinstance(part, msgspec.Struct):
        for name in part.__struct_fields__:
            yield from unknown_names(getattr(part, name), company, words, _joined(field, name))
    elif isinstance(part, tuple):
        for place, inner in enumerate(part):
            yield from unknown_names(inner, company, words, f"{field}[{place}]")


def _joined(field: str, name: str) -> str:
    return ".".join(filter(None, (field, name)))


def _own(part: Any, company: str, words: Vocabulary) -> Iterator[tuple[str, str]]:
    """Field and reason of what a part names itself."""
    match part:
        case Tile():
            yield from _question(words, company, part.query, part.params, FILTERS)
        case Section():
            yield from _question(words, company, part.query, part.params)
        case Trigger():
            yield from _periods(words, company, part)
        case WatchedMetric() | WatchedMeasure():
            yield from _watched(words, company, part)
        case Report() if part.params:
            yield from _question(words, company, KEY_FIGURES, part.params)
        case ToEmail() if reason := email_problem(part.to):
            yield "to", reason
        case ToWebhook() | ToSlack() if reason := url_problem(part.url):
            yield "url", reason
        case ChangeProfile() if part.contact_email and (reason := email_problem(part.contact_email)):
            yield "contact_email", reason
        case ChangeCurrency() if part.currency not in words.currencies:
            near = did_you_mean(part.currency, words.currencies)
            yield "currency", f"{part.currency!r} is no currency of ISO 4217 or of the settings{near}"


def _question(
    words: Vocabulary, company: str, query: str, params: Mapping[str, str], left_open: Collection[str] = ()
) -> Iterator[tuple[str, str]]:
    try:
        words.ask(company, query, params, left_open)
    except NotFound as error:
        yield "query", str(error)
    except Invalid as error:
        yield "params", str(error)


def _watched(words: Vocabulary, company: str, watched: WatchedMetric | WatchedMeasure) -> Iterator[tuple[str, str]]:
    if isinstance(watched, WatchedMetric):
        return _metric(words, company, watched)
    return _measure(words, company, watched)


def _metric(words: Vocabulary, company: str, watched: WatchedMetric) -> Iterator[tuple[str, str]]:
    entry = METRICS.get(watched.key)
    if entry is None:
        yield "key", f"no metric is called {watched.key!r}{did_you_mean(watched.key, METRICS)}"
    elif entry.told_by or entry.absent:
        yield "key", f"{watched.key!r} has no single value that could be watched"
    else:
        params = {**watched.params, "key": watched.key} | ({"by": name_list(watched.by)} if watched.by else {})
        yield from _question(words, company, METRIC, params)


def _periods(words: Vocabulary, company: str, trigger: Trigger) -> Iterator[tuple[str, str]]:
    """Rows are kept by the hour or the like, which no period may cut; told where what is watched exists at all."""
    if any(_watched(words, company, trigger.watched)):
        return
    watch = watch_of(company, trigger)
    for begin, until in sorted(windows_of(trigger)):
        ends = {"from": _at(begin), "to": _at(until)}
        for _, reason in _question(words, company, watch.query, {**watch.asks(), **ends}):
            yield "every" if until == 0 else "condition", reason
            return


def _at(ms: int) -> str:
    """A moment so long before the end of a period of any length."""
    return (SOME_MIDNIGHT + timedelta(milliseconds=ms)).isoformat().replace("+00:00", "Z")


def _measure(words: Vocabulary, company: str, watched: WatchedMeasure) -> Iterator[tuple[str, str]]:
    params = {**watched.params} | ({"by": name_list(watched.by)} if watched.by else {})
    problems = list(_question(words, company, watched.query, params))
    yield from problems
    if any(field == "query" for field, _ in problems):
        return
    measures = words.measures(watched.query)
    if not measures:
        yield "query", f"rows of {watched.query!r} are no totals, and only totals and metrics can be watched"
    elif watched.measure not in measures:
        near = did_you_mean(watched.measure, measures)
        yield "measure", f"{watched.query} has no measure {watched.measure!r}{near}"
