"""Rates at the doors: a tenant that floods is told to wait, and another one does not notice."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import httpx
import pytest
from services.analytics_service_pb2_grpc import AnalyticsServiceStub
from services.operations_pb2 import HealthCheckRequest
from websockets.sync.client import connect

from adapters.servers.servers import Addresses
from domain.access.rights import Tier
from tests.support.instance import Instance, run_command, trade
from tests.support.serving import serving

FLOOD = 300


@pytest.fixture(scope="module")
def small(
    servers: Addresses, new_database: Callable[[], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Instance]:
    """Doors that allow a twentieth of the table: 5 reads a second to a tenant of tier BASIC."""
    with serving(tmp_path_factory.mktemp("small"), servers, new_database(), rate_limits=0.05) as doors:
        yield doors


def test_a_tenant_that_floods_is_told_to_wait_and_another_is_answered(small: Instance) -> None:
    """429 with the problem document and Retry-After for one, 200 for the other all the while."""
    path = "/api/v1/query/trading_totals"
    with small.client("viewer", "floodco", "--tier", "BASIC") as flood, small.client("viewer", "calmco") as calm:
        calm_one, refused = Counter[int](), list[httpx.Response]()
        with ThreadPoolExecutor(4) as pool:
            flooding = [pool.submit(flood.get, path) for _ in range(FLOOD)]
            for _ in range(10):
                calm_one[calm.get(path).status_code] += 1
            refused = [answer for f in flooding if (answer := f.result()).status_code != 200]
    assert calm_one == {200: 10}
    assert len(refused) > FLOOD / 2
    problem = refused[-1].json()
    assert {answer.status_code for answer in refused} == {429}
    assert (problem["code"], problem["status"], problem["service"]) == ("rate_limited", 429, "read-api")
    assert int(refused[-1].headers["retry-after"]) >= 1
    assert problem["suggested_actions"]


def test_a_service_that_publishes_too_much_is_told_to_wait(small: Instance) -> None:
    """The body that went beyond was taken whole; the next one comes back with 429."""
    lines = "".join(json.dumps(trade("pubco", number)) + "\n" for number in range(800))
    headers = {"Authorization": f"Bearer {small.token('service', 'pubco', '--tier', 'FREE')}",
               "Content-Type": "application/x-ndjson"}  # fmt: skip
    address = small.addresses["command_api"] + "/api/v1/events"
    first = httpx.post(address, content=lines, headers=headers, timeout=60)
    assert (first.status_code, first.json()["accepted"]) == (200, 800)
    second = httpx.post(address, content=lines, headers=headers, timeout=60)
    assert (second.status_code, second.json()["code"]) == (429, "rate_limited")
    assert int(second.headers["retry-after"]) >= 1


def test_too_many_calls_end_with_resource_exhausted(small: Instance) -> None:
    """With the seconds to wait in the trailing metadata."""
    metadata = (("authorization", f"Bearer {small.token('viewer', 'grpcco', '--tier', 'FREE')}"),)
    codes: list[grpc.StatusCode | None] = []
    with grpc.insecure_channel(small.addresses["grpc"]) as channel:
        for _ in range(20):
            call = AnalyticsServiceStub(channel).HealthCheck.future(HealthCheckRequest(), metadata=metadata)
            codes.append(call.code())
        assert codes[0] is grpc.StatusCode.OK
        assert codes[-1] is grpc.StatusCode.RESOURCE_EXHAUSTED
        trailing = dict(call.trailing_metadata())
    assert int(trailing["retry-after"]) >= 1
    assert trailing["x-error-code"] == "rate_limited"


def test_too_many_subscriptions_are_refused_and_the_connection_goes_on(small: Instance) -> None:
    """Each one is a question."""
    with connect(small.addresses["read_api"].replace("http", "ws") + "/api/v1/live") as socket:
        socket.send(json.dumps({"type": "token", "token": small.token("viewer", "wsco", "--tier", "FREE")}))
        for number in range(10):
            asked = {"query": "trading_totals", "company": "wsco", "params": {}}
            socket.send(json.dumps({"type": "subscribe", "id": str(number), **asked}))
        codes = Counter[str]()
        while codes["rate_limited"] < 6 or not codes["snapshot"]:
            message = json.loads(socket.recv(timeout=60))
            codes[message["problem"]["code"] if message["type"] == "error" else message["type"]] += 1
    assert codes["rate_limited"] + codes["snapshot"] <= 10


def test_access_shows_the_limits() -> None:
    """Beside roles and tiers."""
    shown = run_command("access", "--json").stdout
    limits = {row["name"]: row["allows"] for row in json.loads(shown) if row["kind"] == "limit"}
    assert set(limits) == set(Tier)
    assert limits["FREE"].startswith("reads 20/s (burst 60), commands 2/s")
