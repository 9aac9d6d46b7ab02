"""Insights over HTTP, on a running instance: tiers, evidence that can be asked again, predictions in the log."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from read_api.http.insights import QUERIES
from tests.read_api.http.test_http import problem
from tests.support.instance import Instance, trade

COMPANY, DAYS = "insightco", 42
HEAVY = ("statsmodels", "sklearn", "scipy", "pandas", "polars")  # numpy is what formulas of metrics are computed with


@pytest.fixture(scope="module")
def position(instance: Instance) -> str:
    """A trade on each of the last six weeks' days, each bringing one more than the one before."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    lines = []
    for number in range(DAYS):
        closed = int((today - timedelta(days=DAYS - number) + timedelta(hours=12)).timestamp() * 1000)
        line = trade(COMPANY, number, pnl=100.0 + number + (number % 7))
        line["timestamp"] = closed
        line["payload"] = {**line["payload"], "closed_at": closed, "opened_at": closed - 1}  # type: ignore[dict-item]  # a mapping
        lines.append(line)
    return instance.take(lines)


def client(instance: Instance, tier: str, company: str = COMPANY) -> httpx.Client:
    """A viewer of that tier."""
    opened = instance.client("viewer", company, "--tier", tier)
    opened.timeout = 120  # libraries are loaded at the first question, which takes its time on a busy machine
    return opened


def asked(kind: str) -> dict[str, str]:
    """Parameters of a question of that kind."""
    more = {"drivers": {"metric": "total_pnl", "by": "strategy"}, "forecast": {"metric": "total_pnl", "horizon": "5"}}
    of_metric = QUERIES[kind] in ("insights", "competitive")
    return {"kind": kind, **more.get(kind, {"metric": "total_pnl"} if of_metric else {})}


@pytest.mark.parametrize("kind", sorted(QUERIES))
def test_every_kind_is_answered_to_whom_it_is_open(instance: Instance, position: str, kind: str) -> None:
    """With a finding or a reason, and always with method, sample, minimum and evidence."""
    with client(instance, "ENTERPRISE" if kind == "competitive" else "PRO") as viewer:
        answer = viewer.get("/api/v1/insights", params=asked(kind), headers={"X-Min-Position": position})
    assert answer.status_code == 200, answer.text
    for row in answer.json()["rows"]:
        assert row["kind"] == kind
        assert (row["finding"] is None) is bool(row.get("reasons"))
        assert row["method"]
        assert row["evidence"]
        assert row["minimum"] >= 1
    assert answer.headers["x-position"] == answer.json()["position"]


@pytest.mark.parametrize("kind", ["forecast", "churn", "lifetime_value", "survival"])
@pytest.mark.parametrize("tier", ["FREE", "BASIC"])
def test_predicting_kinds_need_pro(instance: Instance, kind: str, tier: str) -> None:
    """At this door and at that of the query."""
    with client(instance, tier) as viewer:
        for path, params in (
            ("/api/v1/insights", asked(kind)),
            (f"/api/v1/query/{QUERIES[kind]}", {k: v for k, v in asked(kind).items() if k != "kind"}),
        ):
            refused = problem(viewer.get(path, params=params), 403, "forbidden_tier")
            assert "predictive" in str(refused["detail"])


def test_free_sees_thirty_days(instance: Instance, position: str) -> None:
    """The series begins where the tier's history does."""
    with client(instance, "FREE") as viewer:
        (row,) = viewer.get("/api/v1/insights", params=asked("trend")).json()["rows"]
    assert row["evidence"]["days"] == 30


def test_another_company_is_forbidden(instance: Instance, position: str) -> None:
    """403 for a token of somebody else."""
    with client(instance, "ENTERPRISE", "otherco") as viewer:
        answer = viewer.get("/api/v1/insights", params={**asked("trend"), "company": COMPANY})
    problem(answer, 403, "forbidden_company")


def test_an_unknown_kind_is_told_which_there_are(instance: Instance) -> None:
    """400, not an empty answer."""
    with client(instance, "PRO") as viewer:
        document = problem(viewer.get("/api/v1/insights", params={"kind": "oracle"}), 400, "bad_parameter")
    assert "forecast" in str(document["detail"])


def test_a_forecast_is_recorded_once(instance: Instance, position: str) -> None:
    """Five steps are five predictions, however often it is asked; on the command line the same answer."""
    with client(instance, "PRO") as viewer:
        params = {"metric": "total_pnl", "horizon": "5"}
        first, second = (viewer.get("/api/v1/query/forecast", params=params).json()["rows"] for _ in range(2))
        assert first == second
        instance.wait()
        made: list[dict[str, Any]] = viewer.get("/api/v1/query/predictions", params={"what": "total_pnl"}).json()[
            "rows"
        ]
    assert [p["value"] for p in made] == [pytest.approx(s["value"], abs=1e-6) for s in first[0]["finding"]["steps"]]
    known = date.fromisoformat(first[0]["finding"]["steps"][0]["day"]) + timedelta(days=1)
    assert made[0]["due_at"] == f"{known}T00:00:00Z"
    told = instance.answer("query", "forecast", "--company", COMPANY, "--param", "metric=total_pnl", "-p", "horizon=5")
    assert told["rows"] == first


def test_the_api_process_stays_small(instance: Instance, position: str) -> None:
    """After all that it has loaded none of the heavy libraries, and has hardly grown.

    Not how large it is: other tests ask the same process for answers of many rows, in whatever order.
    """
    (process,) = (child for child in instance.children() if "read-api" in child.cmdline())
    before = process.memory_info().rss
    with client(instance, "PRO") as viewer:
        assert viewer.get("/api/v1/insights", params=asked("forecast")).status_code == 200
    mapped = {part for area in process.memory_maps() for part in Path(area.path).parts}
    assert sorted(mapped & set(HEAVY)) == []
    assert process.memory_info().rss - before <= 20 * 2**20
