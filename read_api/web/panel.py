"""The panel of a number: what it is, by which formula, where it comes from, and how to ask for it oneself."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode

import msgspec

from domain.access.rights import Principal
from domain.errors import NotFound
from domain.metrics.catalogue import METRICS
from domain.metrics.metric import Metric
from projections.engine.query.ask import answerable
from read_api.answers.explained_measure import measure_name
from read_api.charts.columns import label
from read_api.web.explained import events_address, explained_params, why_closed
from read_api.web.formats import Formats, utc
from read_api.web.tables import unit_kind

CUTS = {"limit": "a limit: there are more rows", "tier": "the tier: it sees no more of the past"}
RPC = "services.AnalyticsService/RunAnalyticsQuery"


class Line(NamedTuple):
    """A fact: its name, its text, and the exact form of it for the title of the element."""

    name: str
    text: str
    exact: str = ""


class Ask(NamedTuple):
    """A way to ask for the same oneself."""

    name: str
    command: str


class Panel(NamedTuple):
    """What is known of a number or a tile.

    `events`: where the events behind it are, or why these are closed; both empty for what is not made of events.
    """

    title: str
    words: str
    formula: str
    facts: Sequence[Line]
    comes_from: Sequence[str]
    asks: Sequence[Ask]
    events: str
    closed: str


def panel_of(
    tile: Mapping[str, Any], principal: Principal, company: str, formats: Formats, address: str, as_of: str
) -> Panel:
    """The panel of a tile of an answered dashboard; `address` is where this API is reached."""
    row = tile["rows"][0] if tile["kind"] == "number" and tile["rows"] else {}
    entry = METRICS.get(str(row.get("key", tile["params"].get("key") or tile["params"].get("keys", ""))))
    words, formula, comes_from = _summary(tile["query"]), "", tuple[str, ...]()
    if entry is not None and tile["kind"] == "number":
        words, formula, comes_from = _meaning(entry), entry.formula, tuple(map(measure_name, entry.explained))
    past, counted = {"as_of": as_of} if as_of else {}, entry if row else None
    asks, events, closed = _asks(tile["query"], {**tile["params"], **past}, company, address), "", ""
    if counted is not None and counted.explained:
        asked = {**explained_params(counted, row, tile["params"]), **past}
        closed = why_closed(principal, company)
        events = "" if closed else events_address(counted.key, company, asked)
        asks.append(_explain(counted, company, address, asked))
    facts = _facts(tile, row, counted, formats)
    return Panel(tile["title"], words, formula, facts, comes_from, asks, events, closed)


def _summary(query: str) -> str:
    try:
        return answerable(query).summary
    except NotFound:  # of a dashboard that was configured when there was one
        return ""


def _meaning(entry: Metric) -> str:
    convention = "" if entry.convention == "canonical" else f" As {entry.convention} computes it."
    return f"{entry.title}, a metric of {entry.section.value}.{convention}"


def _facts(tile: Mapping[str, Any], row: Mapping[str, Any], entry: Metric | None, formats: Formats) -> list[Line]:
    facts = []
    if entry is not None:
        value = formats.value(unit_kind(entry.unit.value), row.get("value"))
        facts += [Line("Value", value, str(row.get("value"))), Line("Unit", _unit(entry, row, formats))]
        facts += [Line("Convention", entry.convention), Line("Definition version", str(entry.version))]
    facts += _reach(tile["extra"], row, formats)
    facts.append(Line("Query", tile["query"]))
    facts += [Line(label(name), value) for name, value in tile["params"].items() if entry is None]
    if tile["as_of"]:
        facts.append(Line("Complete to", formats.moment(tile["as_of"]), utc(tile["as_of"])))
    if tile["lag_ms"] is not None:
        facts.append(Line("Behind", f"{formats.whole(tile['lag_ms'])} ms"))
    facts.append(Line("Position", tile["position"] or "–"))
    return facts


def _reach(extra: Mapping[str, Any], row: Mapping[str, Any], formats: Formats) -> list[Line]:
    """The period that is shown, what cut it, and names of which nothing is known."""
    period, facts = row if "from" in row else extra.get("period", {}), []
    if bounds := [at for at in (period.get("from"), period.get("to")) if at is not None]:
        begin, end = (formats.moment(period[name]) if period[name] else "…" for name in ("from", "to"))
        facts.append(Line("Period", f"{begin} – {end}", "/".join(bounds)))
    if calendar := extra.get("calendar"):
        begins = (
            f"weeks from {calendar['week_starts_on'].capitalize()}, years from month {calendar['fiscal_year_starts']}"
        )
        facts.append(Line("Days of", f"{calendar['time_zone']}, {begins}"))
    if rates := extra.get("rates"):
        facts.append(Line("Rates of exchange", _rates(rates, formats)))
    facts += [Line("Cut by", CUTS[each]) for each in extra.get("limited", ())]
    facts += [Line("Nothing is known of", f"{label(name)} {text}") for name, text in extra.get("unknown", {}).items()]
    return facts


def _rates(rates: Mapping[str, Any], formats: Formats) -> str:
    """Which rates of exchange an answer was told by."""
    if not rates["number"]:
        return f"{rates['policy']}: none is there"
    days = " – ".join(dict.fromkeys(formats.value("day", rates[name]) for name in ("first_day", "last_day")))
    return f"{formats.whole(rates['number'])}, {rates['policy']}, of {', '.join(rates['sources'])}, {days}"


def _unit(entry: Metric, row: Mapping[str, Any], formats: Formats) -> str:
    if entry.unit.value != "money":
        return entry.unit.value
    return row.get("currency") or formats.currency or "money of several currencies"


def _explain(entry: Metric, company: str, address: str, asked: Mapping[str, str]) -> Ask:
    explain = f"{address}/api/v1/metrics/{entry.key}/explain?{urlencode({'company': company, **asked})}"
    return Ask("The events behind it", f'curl -H "Authorization: Bearer $TOKEN" {shlex.quote(explain)}')


def _asks(query: str, params: Mapping[str, str], company: str, address: str) -> list[Ask]:
    """Each line can be copied as it stands; the token is whoever's who asks."""
    own = {name: value for name, value in params.items() if name != "as_of"}
    flags = "".join(f" --param {shlex.quote(f'{name}={value}')}" for name, value in own.items())
    past = f" --as-of {shlex.quote(params['as_of'])}" if "as_of" in params else ""
    asked = urlencode({"company": company, **params})
    message = msgspec.json.encode({"scope": {"company_id": company}, "query": query, "params": own}).decode()
    return [
        Ask("Command line", f"analytics query {query} --company {shlex.quote(company)}{flags}{past}"),
        Ask("HTTP", f'curl -H "Authorization: Bearer $TOKEN" {shlex.quote(f"{address}/api/v1/query/{query}?{asked}")}'),
        Ask(
            "gRPC",
            f'grpcurl -H "authorization: Bearer $TOKEN" -d {shlex.quote(message)} $GRPC {RPC}',
        ),
    ]
