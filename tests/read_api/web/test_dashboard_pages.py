"""Pages show what the queries answer: every figure and cell is read back out of them, without any script."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest

from read_api.dashboards.documents import NAMES
from read_api.web.tables import MOST_ROWS
from tests.support.instance import Instance
from tests.support.of_instance import OF_INSTANCE
from tests.support.pages import Shown, signed_in
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


def is_plain(row: Mapping[str, Any]) -> bool:
    """Whether a row is one of its table: it has no rows in itself."""
    lists = [value for value in row.values() if isinstance(value, list)]
    return "finding" not in row and not any(isinstance(each, dict) for value in lists for each in value)


@pytest.mark.parametrize("name", NAMES)
def test_each_figure_and_each_cell_is_what_its_query_answers(filled: Instance, reader: httpx.Client, name: str) -> None:
    """At the position of the page: nothing happens at the company while both are asked."""
    with filled.client("admin", COMPANY) as api:
        answer = api.get(f"/api/v1/dashboards/{name}", params={"company": COMPANY, **PERIOD}).json()
        page = reader.get(f"/dashboards/{name}", params={"company": COMPANY, **PERIOD})
    assert page.status_code == 200, page.text
    shown = Shown(page.text)
    assert shown.states.keys() == {tile["id"] for tile in answer["tiles"]}
    compared = 0
    for tile in answer["tiles"]:
        if tile["state"] != "open" or shown.states[tile["id"]] != "open":
            continue  # closed, made anew in between, or of no rows that can be drawn
        if tile["query"] in OF_INSTANCE:
            continue  # they go on by themselves, and are asked at two moments
        if tile["kind"] == "number":
            value = tile["rows"][0]["value"]
            assert read(shown.figures[tile["id"]], value) == value, tile["id"]
            compared += 1
        elif all(map(is_plain, tile["rows"])):
            compared += check_cells(tile, shown.tables.get(tile["id"], []))
    assert compared >= len(answer["tiles"]) // 2


def check_cells(tile: Mapping[str, Any], rows: list[dict[str, str]]) -> int:
    """Every cell of a tile's table; how many rows that were."""
    limit = min(len(tile["rows"]), MOST_ROWS)
    assert len(rows) in (limit, min(limit, 50)), tile["id"]
    for row, expected in zip(rows, tile["rows"], strict=False):
        assert {n: read(text, expected.get(n)) for n, text in row.items()} == {n: expected.get(n) for n in row}, tile[
            "id"
        ]
    return 1 if rows else 0


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
    filled.command("projections", "wait", "--position", made.json()["position"])
    return f"/dashboards/{made.json()['id']}"


def test_a_dashboard_that_was_configured_is_drawn_alike(filled: Instance, reader: httpx.Client, small: str) -> None:
    page = reader.get(small, params={"company": COMPANY, **PERIOD})
    assert page.status_code == 200, page.text
    assert "<mine>" not in page.text
    shown = Shown(page.text)
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
    before, year, none = (reader.get(small, params={**asked, "compare": c}).text for c in ("previous", "year", "none"))
    assert "than before" in before
    assert "than a year before" in year
    assert 'data-base="0"' in year
    assert "than" not in none.partition("<main")[2].partition("<aside")[0]


def test_numbers_are_written_by_the_reader_s_locale(reader: httpx.Client, small: str) -> None:
    asked = {"company": COMPANY, **PERIOD}
    german = reader.get(small, params=asked, headers={"Accept-Language": "de-DE,de;q=0.9"}).text
    english = reader.get(small, params=asked, headers={"Accept-Language": "en-US"}).text
    assert 'data-locale="de-DE"' in german
    assert Shown(german).figures == Shown(english).figures
    assert german != english


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"period": "century"}, 400), ({"from": "2025-02-30", "to": "2025-03-01"}, 400), ({"planet": "mars"}, 400),
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
    page = reader.get(small, params={"company": COMPANY, "panel": "won", **PERIOD}).text
    for words in ("winning trades / all trades", "Definition version", "trading_totals.winning_trades", "grpcurl"):
        assert words in page


def test_every_parameter_that_tiles_know_is_a_control(reader: httpx.Client, small: str) -> None:
    """What a tile does not know is said there: its figure is that of all symbols."""
    page = reader.get(small, params={"company": COMPANY, "symbol": "AAPL", **PERIOD}).text
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
