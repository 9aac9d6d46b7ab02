"""How old an answer may be is said alike at both doors: as a parameter over HTTP, as metadata over gRPC."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import grpc
import httpx
import pytest
from common.read_scope_pb2 import ReadScope
from services.analytics_service_pb2_grpc import AnalyticsServiceStub
from services.kpis_pb2 import GetKPIsRequest

from tests.support.instance import Instance, trade

BEGIN, END = 1_759_276_800_000, 1_761_955_200_000  # October 2025
PARAMS = {"from": "2025-10-01", "to": "2025-11-01"}
Ask = Callable[[str, dict[str, str]], tuple[str, bool]]  # company, what is said of freshness → position, complete
REFUSED = pytest.raises((httpx.HTTPStatusError, grpc.RpcError))


def over_http(instance: Instance) -> Iterator[Ask]:
    """All key figures over HTTP."""
    with instance.client("viewer", "*") as client:

        def ask(company: str, said: dict[str, str]) -> tuple[str, bool]:
            answer = client.get("/api/v1/kpis", params={**PARAMS, **said, "company": company}).raise_for_status()
            return answer.headers["x-position"], answer.json()["complete"]

        yield ask


def over_grpc(instance: Instance) -> Iterator[Ask]:
    """All key figures over gRPC."""
    token = instance.token("viewer", "*")
    with grpc.insecure_channel(instance.addresses["grpc"]) as channel:
        stub = AnalyticsServiceStub(channel)

        def ask(company: str, said: dict[str, str]) -> tuple[str, bool]:
            own = ((f"x-{name.replace('_', '-')}", text) for name, text in said.items())
            metadata = (("authorization", f"Bearer {token}"), *own)
            request = GetKPIsRequest(scope=ReadScope(company_id=company, from_time=BEGIN, to_time=END))
            stands_for = stub.GetKPIs(request, metadata=metadata, timeout=60).provenance
            return stands_for.position, stands_for.complete

        yield ask


@pytest.fixture(params=[over_http, over_grpc])
def ask(request: pytest.FixtureRequest, instance: Instance) -> Iterator[Ask]:
    """One of the doors."""
    yield from request.param(instance)


def test_an_answer_is_as_old_as_its_caller_says(instance: Instance, ask: Ask, request: pytest.FixtureRequest) -> None:
    """Exact by default and where a refresh is forced; one of before, which says so, where that will do."""
    company = f"fresh{request.node.callspec.params['ask'].__name__.removeprefix('over_')}co"
    instance.take([trade(company, 1)])
    ask(company, {})
    before = ask(company, {})
    instance.take([trade(company, 2)])
    assert ask(company, {"max_staleness": "600"}) == (before[0], False)
    forced, stale = ask(company, {"max_staleness": "600", "force_refresh": "true"}), before[0]
    assert forced[0] != stale
    assert ask(company, {}) == forced


BAD = ("3601", "-1", "9" * 5_000)  # the last is longer than Python reads


@pytest.mark.parametrize("said", [*({"max_staleness": text} for text in BAD), {"force_refresh": "yes"}])
def test_what_it_may_not_say_is_refused(ask: Ask, said: dict[str, str]) -> None:
    """Rather than ignored."""
    with REFUSED as refused:
        ask("freshco", said)
    error = refused.value
    if isinstance(error, httpx.HTTPStatusError):
        assert error.response.json()["code"] == "bad_parameter"
    else:
        assert isinstance(error, grpc.Call)
        assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
