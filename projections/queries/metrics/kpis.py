"""Metrics by their keys: `metric` answers with one of the catalogue, `kpis` with all of a company for a period.

Values are computed from the sums of other projections (`metric_sources.py`) by the formulas of the catalogue
(`domain/metrics/formulas.py`), which are loaded when they are first needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, get_args

from domain.company_calendar import Period, begin_of, day_at, first_day, next_first_day
from domain.configuration.company import Calendar
from domain.errors import Forbidden, Invalid
from domain.metrics.catalogue import METRICS, metric
from domain.metrics.metric import Metric, Section
from domain.metrics.value import Reason
from domain.suggestion import LONGEST, did_you_mean
from projections.engine.query.answer_row import Rows, sort_key
from projections.engine.query.composed import Composed, Part, Select
from projections.engine.query.extent import TIER
from projections.engine.query.formatting import show_time
from projections.engine.query.params import FROM, TO, Param, read_choice, read_names, read_time
from projections.engine.query.rates_used import LIST_RATES, RATES, rates_of
from projections.engine.query.request import Request
from projections.queries.metrics.assumptions import ASSUMPTIONS, POLICY, SINCE, assumptions_of
from projections.queries.metrics.comparison import ComparedValue, PeriodValue, comparison, period_value
from projections.queries.metrics.metric_scope import MetricScope, Sums
from projections.queries.metrics.metric_value import DIMENSIONS, Figure, MetricValue, metric_value
from projections.queries.metrics.periods import Span
from projections.queries.metrics.sources import SOURCES
from projections.queries.metrics.sums import figure_of, sums_of
from projections.queries.trading import record

if TYPE_CHECKING:
    from domain.metrics.formulas import MetricInputs
    from domain.metrics.trading.record import TradingRecord

CONVENTIONS = ("canonical", "quantstats", "tradingview", "freqtrade", "backtesting", "platform")


def _asked_parts(reads: Iterable[str], scope: MetricScope, prefix: str = "") -> dict[str, Part | Select]:
    scope = replace(scope, reads=frozenset(reads))
    return {prefix + name: source.ask(scope) for name, source in SOURCES.items() if name in scope.reads}


def _groups(
    reads: Iterable[str], scope: MetricScope, answers: Mapping[str, Rows]
) -> dict[tuple[Any, ...], dict[str, Sums]]:
    """The sums of each source by the values of the dimensions; without dimensions one group, which is always there."""
    rows: dict[tuple[Any, ...], dict[str, Rows]] = {} if scope.by else {(): {}}
    for source in set(reads):
        for row in answers[source]:
            rows.setdefault(tuple(row[name] for name in scope.by), {}).setdefault(source, []).append(row)
    return {
        group: {source: sums_of(source, some, scope) for source, some in of.items()}
        for group, of in sorted(rows.items(), key=lambda each: sort_key(each[0]))
    }


# ---- one metric


def _entry(request: Request) -> Metric:
    return metric(request.get("key"))


def _by_records(entry: Metric, request: Request) -> bool:
    """Whether each trade is looked at: for metrics of the ledger, by tags, and in another tool's formula."""
    if "trades" in entry.reads:
        return True
    tagged = "tag" in request.get("by", ()) or request.get("tag") is not None
    return entry.section is Section.TRADING and (tagged or _convention(request) != "canonical")


def _convention(request: Request) -> str:
    return str(request.get("convention", "canonical"))


def _record_scope(entry: Metric, request: Request, scope: MetricScope) -> record.Scope:
    return record.Scope(
        scope.company,
        *scope.span.ends,
        scope.asked_at,
        scope.only,
        scope.by,
        request.calendar,
        request.get("basis", record.BASES[0]),
        # a form of another tool may read the series for what is of trades here
        series="account_days" in entry.reads or _convention(request) != "canonical",
        rates=scope.rates,
    )


def _scope(entry: Metric, request: Request) -> MetricScope:
    by, only = request.get("by", ()), {n: request.get(n) for n in DIMENSIONS if request.get(n) is not None}
    if wrong := [name for name in (*by, *only) if name not in entry.dimensions]:
        allowed, near = ", ".join(entry.dimensions) or "nothing", did_you_mean(wrong[0], entry.dimensions)
        raise Invalid(
            f"{entry.key} cannot be split or chosen by {wrong[0][:LONGEST]!r}{near}; it can by {allowed}",
            code="bad_parameter",
        )
    if _convention(request) != "canonical" and entry.section is not Section.TRADING:
        raise Invalid(f"{entry.key} has no convention but canonical", code="bad_parameter")
    start = request.get("from")
    since = request.get(SINCE.name)
    if since is not None:
        if start is None:
            request.extent.limits.add(TIER)
        start = _seen(start or since, since)
    span = Span(start, request.get("to"), request.calendar)
    request.extent.reaches(*span.ends)
    policy, rates = request.get("policy", ""), rates_of(request)
    return MetricScope(request.company, span, request.asked_at, by, only, policy, rates=rates)


def _seen(start: datetime, since: datetime) -> datetime:
    if start < since:
        raise Forbidden(
            f"the tier sees what came on or after {since.date()}",
            code="forbidden_tier",
            suggested_actions=(f"Ask from {since.date()} on, or with a token of a higher tier.",),
        )
    return start


def _metric_parts(request: Request) -> Mapping[str, Part | Select]:
    entry = _entry(request)
    if entry.told_by:
        raise Invalid(
            f"{entry.key} is a table and has no single value",
            code="table_metric",
            suggested_actions=(f"Ask the query {entry.told_by}.",),
        )
    scope = _scope(entry, request)
    if _by_records(entry, request):
        return {"record": record.select_record(_record_scope(entry, request, scope))}
    return _asked_parts(entry.reads, scope)


def _metric_rows(request: Request, answers: Mapping[str, Rows]) -> list[MetricValue]:
    entry, scope = _entry(request), _scope(_entry(request), request)
    if entry.absent:
        return [metric_value(entry, Figure(Reason.NOT_REPORTED))]
    form = _of_records if _by_records(entry, request) else _of_sums
    return list(form(entry, request, scope, answers))


def _of_sums(entry: Metric, request: Request, scope: MetricScope, answers: Mapping[str, Rows]) -> Iterator[MetricValue]:
    """The value of each group out of its sums."""
    for cuts, inputs in inputs_of(request, answers):
        yield metric_value(entry, figure_of(entry, inputs), **cuts)


def inputs_of(request: Request, answers: Mapping[str, Rows]) -> Iterator[tuple[dict[str, Any], MetricInputs]]:
    """Of each group of what `metric` asks its dimensions, and what its formula reads."""
    from domain.metrics.formulas import MetricInputs

    entry = _entry(request)
    scope = _scope(entry, request)
    for group, sums in _groups(entry.reads, scope, answers).items():
        cuts = _cuts(scope, group)
        yield cuts, MetricInputs(sums, partial(scope.seconds, cuts), assumptions_of(request), scope.months)


def records_of(
    request: Request, answers: Mapping[str, Rows]
) -> Iterable[tuple[dict[str, Any], TradingRecord | Reason]] | None:
    """Of each group its dimensions and its trading record; None where the metric is of sums."""
    entry = _entry(request)
    if not _by_records(entry, request):
        return None
    scope = _scope(entry, request)
    records = record.read_records(_record_scope(entry, request, scope), answers["record"])
    return ((_cuts(scope, group), each) for group, each in records)


def _of_records(
    entry: Metric, request: Request, _scope: MetricScope, answers: Mapping[str, Rows]
) -> Iterator[MetricValue]:
    """The value of each group out of its trading record."""
    from domain.metrics.trading.catalogue import STATISTICS, Convention, reported

    if entry.key not in STATISTICS:
        raise Invalid(f"{entry.key} has no convention but canonical", code="bad_parameter")
    for cuts, each in records_of(request, answers) or ():
        if isinstance(each, Reason):
            yield metric_value(entry, Figure(each), **cuts)
            continue
        figure = reported(entry.key, each, Convention(_convention(request)))
        also = {**record.rests_on(entry.key, each), **cuts}
        yield metric_value(entry, Figure(figure.value, each.currency), figure.unit, figure.convention, **also)


def _cuts(scope: MetricScope, group: Iterable[object]) -> dict[str, Any]:
    return {name: _shown(value) for name, value in zip(scope.by, group, strict=True)}


def _shown(value: object) -> object:
    if isinstance(value, datetime):
        return show_time(value)
    return value if isinstance(value, int) else str(value)


metric_query = Composed(
    "metric",
    "One metric of the catalogue by its key: its value, or null with the reason, split by dimensions of its entry.",
    (
        Param("key", "which metric (`analytics metrics` lists them)", required=True),
        Param("by", "dimensions, comma-separated, of the metric's entry; empty: one row", read_names),
        FROM,
        TO,
        *(
            Param(name, f"only what has this {name}, where the metric's entry has that dimension")
            for name in DIMENSIONS
        ),
        POLICY,
        RATES,
        LIST_RATES,
        Param("convention", f"whose formula, of trading metrics: {', '.join(CONVENTIONS)}", read_choice(*CONVENTIONS)),
        *record.SERIES,
        *ASSUMPTIONS,
        SINCE,
    ),
    _metric_parts,
    _metric_rows,
    MetricValue,
    slow=record.many,
    stamped=True,
    any_zone=True,
)

# ---- all of a company

PERIODS: tuple[str, ...] = get_args(Period)
WHOLE_MONTHS = ("month", "quarter", "year")


def period_at(at: datetime, period: Period, by: Calendar) -> Span:
    """The calendar period in which a moment lies."""
    return period_of(day_at(at, by), period, by)


def period_of(day: date, period: Period, by: Calendar) -> Span:
    """The calendar period in which a day lies."""
    first = first_day(day, period, by)
    return Span(begin_of(first, by), begin_of(next_first_day(first, period, by), by), by)


def span_of(request: Request) -> Span:
    """The period of `from` and `to`, or the calendar one around `at`. Raises Invalid where it is both, or none."""
    if request.get("from") is not None or request.get("to") is not None:
        if request.get("from") is None or request.get("to") is None or request.get("at") or request.get("period"):
            raise Invalid("give from and to, or at and period", code="bad_parameter")
        if request.get("from") >= request.get("to"):
            raise Invalid("the period ends before it begins", code="bad_parameter")
        return Span(request.get("from"), request.get("to"), request.calendar)
    period = request.get("period", "month")
    if request.get("at") is not None:
        return period_at(request.get("at"), period, request.calendar)
    today = request.asked_at.month if period in WHOLE_MONTHS else request.asked_at.day
    return period_of(today, period, request.calendar)


def _read_keys(text: str) -> tuple[str, ...]:
    """Keys of key figures, comma-separated. Raises ValueError for one that is none."""
    keys = read_names(text)
    if wrong := [key for key in keys if key not in METRICS or not METRICS[key].kpi]:
        raise ValueError(f"{wrong[0][:LONGEST]!r} is no key figure{did_you_mean(wrong[0], METRICS)}")
    return keys


def _kpis(request: Request) -> list[Metric]:
    section, entries = request.get("section"), [entry for entry in METRICS.values() if entry.kpi]
    named = [METRICS[key] for key in request.get("keys", ())] or entries
    return [entry for entry in named if section is None or entry.section == section]


def _of_company(request: Request) -> MetricScope:
    span, since = span_of(request), request.get(SINCE.name)
    request.extent.reaches(*span.ends)
    if since is not None and span.start is not None:
        _seen(span.start, since)
    policy, rates = request.get("policy", ""), rates_of(request)
    return MetricScope(request.company, span, request.asked_at, policy=policy, rates=rates)


def _before(request: Request, scope: MetricScope) -> MetricScope:
    """What it is compared with: the period named, or else the one before."""
    begin, end = request.get("compare_from"), request.get("compare_to")
    if begin is None and end is None:
        return scope.before()
    if begin is None or end is None or begin >= end:
        raise Invalid("give both ends of the period that is compared with, in order", code="bad_parameter")
    return replace(scope, span=Span(begin, end, request.calendar))


def _sees_before(request: Request, scope: MetricScope) -> bool:
    start, since = _before(request, scope).span.start, request.get(SINCE.name)
    return since is None or (start is not None and start >= since)


def _all_parts(request: Request) -> Mapping[str, Part | Select]:
    scope = _of_company(request)
    reads = {source for entry in _kpis(request) for source in entry.reads}
    parts = _asked_parts(reads, scope)
    return parts | (_asked_parts(reads, _before(request, scope), "before ") if _sees_before(request, scope) else {})


def _all_rows(request: Request, answers: Mapping[str, Rows]) -> list[ComparedValue]:
    scope, entries = _of_company(request), _kpis(request)
    now = _values(request, entries, scope, answers)
    before: Mapping[str, Figure] = {}
    if _sees_before(request, scope):
        earlier = {name.removeprefix("before "): rows for name, rows in answers.items() if name.startswith("before ")}
        before = _values(request, entries, _before(request, scope), earlier)
    unfinished = scope.span.end is not None and request.asked_at.is_before(scope.span.end)
    begin, end = map(show_time, scope.span.bounds)
    return [
        ComparedValue(
            key=entry.key,
            value=newest.value,
            unit=newest.unit,
            convention=newest.convention,
            definition_version=entry.version,
            reason=newest.reason,
            detail=newest.detail,
            currency=newest.currency,
            **comparison(entry, period_value(newest), _before_of(entry, before)),
            begin=begin,
            end=end,
            unfinished=unfinished,
        )
        for entry in entries
        for newest in [metric_value(entry, now[entry.key])]
    ]


def _values(
    request: Request, entries: Iterable[Metric], scope: MetricScope, answers: Mapping[str, Rows]
) -> dict[str, Figure]:
    """The value of every entry in one period."""
    from domain.metrics.formulas import MetricInputs

    reads = {source for entry in entries for source in entry.reads}
    (sums,) = _groups(reads, scope, answers).values()
    inputs = MetricInputs(sums, partial(scope.seconds, {}), assumptions_of(request), scope.months)
    return {e.key: Figure(Reason.NOT_REPORTED) if e.absent else figure_of(e, inputs) for e in entries}


def _before_of(entry: Metric, before: Mapping[str, Figure]) -> PeriodValue | None:
    return period_value(metric_value(entry, before[entry.key])) if entry.key in before else None


kpis = Composed(
    "kpis",
    "Every key figure of a company for a period, beside that of the period before: value, change, reasons of nulls.",
    (
        FROM,
        TO,
        Param("at", "a moment in the period; now without it", read_time),
        Param("period", f"calendar period around it: {', '.join(PERIODS)}; month without it", read_choice(*PERIODS)),
        Param("section", f"only this section: {', '.join(Section)}", read_choice(*Section)),
        Param("keys", "only these key figures, comma-separated, in this order", _read_keys),
        Param("compare_from", "first moment of the period compared with; the period before without it", read_time),
        Param("compare_to", "its end (exclusive)", read_time),
        POLICY,
        RATES,
        LIST_RATES,
        *ASSUMPTIONS,
        SINCE,
    ),
    _all_parts,
    _all_rows,
    ComparedValue,
    kept=True,
    any_zone=True,
)
