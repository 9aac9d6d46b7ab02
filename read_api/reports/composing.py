"""A document out of answers: what each section shows is put into a sentence, and what differs from one try to the next
(how far behind, when it was folded) is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import msgspec

from domain.company_calendar import day_at
from domain.configuration.company import Calendar
from domain.errors import AnalyticsError
from domain.reports.document import Document, Owner, Section
from domain.reports.report import ReportRequest, ReportSection
from domain.reports.standard import STANDARD
from projections.engine.query.ask import answerable
from projections.engine.query.composed import Composed
from projections.engine.query.formatting import show_time
from read_api.charts.columns import MONEY, NUMBERS, kind_of, label
from read_api.charts.shapes import currency_of, shape_of
from read_api.reports.sections import TABLE
from read_api.web.formats import Formats, locale_of

Answer = Mapping[str, Any]
# Beside rows: what says when somebody asked, and how far the service was then; and what the document says once.
_OF_THE_MOMENT = frozenset(
    {"query", "definition_version", "rows", "position", "as_of", "complete", "lag_ms", "as_known_at"}
    | {"as_of_event_time", "asked_at", "scanned", "calendar", "cursor", "next_cursor"}
)
DIGITS = 12  # of a number: the last ones of a double depend on the order in which it was added up
DIGITS_OF_MODELS = 6  # what is fitted ends a little differently on another processor
KPIS = frozenset({"kpis", "key_figure", "metric", "trading_metrics"})  # rows of different units
NO_ROWS = "There is nothing to show for this period."


def document_of(
    request: ReportRequest,
    sections: Sequence[ReportSection],
    answers: Sequence[Answer | AnalyticsError],
    profile: Answer,
    company: str,
    asked_at: datetime,
    position: str,
    *,
    can_pivot: bool,
) -> Document:
    """The document of a request, its sections as they were answered at the position; `profile`: that of the company."""
    (row,) = profile["rows"]
    standard, calendar = STANDARD.get(request.kind), row["calendar"]
    currency = _currency(row, answers)
    formats = formats_of(request.locale, calendar, currency, asked_at)
    return Document(
        kind=request.kind,
        title=request.title or (standard.title if standard else "Report"),
        description=standard.description if standard else "",
        locale=formats.tag,
        owner=_owner(company, row),
        currency=currency,
        calendar=dict(calendar),
        asked_at=show_time(asked_at),
        position=position,
        params=dict(sorted(request.params.items())),
        can_pivot=can_pivot,
        sections=[section_of(each, answer, formats) for each, answer in zip(sections, answers, strict=True)],
    )


def formats_of(locale: str, calendar: Mapping[str, Any], currency: str, asked_at: datetime) -> Formats:
    """How the readers of a document see its figures."""
    cut = msgspec.convert(calendar, Calendar)
    return Formats(locale_of(locale), cut, currency, day_at(asked_at, cut))


def formats_for(document: Document) -> Formats:
    """How the readers of this document see its figures."""
    asked_at = datetime.fromisoformat(document.asked_at).astimezone(UTC)
    return formats_of(document.locale, document.calendar, document.currency, asked_at)


def cover_of(document: Document, formats: Formats) -> list[tuple[str, str]]:
    """What a reader has to know first, name by name."""
    return [
        ("As of", f"{formats.moment(document.asked_at)} ({document.calendar['time_zone']})"),
        *((name.replace("_", " ").capitalize(), value) for name, value in document.params.items()),
        ("Currency", document.currency),
    ]


def proof_of(document: Document) -> list[tuple[str, str]]:
    """What the figures stand for, and what they were made with, name by name."""
    calendar = document.calendar
    weeks = f"weeks from {calendar['week_starts_on']}, years from month {calendar['fiscal_year_starts']}"
    return [
        ("Position", document.position.replace(";", "; ")),
        ("Moment", document.asked_at),
        ("Kind", document.kind),
        ("Parameters", ", ".join(f"{name} = {value}" for name, value in document.params.items()) or "none"),
        ("Calendar", f"{calendar['time_zone']}, {weeks}, trading on {calendar['trading_days']}"),
        ("Rates of exchange", _rates([each.said["rates"] for each in document.sections if each.said.get("rates")])),
        ("Language", document.locale),
    ]


def _rates(found: Sequence[Mapping[str, Any]]) -> str:
    used = [each for each in found if each.get("number")]
    if not used:
        return "none were needed"
    policies = sorted({each["policy"] for each in used})
    sources = sorted({source for each in used for source in each["sources"]})
    return f"up to {max(each['number'] for each in used)}, {', '.join(policies)}, of {', '.join(sources)}"


def _owner(company: str, row: Mapping[str, Any]) -> Owner:
    branding = row["branding"]
    return Owner(
        company_id=company,
        name=row["profile"]["name"] or company,
        logo=branding["logo"],
        primary_color=branding["primary_color"],
        accent_color=branding["accent_color"],
        footer=branding["report_footer"],
    )


def _currency(row: Mapping[str, Any], answers: Iterable[Answer | AnalyticsError]) -> str:
    """That of the company's totals; where it has set none, the one that all answers with amounts are of."""
    named = {each["currency"] for each in answers if isinstance(each, Mapping) and each.get("currency")}
    return str(row["currency"] if row["currency_set"] or len(named) != 1 else named.pop())


def section_of(section: ReportSection, answer: Answer | AnalyticsError, formats: Formats) -> Section:
    """A section with its answer, or with what kept it from one."""
    query = answerable(section.query)
    title, chart = section.title or query.summary.rstrip("."), section.chart or TABLE
    shared: dict[str, Any] = {
        "title": title,
        "query": section.query,
        "params": dict(sorted(section.params.items())),
        "chart": chart,
    }
    if isinstance(answer, AnalyticsError):
        problem = " ".join((str(answer) + ".", *answer.suggested_actions))
        return Section(**shared, sentence="", definition_version=0, rows=[], problem=problem)
    digits = DIGITS_OF_MODELS if isinstance(query, Composed) and query.apart else DIGITS
    rows = [_rounded(row, digits) for row in answer["rows"]]
    said = {name: _rounded(value, digits) for name, value in answer.items() if name not in _OF_THE_MOMENT and value}
    sentence = sentence_of(query.summary, section.query, said, rows, formats)
    version = answer["definition_version"]
    return Section(**shared, sentence=sentence, definition_version=version, rows=rows, said=said)


def _rounded(value: Any, digits: int) -> Any:
    if isinstance(value, float):
        return float(f"{value:.{digits}g}")
    if isinstance(value, Mapping):
        return {name: _rounded(each, digits) for name, each in value.items()}
    return [_rounded(each, digits) for each in value] if isinstance(value, list | tuple) else value


def sentence_of(
    summary: str, query: str, said: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], formats: Formats
) -> str:
    """What a section shows: what its query answers, of when, and the largest and smallest value of what is drawn."""
    parts = [summary.rstrip(".") + _period(said, formats) + "."]
    parts.append(_extremes(query, rows, formats) if rows else NO_ROWS)
    parts += [f"No {name.replace('_', ' ')} is known as {_listed(values)}." for name, values in _unknown(said)]
    if said.get("limited"):
        parts.append("Others are left out: " + _listed(said["limited"]) + ".")
    return " ".join(part for part in parts if part)


def _listed(values: Any) -> str:
    return ", ".join(map(str, values)) if isinstance(values, list | tuple) else str(values)


def _unknown(said: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    unknown = said.get("unknown", {})
    return unknown.items() if isinstance(unknown, Mapping) else ()


def _period(said: Mapping[str, Any], formats: Formats) -> str:
    period = said.get("period") or {}
    begin, end = period.get("from"), period.get("to")
    words = [f"from {formats.moment(begin)}" if begin else "", f"to {formats.moment(end)}" if end else ""]
    return ", " + " ".join(filter(None, words)) if begin or end else ""


def _extremes(query: str, rows: Sequence[Mapping[str, Any]], formats: Formats) -> str:
    """Over all rows, the largest and the smallest value of the measure that a chart shows."""
    count = f"{formats.whole(len(rows))} rows." if len(rows) > 1 else ""
    shape = None if query in KPIS else shape_of(query, rows)
    if shape is None or len(rows) < 2 or not isinstance(rows[0].get(shape.along), str):
        return count
    measure = shape.measures[0]
    kind = kind_of(measure, [row.get(measure) for row in islice(rows, 50)])
    values = [(float(row[measure]), row) for row in rows if row.get(measure) is not None]
    if kind not in NUMBERS or not values:
        return count
    least, most = min(values, key=lambda each: each[0])[1], max(values, key=lambda each: each[0])[1]
    unit = f" {currency_of(rows) or formats.currency}" if kind == MONEY else ""
    along = kind_of(shape.along, [rows[0][shape.along]])
    told = [
        f"{formats.value(along, row[shape.along])} ({formats.value(kind, row[measure])}{unit})" for row in (most, least)
    ]
    return f"{count} {label(measure)} is highest for {told[0]} and lowest for {told[1]}."
