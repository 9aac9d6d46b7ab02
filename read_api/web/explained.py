"""The events behind a number: a page of them at a time, each with its share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode

from litestar import Response, get
from litestar.params import FromPath

from domain.access.rights import Principal, Right, may, require
from domain.audit import Action
from domain.configuration.dashboard import FILTERS
from domain.errors import Forbidden
from domain.metrics.catalogue import metric
from domain.metrics.metric import Metric
from domain.request.caller import ACTION, PAGE
from projections.engine.declare.registry import all_registered
from projections.engine.query.no_amount import NoAmount
from projections.engine.query.request import OF_EXPLANATION, OF_PAST, Question
from read_api.answers.explained_measure import explained_measure, measure_name
from read_api.answers.past import plain
from read_api.charts.columns import MONEY, TEXT, kind_of, label
from read_api.charts.shapes import CURRENCY
from read_api.dashboards.documents import END, PERIOD
from read_api.http.departure import for_caller
from read_api.http.metrics import ingredients_of
from read_api.http.request import HttpRequest, min_position, parameters, question_of
from read_api.services import ReadServices
from read_api.web.address import Address
from read_api.web.audit.places import event_address, place_text
from read_api.web.formats import Formats, utc
from read_api.web.frame import formats_for, frame
from read_api.web.page import page
from read_api.web.sentences import reason_words
from read_api.web.tables import reason_of, unit_kind

ON_A_PAGE = "20"  # events
MOST_FACTS = 4  # of an event's row
SAID_BESIDE = frozenset({"user_id", "quarter", CURRENCY})  # of a row: in columns of their own


class Behind(NamedTuple):
    """An event as the page shows it: when, whose, what it says, its share of the number, its own page, if open.

    `currency`: of its share, empty where that is no amount or names none.
    """

    at: str
    exact: str
    user: str
    facts: str
    share: str
    currency: str
    event_id: str
    href: str


class Line(NamedTuple):
    """An ingredient of a metric, its value, and the measures whose events are behind it with their addresses."""

    name: str
    value: str
    links: Sequence[tuple[str, str]]


def events_address(key: str, company: str, params: Mapping[str, str], measure: str = "") -> str:
    """Where the events behind a metric are shown, of these parameters of the question and of the past."""
    named = {"measure": measure} if measure else {}
    return f"/metric/{key}/events?{urlencode({'company': company, **params, **named})}"


def why_closed(principal: Principal, company: str) -> str:
    """Why somebody may not see the events behind a number; empty where they may."""
    try:
        require(principal, Right.OWN if principal.member else Right.EXPLAIN, company)
    except Forbidden as error:
        return str(error)
    return ""


def explained_params(entry: Metric, row: Mapping[str, Any], params: Mapping[str, str]) -> dict[str, str]:
    """What is asked of a measure so that it is that of the number: its period, and the filters that its query knows."""
    query = all_registered()[explained_measure(entry).query]
    known = {param.name for param in query.params}
    period = {name: row[name] for name in PERIOD if name in row and name in known}
    if PERIOD[1] not in known and END in known and PERIOD[1] in row:
        period[END] = row[PERIOD[1]]
    return {**{name: params[name] for name in FILTERS if name in params and name in known}, **period}


@get("/metric/{key:str}/events", include_in_schema=False, opt={PAGE: True, ACTION: Action.EXPLAIN})
async def events_page(key: FromPath[str], request: HttpRequest) -> Response[bytes]:
    """Events behind a metric, the newest first. `measure`: which, where it comes from several."""
    entry, given = metric(key), parameters(request)
    measure = given.pop("measure", "")
    of = explained_measure(entry, measure)
    asked = {"limit": ON_A_PAGE, "order": "newest", **given, "measure": of.measure}
    question = question_of(request, of.query, asked, (*OF_PAST, *OF_EXPLANATION))
    answer = await for_caller(request, _answer(request, question))
    formats = await formats_for(request, question.company)
    plain = {name: text for name, text in given.items() if name not in ("company", "cursor")}
    older = answer["next_cursor"]
    made_of = [] if "cursor" in given else await _made_of(request, key, given)
    return page(
        request,
        "events.html",
        **frame(request, Address(request.url.path, question.company), formats, f"Events behind {entry.title}"),
        entry=entry,
        measure=measure_name(of),
        answer=answer,
        value=formats.value(kind_of(of.measure, [answer["value"]]), answer["value"]),
        reason=reason_words(reason_of("value", answer)),
        ingredients=[_ingredient(each, formats, plain, question.company) for each in made_of],
        events=_shown(answer["events"], of.measure, formats, _whose(request, question.company)),
        older=older and events_address(key, question.company, {**plain, "cursor": older}, measure),
    )


async def _made_of(request: HttpRequest, key: str, given: Mapping[str, str]) -> Sequence[Mapping[str, Any]]:
    """The ingredients of a metric; none where its amounts are in no currency, as the events themselves show."""
    try:
        rows: Sequence[Mapping[str, Any]] = (await ingredients_of(request, key, given))["rows"]
    except NoAmount:
        return ()
    return rows


def _ingredient(row: Mapping[str, Any], formats: Formats, params: Mapping[str, str], company: str) -> Line:
    """An ingredient as the page shows it, with where the events behind it are."""
    value = formats.value(unit_kind(row["unit"]), row["value"])
    links = [(name, events_address(row["metric"], company, params, name)) for name in row["explained_by"]]
    return Line(row["ingredient"], value, links)


async def _answer(request: HttpRequest, question: Question) -> dict[str, Any]:
    side: ReadServices = request.app.state.side
    return plain(await side.past.answer(request.user.principal, question, min_position(request)))


def _whose(request: HttpRequest, company: str) -> str:
    """The company whose events may be looked at one by one; empty where they may not."""
    return company if may(request.user.principal, Right.EVENTS, company) else ""


def _shown(events: Sequence[Mapping[str, Any]], measure: str, formats: Formats, company: str) -> list[Behind]:
    kind = kind_of(measure, [event["share"] for event in events])
    return [
        Behind(
            formats.moment(event["timestamp"]),
            utc(event["timestamp"]),
            event["user_id"],
            _facts(event["row"], formats),
            formats.value(kind, event["share"]),
            (event["row"].get(CURRENCY) or "") if kind == MONEY else "",
            event["event_id"],
            company and event_address(company, place_text(event)),
        )
        for event in events
    ]


def _facts(row: Mapping[str, Any], formats: Formats) -> str:
    plain = {name: value for name, value in row.items() if value not in (None, "") and name not in SAID_BESIDE}
    shown = [f"{label(name)} {formats.value(kind_of(name, [value]) or TEXT, value)}" for name, value in plain.items()]
    return " · ".join(shown[:MOST_FACTS])
