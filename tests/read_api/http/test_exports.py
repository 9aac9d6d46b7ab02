"""Exports over HTTP, gRPC and the command line: all rows, gone on with where they were broken off, one's own alone."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import grpc
import httpx
import polars as pl
import pytest
from common.read_scope_pb2 import ReadScope
from hypothesis import given
from hypothesis import strategies as st
from services import queries_pb2 as queries
from services.analytics_service_pb2_grpc import AnalyticsServiceStub

from read_api.http.byte_ranges import UNSATISFIABLE, byte_range
from tests.support.instance import Instance, trade
from tests.support.waiting import eventually

COMPANY, OTHER = "exportco", "otherexportco"
COUNT = 2_500  # trades: more than an answer shows
EXPORT = "/api/v1/analytics/export"


@pytest.fixture(scope="module")
def exporting(instance: Instance) -> Instance:
    """One that has more trades than a page."""
    instance.take([trade(COMPANY, n, pnl=n / 8) for n in range(COUNT)] + [trade(OTHER, COUNT)])
    return instance


@pytest.fixture(scope="module")
def client(exporting: Instance) -> Iterator[httpx.Client]:
    """Of somebody who may export."""
    with exporting.client("admin", COMPANY) as client:
        yield client


def test_all_rows_come_and_are_what_the_total_says(client: httpx.Client) -> None:
    """Beyond the rows of a page; the amounts add up; the answer says what they stand for."""
    answer = client.get(EXPORT, params={"query": "trades", "format": "parquet"})
    assert answer.status_code == 200, answer.text
    frame = pl.read_parquet(io.BytesIO(answer.content))
    total = client.get("/api/v1/query/trading_totals").json()["rows"][0]
    assert len(frame) == frame["trade_id"].n_unique() == total["total_trades"] == COUNT
    assert sum(frame["pnl"].to_list()) == Decimal(total["total_pnl"])
    assert "trading-events:" in answer.headers["x-position"]
    assert "trades.parquet" in answer.headers["content-disposition"]


def test_a_download_goes_on_where_it_was_broken_off(client: httpx.Client) -> None:
    """By Range, piece by piece, to the same bytes, whose hash it says; and of another file not at all."""
    with client.stream("GET", EXPORT, params={"query": "trades", "format": "csv"}) as broken:
        path = f"/api/v1/exports/{broken.headers['x-export-id']}"
    ready = eventually(lambda: (found := client.get(path).json())["state"] == "ready" and found)
    assert ready["rows"] == COUNT
    pieces = []
    for begin in range(0, ready["size"], 100_000):
        answer = client.get(f"{path}/file", headers={"Range": f"bytes={begin}-{begin + 99_999}"})
        assert answer.status_code == 206
        assert answer.headers["content-range"].startswith(f"bytes {begin}-")
        pieces.append(answer.content)
    whole = client.get(f"{path}/file")
    assert b"".join(pieces) == whole.content
    assert hashlib.sha256(whole.content).hexdigest() == ready["sha256"] == whole.headers["etag"].strip('"')
    assert len(whole.content) == ready["size"] == int(whole.headers["content-length"])
    last = client.get(f"{path}/file", headers={"Range": "bytes=-10", "If-Range": whole.headers["etag"]})
    assert (last.status_code, last.content) == (206, whole.content[-10:])
    assert client.get(f"{path}/file", headers={"Range": "bytes=0-1", "If-Range": '"other"'}).content == whole.content
    beyond = client.get(f"{path}/file", headers={"Range": f"bytes={ready['size']}-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{ready['size']}")


def test_an_export_is_ones_own(exporting: Instance, client: httpx.Client) -> None:
    """Neither another company nor somebody else of the same finds it; roles that may not export are refused."""
    export_id = client.get(EXPORT, params={"query": "trades"}).headers["x-export-id"]
    with (
        exporting.client("admin", OTHER) as other,
        exporting.client("analyst", COMPANY) as colleague,
        exporting.client("viewer", COMPANY) as viewer,
    ):
        for path in (f"/api/v1/exports/{export_id}", f"/api/v1/exports/{export_id}/file"):
            assert client.get(path).status_code == 200
            assert other.get(path).status_code == 404
            assert other.get(path, params={"company": COMPANY}).status_code == 403
            assert colleague.get(path).status_code == 404
            assert viewer.get(path).status_code == 403
        foreign = other.get(EXPORT, params={"query": "trades", "format": "ndjson"})
    assert [json.loads(line)["trade_id"] for line in foreign.text.splitlines()] == [f"t{COUNT}"]


@pytest.mark.parametrize(
    ("params", "status"),
    [
        ({"query": "trades", "nonsense": "1"}, 400),
        ({"query": "trades", "format": "pdf"}, 400),
        ({"query": "trades", "cursor": "x"}, 400),
        ({"query": "trades", "from": "2026-02-01", "to": "2026-01-01"}, 400),
        ({"query": "no_such_thing"}, 404),
        ({"query": "trades", "company": OTHER}, 403),
    ],
)
def test_what_cannot_be_exported_is_refused(client: httpx.Client, params: dict[str, str], status: int) -> None:
    """Before the first byte, with a reason."""
    answer = client.get(EXPORT, params=params)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


def test_every_door_gives_the_same_file(exporting: Instance, client: httpx.Client, tmp_path: Path) -> None:
    """HTTP, gRPC in two parts, and the command line; sorted, because else the order is that of the table."""
    params = {"order": "newest", "from": "2020-01-01"}
    over_http = client.get(EXPORT, params={"query": "trades", "format": "csv", **params}).content
    out = tmp_path / "trades.csv"
    told = exporting.command(
        "export", "trades", "--company", COMPANY, "-p", "order=newest", "-p", "from=2020-01-01", "--out", str(out)
    )
    assert told.exit_code == 0, told.output
    assert out.read_bytes() == over_http
    assert out.stat().st_mode & 0o077 == 0  # for its owner alone
    assert [each.name for each in tmp_path.iterdir()] == ["trades.csv"]
    nowhere = exporting.command("export", "trades", "--company", COMPANY, "--out", str(tmp_path / "no" / "trades.csv"))
    assert (nowhere.exit_code, nowhere.stderr.count("\n")) == (1, 1)
    assert "cannot be written: No such file" in nowhere.stderr
    asked = queries.ExportAnalyticsRequest(
        question=queries.RunAnalyticsQueryRequest(scope=ReadScope(company_id=COMPANY), query="trades", params=params)
    )
    signed = (("authorization", f"Bearer {exporting.token('admin', COMPANY)}"),)
    with grpc.insecure_channel(exporting.addresses["grpc"]) as channel:
        stub = AnalyticsServiceStub(channel)
        pieces = list(stub.ExportAnalytics(asked, metadata=signed, timeout=60))
        assert b"".join(piece.content for piece in pieces) == over_http
        assert pieces[0].file_name == "trades.csv"
        asked.resume_token = pieces[0].resume_token
        rest = list(stub.ExportAnalytics(asked, metadata=signed, timeout=60))
        assert b"".join(piece.content for piece in rest) == over_http[len(pieces[0].content) :]


@given(st.integers(0, 50), st.integers(-2, 60), st.integers(-2, 60))
def test_ranges_are_those_of_the_standard(size: int, begin: int, last: int) -> None:
    """Against a list of bytes: what is within the file, and nothing for what is not."""
    content = list(range(size))
    header = f"bytes={begin if begin >= 0 else ''}-{last if last >= 0 else ''}"
    found = byte_range(header, size)
    if begin < 0:
        expected = None if last < 0 else content[-last:] if last else []
    else:
        expected = None if 0 <= last < begin else content[begin : last + 1 if last >= 0 else None]
    if found is None:
        assert expected is None
    elif found == UNSATISFIABLE:
        assert expected == []
    else:
        assert content[found[0] : found[1]] == expected
