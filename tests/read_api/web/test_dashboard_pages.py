"""Pages show what the queries answer: every figure and cell is read back out of them, without any script."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import psycopg
import pytest

from projections.engine.declare.registry import all_projections
from projections.engine.store import sql
from read_api.dashboards.documents import NAMES
from read_api.dashboards.tiles import BARS, MOST_BARS
from read_api.web.tables import MOST_ROWS
from tests.support.instance import Instance
from tests.support.of_instance import OF_INSTANCE
from tests.support.pages import Shown, settled, signed_in
from tests.support.two_months import COMPANY

PERIOD = {"from": "2025-10-01", "to": "2025-12-01"}


@pytest.fixture(scope="module")
def reader(filled: Instance) -> Iterator[httpx.Client]:
    """A browser with a session of an admin of the company, who also has a token for the API."""
    with signed_in(filled, filled.token("admin", COMPANY)) as client:
        yield client


def read(shown: str, like: Any) -> Any:
    """The value that an attribute of the page carries, where it is of this kind."""
    return shown if isinstance(like, str) else json.loads(shown) if shown else None


def flat(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The rows of a tile's table: those that are in a row or in what was found, each for itself."""
    return [each for row in rows for each in inner(row)]


def inner(row: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """A row's own rows, with what they have in common; itself where it has none."""
    inside = row.get("finding") or {} if "finding" in row else row
    lists = {
        name: each for name, each in inside.items() if isinstance(each, list) and each and isinstance(each[0], dict)
    }
    if not lists:
        return (inside,) if inside else ()
    name, rows = next(iter(lists.items()))
    common = {} if "finding" in row else {n: value for n, value in row.items() if n != name}
    return [{**common, **each} for each in rows]


def thinned(rows: Sequence[Any], every: int) -> Sequence[Any]:
    """What is drawn of very many rows: one of each so many, and the last."""
    return [row for place, row in enumerate(rows) if place % every == 0 or place == len(rows) - 1]


class Compared:
    """One page beside the queries that its tiles name, asked one by one as anybody may ask them."""

    def __init__(self, api: httpx.Client, page: str, past: Mapping[str, str]) -> None:
        self.api, self.past, self.shown = api, past, Shown(page)
        state = json.loads(page.partition('id="state">')[2].partition("</script>")[0])
        self.drawn, self.chosen = state["charts"], state["own"]
        self.values = 0

    def check(self, tile: Mapping[str, Any]) -> None:
        """The tile shows what its query answers: its figure, each cell of its table, each row that a chart draws."""
        name, state = tile["id"], self.shown.states[tile["id"]]
        own = {each.removeprefix(f"{name}."): text for each, text in self.chosen.items() if each.startswith(f"{name}.")}
        asked = {"company": COMPANY, **tile["params"], **own, **self.past}
        answer = self.api.get(f"/api/v1/query/{tile['query']}", params=asked, timeout=120)
        if not answer.is_success:
            assert state in ("closed", "needs", "failed"), (name, answer.text)
            return
        rows = answer.json()["rows"]
        rows = rows[-MOST_BARS:] if tile["query"] in BARS else thinned(rows, tile["every"])
        if state == "empty":
            assert not rows or not flat(rows) or tile["kind"] in ("scatter", "line", "area"), name
            return
        assert state == "open", (name, state)
        if tile["kind"] == "number":
            assert read(self.shown.figures[name], rows[0]["value"]) == rows[0]["value"], name
            self.values += 1
        if name in self.shown.tables:
            self.check_cells(name, flat(rows))
        for drawn, expected in zip(self.drawn.get(name, {"rows": []})["rows"], rows, strict=False):
            assert drawn == {column: expected.get(column) for column in drawn}, name
            self.values += 1
        assert len(self.drawn[name]["rows"]) == len(rows) if name in self.drawn else True, name

    def check_cells(self, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Every cell of a tile's table."""
        shown, limit = self.shown.tables[name], min(len(rows), MOST_ROWS)
        assert len(shown) in (limit, min(limit, 50)), name
        for cells, row in zip(shown, rows, strict=False):
            assert {n: read(text, row.get(n)) for n, text in cells.items()} == {n: row.get(n) for n in cells}, name
            self.values += len(cells)


def compare(filled: Instance, reader: httpx.Client, name: str, past: Mapping[str, str]) -> Compared:
    """A standard dashboard's page with all its tiles. Nothing happens at the company meanwhile."""
    with filled.client("admin", COMPANY) as api:
        tiles = api.get(f"/api/v1/dashboards/{name}", params={"company": COMPANY, **PERIOD}).json()["tiles"]
        compared = Compared(api, settled(reader, f"/dashboards/{name}", {"company": COMPANY, **PERIOD, **past}), past)
        assert compared.shown.states.keys() == {tile["id"] for tile in tiles}
        for tile in tiles:
            if tile["query"] not in OF_INSTANCE:  # those go on by themselves, and are asked at two moments
                compared.check(tile)
    return compared


@pytest.mark.parametrize("name", NAMES)
def test_each_figure_cell_and_mark_is_what_its_query_answers(filled: Instance, reader: httpx.Client, name: str) -> None:
    assert compare(filled, reader, name, {}).values > 50


@pytest.mark.ci
@pytest.mark.parametrize("name", NAMES)
def test_a_page_of_the_past_shows_what_each_query_answers_as_of_then(
    filled: Instance, reader: httpx.Client, name: str
) -> None:
    """Each tile folds the company's events, twice: a minute in all, so this runs in CI after `make test`."""
    then = compare(filled, reader, name, {"as_of": "2025-11-15T00:00:00Z"})
    assert then.values > 50
    assert then.shown.figures != compare(filled, reader, name, {}).shown.figures


@pytest.fixture(scope="module")
def small(filled: Instance, reader: httpx.Client) -> str:
    """Address of a dashboard that somebody configured: a number and a table."""
    tiles = [
        {"id": "trades", "title": "Trades", "kind": "number", "query": "kpis", "params": {"keys": "total_trades"},
         "layout": {"x": 0, "y": 0, "w": 6, "h": 2}},
        {"id": "won", "title": "Won", "kind": "number", "query": "kpis", "params": {"keys": "win_rate"},
         "layout": {"x": 6, "y": 0, "w": 6, "h": 2}},
        {"id": "symbols", "title": "By <symbol>", "kind": "bar", "query": "trading_totals", "params": {"by": "symbol"},
         "layout": {"x": 0, "y": 2, "w": 12, "h": 4}},
    ]  # fmt: skip
    body = {"name": "Small & <mine>", "tiles": tiles, "sharing": {"audience": "company"}}
    headers = {"Authorization": f"Bearer {filled.token('admin', COMPANY)}"}
    where = filled.addresses["command_api"]
    made = httpx.post(f"{where}/api/v1/dashboard/config", json=body, headers=headers, timeout=60)
    assert made.status_code == 201, made.text
    filled.wait(made.json()["position"])
    return f"/dashboards/{made.json()['id']}"


def test_a_dashboard_that_was_configured_is_drawn_alike(filled: Instance, reader: httpx.Client, small: str) -> None:
    page = settled(reader, small, {"company": COMPANY, **PERIOD})
    assert "<mine>" not in page
    shown = Shown(page)
    assert shown.states == {"trades": "open", "won": "open", "symbols": "open"}
    assert {row["symbol"] for row in shown.tables["symbols"]} == {"AAPL", "SPX"}
    found = reader.get("/search.json", params={"company": COMPANY}).json()
    assert ("Small & <mine>", "dashboard") in [(each["title"], each["what"]) for each in found]


def test_a_page_of_the_past_shows_the_figures_of_then(filled: Instance, reader: httpx.Client, small: str) -> None:
    moment = "2025-11-15T00:00:00+00:00"
    page = reader.get(small, params={"company": COMPANY, "as_of": moment, **PERIOD})
    assert page.status_code == 200, page.text
    asked = {"company": COMPANY, "keys": "total_trades", **PERIOD}
    with filled.client("admin", COMPANY) as api:
        then = api.get("/api/v1/query/kpis", params={**asked, "as_of": moment}, timeout=120).json()
        now = api.get("/api/v1/query/kpis", params=asked).json()
    assert int(Shown(page.text).figures["trades"]) == then["rows"][0]["value"] < now["rows"][0]["value"]


def test_numbers_are_compared_with_what_is_chosen(filled: Instance, reader: httpx.Client, small: str) -> None:
    """November with October, with the November before (in which there was nothing), and with nothing."""
    asked = {"company": COMPANY, "from": "2025-11-01", "to": "2025-12-01"}
    before, year, none = (settled(reader, small, {**asked, "compare": c}) for c in ("previous", "year", "none"))
    assert "than before" in before
    assert "than a year before" in year
    assert 'data-base="0"' in year
    assert "than" not in none.partition("<main")[2].partition("<aside")[0]


def test_numbers_are_written_by_the_reader_s_locale(reader: httpx.Client, small: str) -> None:
    asked = {"company": COMPANY, **PERIOD}
    german = settled(reader, small, asked, {"Accept-Language": "de-DE,de;q=0.9"})
    english = settled(reader, small, asked, {"Accept-Language": "en-US"})
    assert 'data-locale="de-DE"' in german
    assert Shown(german).figures == Shown(english).figures
    assert german != english


def test_a_name_in_a_table_leads_to_the_page_of_that_alone(reader: httpx.Client) -> None:
    """A strategy of the league, then a month of the heat map: both are in the address, and back out of it."""

    def page(asked: Mapping[str, str]) -> str:
        return settled(reader, "/dashboards/trading", {"company": COMPANY, **asked})

    narrowed = page(narrowing(page(PERIOD), "strategy=breakout"))
    strategies = Shown(narrowed).tables["strategies"]
    assert [row["strategy"] for row in strategies] == ["breakout"]
    assert Shown(narrowed).figures["pnl"] == strategies[0]["total_pnl"]
    month = page(narrowing(narrowed, "period=2025-11&strategy=breakout"))
    asked = {"strategy": "breakout", "from": "2025-11-01", "to": "2025-12-01"}
    assert Shown(month).figures == Shown(page(asked)).figures
    assert '<option value="2025-11" selected>' in month
    assert 'href="/dashboards/trading?company=fullco&amp;period=2025-11"' in month  # without filters


def narrowing(page: str, ending: str) -> dict[str, str]:
    """What the address of a cell asks for that leads to a page of itself alone, and ends so."""
    found = [each.partition('"')[0] for each in page.split('<a class="narrows" href="')[1:]]
    href = next(each for each in map(unescape, found) if each.endswith(ending))
    return dict(parse_qsl(urlsplit(href).query))


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"period": "century"}, 400), ({"period": "2025-13"}, 400), ({"period": "2025-02-30"}, 400),
        ({"from": "2025-02-30", "to": "2025-03-01"}, 400), ({"planet": "mars"}, 400),
        ({"as_of": "yesterday"}, 400), ({"from": "2025-03-01", "to": "2025-02-01"}, 400), ({"company": "../x"}, 403),
    ],
)  # fmt: skip
def test_an_address_that_asks_for_nothing_there_is_says_so_as_a_page(
    reader: httpx.Client, asked: dict[str, str], status: int
) -> None:
    answer = reader.get("/dashboards/trading", params={"company": COMPANY, **asked})
    assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert reader.get("/dashboards/nowhere", params={"company": COMPANY}).status_code == 404


def test_a_panel_says_what_a_number_is_without_scripts(reader: httpx.Client, small: str) -> None:
    page = settled(reader, small, {"company": COMPANY, "panel": "won", **PERIOD})
    for words in ("winning trades / all trades", "Definition version", "trading_totals.winning_trades", "grpcurl"):
        assert words in page


def test_a_panel_says_how_far_its_figure_reaches(reader: httpx.Client, small: str) -> None:
    page = settled(reader, small, {"company": COMPANY, "panel": "symbols", "symbol": "NO-SUCH", **PERIOD})
    for words in ("Period", "Nothing is known of", "Symbol NO-SUCH"):
        assert words in page


def test_every_parameter_that_tiles_know_is_a_control(reader: httpx.Client, small: str) -> None:
    """What a tile does not know is said there: its figure is that of all symbols."""
    page = settled(reader, small, {"company": COMPANY, "symbol": "AAPL", **PERIOD})
    assert 'name="symbol" value="AAPL"' in page
    assert "Whatever the symbol." in page
    assert {row["symbol"] for row in Shown(page).tables["symbols"]} == {"AAPL"}


def test_pages_run_nothing_that_stands_in_them(reader: httpx.Client, small: str) -> None:
    """No inline script, style or handler; the policy allows none either."""
    for path in (small, "/pipeline", "/metric/win_rate"):
        page = reader.get(path, params={"company": COMPANY})
        assert "script-src 'self'; style-src 'self'" in page.headers["content-security-policy"]
        assert page.headers["cache-control"] == "no-store"
        assert " style=" not in page.text
        assert " onclick=" not in page.text
        assert page.text.count("<script>") == 0


@pytest.mark.parametrize("ending", ["csv", "ndjson", "json"])
def test_a_tile_s_file_is_that_of_the_api_with_the_page_s_filters(
    filled: Instance, reader: httpx.Client, small: str, ending: str
) -> None:
    page = settled(reader, small, {"company": COMPANY, "panel": "symbols", "symbol": "AAPL", **PERIOD})
    href = unescape(next(part for part in page.split('"') if f"/symbols.{ending}?" in part))
    asked = {"company": COMPANY, "by": "symbol", "symbol": "AAPL", **PERIOD}
    file, path = reader.get(href), "/api/v1/query/trading_totals"
    if ending != "json":
        path, asked = "/api/v1/analytics/export", {**asked, "query": "trading_totals", "format": ending}
    with filled.client("admin", COMPANY) as api:
        known = api.get(path, params=asked)
    assert file.headers["content-disposition"] == f'attachment; filename="symbols.{ending}"'
    assert (file.status_code, known.status_code) == (200, 200)
    assert file.content == known.content if ending != "json" else file.json()["rows"] == known.json()["rows"]


def test_a_file_is_of_the_moment_of_the_page(filled: Instance, reader: httpx.Client, small: str) -> None:
    moment = {"as_of": "2025-11-15T00:00:00Z"}
    file = reader.get(f"{small}/symbols.json", params={"company": COMPANY, **PERIOD, **moment})
    with filled.client("admin", COMPANY) as api:
        asked = {"company": COMPANY, "by": "symbol", **PERIOD, **moment}
        then = api.get("/api/v1/query/trading_totals", params=asked, timeout=120).json()
    assert file.json()["rows"] == then["rows"]
    lines = reader.get(f"{small}/symbols.csv", params={"company": COMPANY, **PERIOD, **moment}).text.splitlines()
    assert len(lines) == 1 + len(then["rows"])
    assert reader.get(f"{small}/nothing.csv", params={"company": COMPANY}).status_code == 404
    assert reader.get(f"{small}/symbols.exe", params={"company": COMPANY}).status_code == 400


def test_files_that_a_role_may_not_have_are_shown_as_closed(filled: Instance) -> None:
    with signed_in(filled, filled.token("viewer", COMPANY)) as viewer:
        page = settled(viewer, "/dashboards/trading", {"company": COMPANY, "panel": "sides", **PERIOD})
        assert "csv · closed" in page
        assert "/dashboards/trading/sides.csv" not in page
        assert viewer.get("/dashboards/trading/sides.csv", params={"company": COMPANY}).status_code == 403
        assert viewer.get("/dashboards/trading/sides.json", params={"company": COMPANY}).status_code == 200


@pytest.mark.share(3)
@pytest.mark.parametrize("tile", ["pnl", "win_rate", "drawdown", "traders"])
def test_events_behind_a_number_are_those_that_the_api_explains(
    filled: Instance, reader: httpx.Client, tile: str
) -> None:
    """With their shares, for the period of the page; pages lead on to the older ones."""
    page = settled(reader, "/dashboards/trading", {"company": COMPANY, "panel": tile, **PERIOD})
    href = unescape(next(part for part in page.split('"') if part.startswith("/metric/") and "/events?" in part))
    shown = reader.get(href)
    assert shown.status_code == 200, shown.text
    asked = {**dict(parse_qsl(urlsplit(href).query)), "limit": "20", "order": "newest"}
    with filled.client("admin", COMPANY) as api:
        known = api.get(f"/api/v1/metrics/{href.split('/')[2]}/explain", params=asked, timeout=120).json()
    assert shown.text.count("data-share=") == len(known["events"]) == 20
    assert all(f'data-share="{each["event_id"]}"' in shown.text for each in known["events"])
    older = unescape(next(part for part in shown.text.split('"') if "cursor=" in part))
    assert reader.get(older).text.count("data-share=") > 0


def test_a_page_does_not_wait_for_what_takes_long(filled: Instance, reader: httpx.Client) -> None:
    """It shows what is there, also without scripts; what was begun goes on, and is there when it is asked for again."""
    asked = {"company": COMPANY, "from": "2025-10-03", "to": "2025-11-29"}  # nobody has asked for these days
    tables = {
        table.name: sql.table_name(table.name, p.version) for p in all_projections().values() for table in p.tables
    }
    with psycopg.connect(filled.addresses["database"]) as held:
        held.execute(f"LOCK TABLE {tables['trade']} IN ACCESS EXCLUSIVE MODE".encode())
        deadline = time.monotonic() + 8  # a statement that waits for longer is given up
        while True:
            page = reader.get("/dashboards/trading", params=asked)
            assert page.status_code == 200, page.text
            early = Shown(page.text)
            if "pnl" in early.figures:
                break
            assert time.monotonic() < deadline, early.states
        assert early.states["risk"] == early.states["blotter"] == "pending"
        assert '<noscript><meta http-equiv="refresh"' in page.text
    whole = settled(reader, "/dashboards/trading", asked)
    assert Shown(whole).states["risk"] == Shown(whole).states["blotter"] == "open"
    assert Shown(whole).figures["pnl"] == early.figures["pnl"]
    assert 'http-equiv="refresh"' not in whole
