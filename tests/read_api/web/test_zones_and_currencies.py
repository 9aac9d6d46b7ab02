"""Pages say whose days and whose money they show, and a moment that is typed is one of the company's zone."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from babel import Locale
from hypothesis import given
from hypothesis import strategies as st

from domain.access.rights import Role
from domain.company_calendar import UTC_CALENDAR
from read_api.charts.spec import on_clocks
from read_api.web.address import field_time, read_moment
from read_api.web.formats import Formats
from read_api.web.tiles import tile_view
from tests.support.instance import Instance, trade
from tests.support.pages import Shown, settled, signed_in

COMPANY, NO_TOTALS = "tokyoco", "nototals"
NOON = 1_760_000_000_000  # 9 October 2025, 08:53:20 UTC: in Tokyo 17:53:20
CALENDAR = {"time_zone": "Asia/Tokyo", "week_starts_on": "sunday", "fiscal_year_starts": 4, "trading_days": "all"}
PERIOD = {"from": "2025-10-01", "to": "2025-11-01"}
RATE = {"base": "EUR", "source": "ecb"}
MISSING = {"total_pnl": "no_rate"}
ZONES = ("Asia/Tokyo", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC")


def rates(company: str) -> list[dict[str, object]]:
    """What one euro was worth."""
    each = {"message_type": "exchange_rate", "company_id": company, "timestamp": NOON - 1, "service_source": "ecb"}
    return [
        {**each, "event_id": f"{company}-{code}", "payload": {**RATE, "quote": code, "rate": rate}}
        for code, rate in (("USD", 1.25), ("JPY", 150.0))
    ]


@pytest.fixture(scope="module")
def reader(instance: Instance) -> Iterator[httpx.Client]:
    """Who sees a company of another zone and currency, and one that has set none, each with trades in three."""
    for company in (COMPANY, NO_TOTALS):
        trades = ((10.0, "USD"), (-3_000.0, "JPY"), (5.0, "EUR"))
        lines = [trade(company, n, pnl, currency=code) for n, (pnl, code) in enumerate(trades)]
        instance.take([*lines, *rates(company)])
    for name, body in (("calendar", CALENDAR), ("currency", {"currency": "EUR"})):
        instance.answer("command", f"company.change_{name}", "--company", COMPANY, "--body", json.dumps(body), "--json")
    instance.wait()
    roles = (Role.ADMIN, Role.AUDITOR, Role.ENGINEER)
    with signed_in(instance, instance.signed("ada", COMPANY, NO_TOTALS, roles=roles)) as client:
        yield client


def small(instance: Instance, company: str) -> str:
    """The page of a dashboard with two tiles, whose past is soon told."""
    tiles: list[dict[str, Any]] = [
        {"id": "trades", "title": "A", "kind": "number", "query": "key_figure", "params": {"key": "total_trades"}},
        {"id": "equity", "title": "B", "kind": "area", "query": "trading_equity"},
    ]
    placed = [{**tile, "layout": {"x": 0, "y": 4 * n, "w": 6, "h": 4}} for n, tile in enumerate(tiles)]
    body = json.dumps({"name": "Small", "sharing": {"audience": "company"}, "tiles": placed})
    made = instance.answer("command", "dashboard.create", "--company", company, "--body", body, "--json")
    instance.wait()
    return f"/dashboards/{made['id']}"


def test_totals_of_several_currencies_say_theirs_and_the_rates(reader: httpx.Client) -> None:
    """By hand: 10 USD are 8 EUR and 3000 JPY are 20; so do panel, table and caption."""
    asked = {"company": COMPANY, **PERIOD}
    page = settled(reader, "/dashboards/trading", {**asked, "panel": "pnl"})
    rule = "Times and days are those of Asia/Tokyo; weeks begin on Sunday, years in April. Totals are in EUR."
    assert rule in page
    assert Shown(page).figures["pnl"] == "-7"
    assert re.search(r'id="tile-pnl".*?<small>EUR</small>', page, re.DOTALL)
    assert re.search(r"<dt>Rates of exchange</dt><dd>2, booked, of ecb", page)
    assert "Days are those of Asia/Tokyo." in page
    for other in ("/audit", "/admin", "/reports", "/metric/total_pnl", "/users/funnel"):
        assert rule in reader.get(other, params={"company": COMPANY}).text, other
    assert "Times are UTC." in reader.get("/engine", params={"company": COMPANY}).text


def test_amounts_that_are_in_no_currency_say_so(instance: Instance, reader: httpx.Client) -> None:
    """Neither a blank nor a zero: figures, tables and charts say what is missing, and what can be done."""
    page = settled(reader, "/dashboards/trading", {"company": NO_TOTALS, **PERIOD})
    shown = Shown(page)
    assert (shown.figures["pnl"], shown.figures["trades"]) == ("", "3")
    assert page.count("Of several currencies, and none is set for totals.") > 2
    assert "An admin sets the currency of totals" in page
    assert ">no reporting currency</td>" in page
    assert {shown.states[name] for name in ("equity", "months")} == {"empty"}
    past = reader.get(small(instance, NO_TOTALS), params={"company": NO_TOTALS, "as_of": "2025-10-10T00:00:00"})
    assert (past.status_code, Shown(past.text).states["equity"]) == (200, "empty")


def test_events_behind_a_number_name_the_currency_of_each(reader: httpx.Client) -> None:
    """Together they are none; one by one each share has its own."""
    page = reader.get("/metric/total_pnl/events", params={"company": NO_TOTALS}).text
    assert "Of several currencies." in page
    shares = re.findall(r'data-share="[^"]+">([^<]+)</span> <small>(\w+)</small>', page)
    assert shares == [("5.00", "EUR"), ("-3,000.00", "JPY"), ("10.00", "USD")]


def test_a_part_that_is_missing_is_told() -> None:
    """Days that have a rate are drawn; the caption says that others are not."""
    lines = [{"total_pnl": "5", "day": "2025-10-09"}, {"total_pnl": None, "day": "2025-10-10", "reasons": MISSING}]
    tile: dict[str, Any] = {
        "id": "t",
        "title": "T",
        "kind": "bar",
        "query": "trading_totals",
        "params": {},
        "rows": lines,
    }
    tile |= {"layout": {"x": 0, "y": 0, "w": 6, "h": 4}, "state": "open", "problem": None, "every": 1, "left_out": []}
    view = tile_view({**tile, "extra": {}}, Formats(Locale("en"), UTC_CALENDAR, "EUR", date(2025, 10, 11)))
    assert (view.state, "Some amounts are not shown. A rate of exchange is missing." in view.note) == ("open", True)


def test_what_is_typed_is_of_the_companys_zone(instance: Instance, reader: httpx.Client) -> None:
    """The moment of a page and those of a search: a second earlier in Tokyo there is one event less."""
    page = reader.get(small(instance, COMPANY), params={"company": COMPANY, "as_of": "2025-10-09T17:54:00"}).text
    assert 'name="as_of" step="1" value="2025-10-09T17:54:00"' in page
    assert "as_of=2025-10-09T08%3A54%3A00Z" in page
    assert Shown(page).figures["trades"] == "1"  # the second one was a minute after the first
    asked = {"company": COMPANY, "type": "trading_result", "to": "2025-10-09T17:54:21"}
    found = [reader.get("/audit", params={**asked, "from": f"2025-10-09T17:53:{at}"}).text for at in ("20", "21")]
    assert [page.count("<td>trading_result</td>") for page in found] == [2, 1]
    assert "Oct 9, 2025, 5:53:20 PM" in found[0]


@given(st.datetimes(datetime(1990, 1, 1), datetime(2080, 1, 1)), st.sampled_from(ZONES))
def test_a_field_gives_back_the_moment_that_it_shows(moment: datetime, zone: str) -> None:
    """Whatever the clocks do, but for an hour that they show twice."""
    known, there = moment.replace(microsecond=0, tzinfo=UTC), ZoneInfo(zone)
    if known.astimezone(there).fold == 0:
        assert datetime.fromisoformat(read_moment(field_time(known.isoformat(), there), there)) == known


MOMENTS = st.lists(st.datetimes(datetime(2000, 1, 1), datetime(2035, 1, 1)), min_size=1, max_size=4)


@given(MOMENTS, st.sampled_from(ZONES))
def test_charts_show_moments_by_the_clocks_of_a_zone(moments: list[datetime], zone: str) -> None:
    """The expression of a chart adds what the clocks are ahead of UTC, on both sides of each change."""
    there, rows = ZoneInfo(zone), [{"hour": f"{moment.isoformat(timespec='seconds')}Z"} for moment in moments]
    drawn = {"transform": [{"calculate": "toDate(datum['hour'])", "as": "x"}]}
    (step,) = on_clocks(drawn, "hour", rows, there)["transform"]
    for moment in moments:
        at = moment.replace(microsecond=0, tzinfo=UTC)
        ahead = at.astimezone(there).utcoffset()
        assert ahead is not None
        assert offset_at(step["calculate"], at.timestamp() * 1000) == ahead.total_seconds() * 1000


def offset_at(expression: str, at: float) -> float:
    """What a chart adds to that moment."""
    inner = re.fullmatch(r".*? \+ \((.*)\) : null", expression)
    assert inner is not None
    *changes, last = inner[1].split(" : ")
    for change in changes:
        found = re.fullmatch(r".* < (\d+) \? (-?\d+)", change)
        assert found is not None
        if at < float(found[1]):
            return float(found[2])
    return float(last)
