"""Competitive insights on a running instance: who is told what, and that nothing of a peer is anywhere in it."""

from __future__ import annotations

import json
import time
from typing import Any

import grpc
import httpx
import pytest
from services import analytics_service_pb2_grpc as service
from services import insights_pb2 as insights

from tests.read_api.http.test_http import problem
from tests.support.instance import Instance, trade

ASKED = {"metric": "total_pnl", "from": "2025-10-01", "to": "2025-11-01"}
OURS, FEW = "standingco", "lonelyco"
PEERS = tuple(f"hiddenpeer{number}" for number in range(5))
FEW_PEERS = tuple(f"hiddenfew{number}" for number in range(4))
ELSEWHERE = ("hiddenelse0", "hiddenelse1")
WITHIN = 15.0  # seconds until what was noted is folded


def gives(instance: Instance, company: str, command: str, **body: object) -> str:
    """A command of the company; its position token."""
    given = ("command", f"company.{command}", "--company", company, "--body", json.dumps(body), "--json")
    return str(instance.answer(*given)["position"])


@pytest.fixture(scope="module")
def position(instance: Instance) -> str:
    """Six companies of ENTERPRISE, five of BASIC and two of PRO: all agreed, and have traded."""
    tiers = {
        **dict.fromkeys((OURS, *PEERS), "ENTERPRISE"),
        **dict.fromkeys((FEW, *FEW_PEERS), "BASIC"),
        **dict.fromkeys(ELSEWHERE, "PRO"),
    }
    instance.take([trade(company, number, pnl=1.5 + number) for number, company in enumerate(tiers)])
    told = ""
    for company, tier in tiers.items():
        gives(instance, company, "change_tier", tier=tier)
        told = gives(instance, company, "change_consent", benchmark_consent=True)
    instance.wait(told)
    return told


def ask(instance: Instance, company: str, tier: str = "ENTERPRISE", since: str = "", of: str = "") -> httpx.Response:
    """What a viewer of the company is answered; `of`: of another company, or of all of them."""
    with instance.client("viewer", of or company, "--tier", tier) as viewer:
        headers = {"X-Min-Position": since} if since else {}
        asked = {"kind": "competitive", "company": company, **ASKED}
        return viewer.get("/api/v1/insights", params=asked, headers=headers)


def row(answer: httpx.Response) -> dict[str, Any]:
    """The one row; nothing of a peer is in it."""
    assert answer.status_code == 200, answer.text
    assert "hidden" not in answer.text
    (found,) = answer.json()["rows"]
    return dict(found)


def test_six_companies_that_agreed_are_compared(instance: Instance, position: str) -> None:
    """At every door the same, and the question behind it can be asked again."""
    found = row(ask(instance, OURS, since=position))
    assert found["finding"]["tier"] == "ENTERPRISE"
    assert found["finding"]["percentile"] % 5 == 0
    assert (found["sample"], found["minimum"]) == (5, 5)
    with instance.client("analyst", OURS, "--tier", "ENTERPRISE") as analyst:
        named = analyst.get("/api/v1/query/competitive", params=ASKED)
        own = analyst.get("/api/v1/query/metric", params=found["evidence"]["params"])
    assert row(named) == found
    assert own.json()["rows"][0]["value"] == "1.5"
    params = [word for name, value in ASKED.items() for word in ("-p", f"{name}={value}")]
    assert instance.answer("query", "competitive", "--company", OURS, *params)["rows"] == [found]


def compare(instance: Instance, company: str, tier: str = "ENTERPRISE", of: str = "", **more: Any) -> Any:
    """The comparison over gRPC, of the period of ASKED."""
    scope = {"company_id": company, "from_time": 1_759_276_800_000, "to_time": 1_761_955_200_000} | more.pop(
        "scope", {}
    )
    wanted = insights.GetCompetitiveAnalysisRequest(scope=scope, metrics=more.pop("metrics", ["total_pnl"]), **more)
    token = instance.token("viewer", of or company, "--tier", tier)
    with grpc.insecure_channel(instance.addresses["grpc"]) as channel:
        stub = service.AnalyticsServiceStub(channel)
        return stub.GetCompetitiveAnalysis(wanted, metadata=(("authorization", f"Bearer {token}"),), timeout=30)


def test_the_comparison_over_grpc_is_that_over_http(instance: Instance, position: str) -> None:
    """Beside the company's own value; no value of a peer is in it, and each metric has a comparison of its own."""
    found = row(ask(instance, OURS, since=position))
    told = compare(instance, OURS, metrics=["total_pnl", "win_rate"], scope={"min_position": position})
    first, second = told.comparisons
    assert (first.own.key, first.own.value.decimal, first.own.unit) == ("total_pnl", "1.5", "money")
    assert first.percentile == found["finding"]["percentile"] / 100
    assert (first.reason, first.median.reason, first.median.WhichOneof("kind")) == ("", "withheld", None)
    assert (second.own.key, second.own.value.number) == ("win_rate", 1.0)
    assert (told.peers, told.provenance.query) == (5, "competitive")
    assert told.provenance.position
    few = compare(instance, FEW, of="*")
    assert (few.comparisons[0].reason, few.comparisons[0].HasField("percentile"), few.peers) == ("too_few", False, 0)


def test_what_a_compared_metric_rests_on_is_told(instance: Instance, position: str) -> None:
    """By every door as where the metric is asked for alone; of one that rests on trades, nothing."""
    keys, params = ("max_drawdown", "total_pnl"), {**ASKED, "metric": ""}
    told = compare(instance, OURS, metrics=keys, scope={"min_position": position})
    said = []
    with instance.client("analyst", OURS, "--tier", "ENTERPRISE") as analyst:
        for key, comparison in zip(keys, told.comparisons, strict=True):
            found = row(analyst.get("/api/v1/query/competitive", params={**params, "metric": key}))
            (own,) = analyst.get("/api/v1/query/metric", params=found["evidence"]["params"]).json()["rows"]
            assert found.get("basis", "") == own.get("basis", "") == comparison.own.basis
            said.append(comparison.own.basis)
    assert said == ["pnl", ""]


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"metrics": []}, grpc.StatusCode.INVALID_ARGUMENT),
        ({"metrics": ["no_metric"]}, grpc.StatusCode.NOT_FOUND),
        ({"peer_group": "country"}, grpc.StatusCode.INVALID_ARGUMENT),
        ({"scope": {"convention": "platform"}}, grpc.StatusCode.INVALID_ARGUMENT),
        ({"scope": {"from_time": 1_759_276_800_001}}, grpc.StatusCode.INVALID_ARGUMENT),
        ({"scope": {"from_time": 2**62}}, grpc.StatusCode.INVALID_ARGUMENT),
        ({"scope": {"to_time": -1}}, grpc.StatusCode.INVALID_ARGUMENT),
        ({"tier": "PRO", "of": "*"}, grpc.StatusCode.PERMISSION_DENIED),
    ],
)
def test_what_comparisons_do_not_know_is_refused(
    instance: Instance, position: str, asked: dict[str, Any], code: grpc.StatusCode
) -> None:
    """And not left out in silence."""
    with pytest.raises(grpc.RpcError) as refused:
        compare(instance, OURS, **asked)
    assert refused.value.code() is code


def test_five_of_a_tier_have_four_peers_and_are_told_nothing(instance: Instance, position: str) -> None:
    """However many agreed in other tiers."""
    found = row(ask(instance, FEW, since=position, of="*"))
    assert (found["finding"], found["reasons"], found["sample"]) == (None, {"finding": "too_few"}, 0)


def test_a_company_that_withdraws_is_neither_counted_nor_told(instance: Instance, position: str) -> None:
    """From its command on; when it agrees again, it is."""
    assert row(ask(instance, OURS))["finding"]
    withdrawn = gives(instance, PEERS[0], "change_consent", benchmark_consent=False)
    try:
        assert row(ask(instance, OURS, since=withdrawn))["reasons"] == {"finding": "too_few"}
        assert row(ask(instance, PEERS[0]))["reasons"] == {"finding": "not_agreed"}
    finally:
        again = gives(instance, PEERS[0], "change_consent", benchmark_consent=True)
    instance.wait(again)
    assert row(ask(instance, OURS))["finding"]
    own = gives(instance, OURS, "change_consent", benchmark_consent=False)
    try:
        assert row(ask(instance, OURS, since=own))["reasons"] == {"finding": "not_agreed"}
    finally:
        again = gives(instance, OURS, "change_consent", benchmark_consent=True)
    instance.wait(again)


@pytest.mark.parametrize("tier", ["FREE", "BASIC", "PRO"])
def test_comparing_needs_enterprise(instance: Instance, position: str, tier: str) -> None:
    """At both addresses, for a company that has no stored tier."""
    assert "competitive" in str(problem(ask(instance, "untiered", tier), 403, "forbidden_tier")["detail"])
    with instance.client("analyst", "untiered", "--tier", tier) as analyst:
        problem(analyst.get("/api/v1/query/competitive", params=ASKED), 403, "forbidden_tier")


def test_the_past_is_not_compared(instance: Instance, position: str) -> None:
    """Nor explained: the answer says so."""
    with instance.client("analyst", OURS, "--tier", "ENTERPRISE") as analyst:
        past = analyst.get("/api/v1/query/competitive", params={**ASKED, "as_of": "2025-12-01"})
        behind = analyst.get("/api/v1/query/competitive/explain", params={**ASKED, "measure": "percentile"})
    problem(past, 400, "no_past")
    problem(behind, 400, "composed_query")


def heard(instance: Instance, company: str) -> list[dict[str, Any]]:
    """The company's trail, without what was done on the command line."""
    found: list[dict[str, Any]] = instance.answer("query", "audit_trail", "--company", company)["rows"]
    return [note for note in found if note["subject"] != "local-operator"]


def test_no_peer_hears_or_is_heard_of(instance: Instance, position: str) -> None:
    """Not in our trail, not in theirs, not in what the processes write."""
    row(ask(instance, OURS))
    deadline = time.monotonic() + WITHIN
    while not (ours := heard(instance, OURS)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert ours
    assert "hidden" not in json.dumps(ours)
    assert heard(instance, PEERS[1]) == []
    assert "hidden" not in instance.log.read_text()
