"""As-of and explain over HTTP and on the command line: alike, for those who may, of their own company only."""

from __future__ import annotations

from contextlib import closing
from decimal import Decimal

import psycopg
import pytest

from adapters.postgres.tables.event_index import PostgresEventIndex
from eventlog.search.criteria import BlockSummary
from projections.engine.declare.registry import projection
from tests.projections.harness import ReadModels
from tests.support import signing
from tests.support.instance import Instance, trade

COMPANY = "pastco"
HALF = "2025-10-09T09:03:20Z"  # the time of trade 10


@pytest.fixture(scope="module")
def positions(instance: Instance) -> tuple[str, str]:
    """Trades 0 to 9 are known at the first position, 10 to 19 at the second."""
    first = instance.take([trade(COMPANY, n, pnl=1.0) for n in range(10)])
    instance.take([trade(COMPANY, n, pnl=2.0) for n in range(10, 20)])
    answer = instance.answer("query", "trading_totals", "--company", COMPANY)
    return first, str(answer["position"])


def test_a_query_is_answered_as_of_a_time_and_a_position(instance: Instance, positions: tuple[str, str]) -> None:
    """Alike at both doors; the same form as today's answer."""
    first, last = positions
    with instance.client("auditor", COMPANY) as client:
        asked = {"as_of": HALF}, {"as_known_at": first}, {"as_known_at": last}, {"as_of": HALF, "as_known_at": last}
        found = [client.get("/api/v1/query/trading_totals", params=params).json() for params in asked]
    assert [f["rows"][0]["total_pnl"] for f in found] == ["10", "10", "30", "10"]
    assert found[2]["rows"][0]["total_trades"] == 20
    today = instance.answer("query", "trading_totals", "--company", COMPANY)
    assert found[2].keys() == {*today, "as_known_at", "as_of_event_time", "asked_at", "scanned"}
    assert [f["as_of_event_time"] for f in found] == [HALF, None, None, HALF]
    on_command_line = instance.answer("query", "trading_totals", "--company", COMPANY, "--as-of", HALF, "--as-of", last)
    assert {**on_command_line, "scanned": {}} == {**found[3], "scanned": {}}
    known = instance.answer("query", "trading_totals", "--company", COMPANY, "--as-of", first)
    assert known["asked_at"] == found[1]["asked_at"] < found[2]["asked_at"], "the log took the second part later"
    assert found[3]["asked_at"] == HALF


def test_a_measure_is_explained_page_by_page(instance: Instance, positions: tuple[str, str]) -> None:
    """The shares of all pages add up to the value, newest first, and later events do not move the pages."""
    shares, cursor = list[Decimal](), ""
    with instance.client("analyst", COMPANY) as client:
        while True:
            params = {"measure": "total_pnl", "limit": "8", "order": "newest", "cursor": cursor}
            page = client.get("/api/v1/query/trading_totals/explain", params=params).json()
            shares += [Decimal(e["share"]) for e in page["events"]]
            if not shares[8:]:
                instance.take([trade(COMPANY, 99, pnl=5.0)])
            if (cursor := page["next_cursor"]) is None:
                break
    assert (sum(shares), page["value"], page["total"]) == (30, "30", 20)
    assert shares == [Decimal(2)] * 10 + [Decimal(1)] * 10
    shown = instance.command("explain", "trading_totals", "largest_win", "--company", COMPANY)
    assert f"{COMPANY}-99" in shown.stdout
    assert "largest_win = 5 USD, max of 1 events; days of UTC" in shown.stderr


@pytest.mark.parametrize(
    ("path", "params", "code"),
    [
        ("", {"as_of": "yesterday"}, "bad_parameter"),
        ("", {"as_known_at": "x"}, "bad_position"),
        ("", {"as_known_at": "trading-events:0=99999999"}, "not_yet"),
        ("/explain", {}, "missing_parameter"),
        ("/explain", {"measure": "win_rate"}, "unknown_measure"),
        ("/explain", {"measure": "total_pnl", "cursor": "WzFd"}, "bad_parameter"),
        ("/explain", {"measure": "total_pnl", "limit": "0"}, "bad_parameter"),
        ("/explain", {"measure": "total_pnl", "order": "up"}, "bad_parameter"),
    ],
)
def test_what_cannot_be_meant_is_refused(instance: Instance, path: str, params: dict[str, str], code: str) -> None:
    """With the code of what is wrong."""
    with instance.client("auditor", COMPANY) as client:
        answer = client.get(f"/api/v1/query/trading_totals{path}", params=params)
    assert (answer.json()["code"], answer.status_code < 500) == (code, True)


def test_the_past_is_for_those_who_may(instance: Instance) -> None:
    """A viewer may not ask; another company's auditor neither."""
    for role, company in (("viewer", COMPANY), ("auditor", "otherco")):
        with instance.client(role, company) as client:
            for path in ("?as_of=2026-01-01&", "/explain?measure=total_pnl&"):
                answer = client.get(f"/api/v1/query/trading_totals{path}company={COMPANY}")
                assert answer.status_code == 403


async def test_a_snapshot_knows_its_latest_event_where_the_index_covers_it(database_url: str) -> None:
    """With every block indexed the latest time is theirs; with a hole it is not known. Old copies go, with tables."""
    trading = projection("trading")
    ReadModels(database_url, [trading]).restart()
    index = PostgresEventIndex(database_url)
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "INSERT INTO checkpoints SELECT 'trading', %s, 'trading-events', 0, 20, 20, 0, 0, 0, 0", (trading.version,)
        )
    with closing(signing.snapshots(database_url)) as snapshots:
        assert snapshots.take(trading).latest is None
        for first, latest in ((10, 900), (0, 700)):
            await index.add(
                BlockSummary("trading-events", 0, first, first + 10, 10, 1, 1, latest, 1, ["a"], ["b"], b"\0")
            )
            known = snapshots.take(trading).latest
        assert known == 900
        gone = snapshots.keep(trading, 1)
        assert (len(gone), len(snapshots.stored(trading))) == (2, 1)
    await index.close()
    with psycopg.connect(database_url) as connection:
        copies = connection.execute("SELECT count(*) FROM pg_tables WHERE tablename LIKE 'trade\\_v_\\_s%'").fetchone()
    assert copies == (1,)
