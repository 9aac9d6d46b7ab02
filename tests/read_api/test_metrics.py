"""Metrics over HTTP and on the command line, on a running instance."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from domain.metrics.catalogue import METRICS
from tests.support.instance import Instance, trade

COMPANY = "metricco"


@pytest.fixture(scope="module")
def position(instance: Instance) -> str:
    """Ten trades, of which nine earned money, are folded."""
    return instance.take([trade(COMPANY, n, pnl=float(n)) for n in range(10)])


@pytest.fixture(scope="module")
def client(instance: Instance, position: str) -> Iterator[httpx.Client]:
    """An analyst of the company."""
    with instance.client("analyst", COMPANY) as opened:
        yield opened


def test_the_catalogue_lists_every_metric(client: httpx.Client, instance: Instance) -> None:
    """Alike over HTTP and on the command line."""
    found = client.get("/api/v1/metrics").json()["metrics"]
    assert [entry["key"] for entry in found] == list(METRICS)
    assert found == instance.answer("metrics", "--json")


def test_a_metric_is_the_query_with_its_key(client: httpx.Client) -> None:
    """The same rows under both addresses; what they stand for is in each."""
    over_path = client.get("/api/v1/metrics/total_pnl", params={"by": "symbol"})
    over_query = client.get("/api/v1/query/metric", params={"key": "total_pnl", "by": "symbol"})
    assert over_path.status_code == 200, over_path.text
    assert over_path.json()["rows"][0]["value"] == over_query.json()["rows"][0]["value"] == "45"
    (row,) = over_path.json()["rows"]
    assert row["position"] == over_path.headers["x-position"]
    assert (row["unit"], row["convention"], row["definition_version"]) == ("money", "canonical", 1)


def test_a_metric_of_the_past_is_what_was_known_then(client: httpx.Client, position: str) -> None:
    """As known at the position of all trades; and as of a time before any of them, when there was no value."""
    now = client.get("/api/v1/metrics/win_rate").json()["rows"][0]
    then = client.get("/api/v1/metrics/win_rate", params={"as_known_at": position})
    assert then.status_code == 200, then.text
    assert then.json()["rows"][0]["value"] == now["value"] == 0.9
    (before,) = client.get("/api/v1/metrics/win_rate", params={"as_of": "2001-01-01"}).json()["rows"]
    assert (before["value"], before["reason"]) == (None, "no_trades")


def test_the_events_behind_a_metric(client: httpx.Client) -> None:
    """Of its first measure, or of the one that is named."""
    found = client.get("/api/v1/metrics/win_rate/explain").json()
    assert (found["query"], found["measure"], found["value"], found["total"]) == (
        "trading_totals",
        "winning_trades",
        9,
        9,
    )
    named = client.get("/api/v1/metrics/win_rate/explain", params={"measure": "trading_totals.total_trades"}).json()
    assert named["value"] == 10
    for key, params in (("win_rate", {"measure": "trading_totals.nothing"}), ("mtta", {})):
        assert client.get(f"/api/v1/metrics/{key}/explain", params=params).json()["code"] == "bad_measure"


def test_a_metric_is_explained_by_all_that_it_is_made_of(client: httpx.Client, instance: Instance) -> None:
    """Formula, every sum that the formula reads with its value, and the events behind each; on the command line too."""
    found = client.get("/api/v1/metrics/win_rate/explain").json()
    assert (found["metric"], found["formula"]) == ("win_rate", METRICS["win_rate"].formula)
    made_of = {each["ingredient"]: each for each in found["ingredients"]}
    assert {name: each["value"] for name, each in made_of.items()} == {
        "trading_totals.winning_trades": 9,
        "trading_totals.total_trades": 10,
    }
    for each in found["ingredients"]:
        (measure,) = each["explained_by"]
        behind = client.get("/api/v1/metrics/win_rate/explain", params={"measure": measure}).json()
        assert behind["total"] == each["value"] == behind["value"]
    then = client.get("/api/v1/metrics/win_rate/explain", params={"as_of": "2001-01-01"}).json()
    assert {each["ingredient"]: each["value"] for each in then["ingredients"]} == dict.fromkeys(made_of)
    assert client.get("/api/v1/metrics/plan_mix/explain").json()["ingredients"] == []  # a table has none
    on_command_line = instance.answer("explain", "metric", "win_rate", "--company", COMPANY, "--json")
    assert on_command_line["formula"] == found["formula"]
    assert {each["ingredient"] for each in on_command_line["ingredients"]} == {*made_of}
    assert [each["event_id"] for each in on_command_line["events"]] == [each["event_id"] for each in found["events"]]


def test_key_figures_are_the_same_over_http_and_on_the_command_line(client: httpx.Client, instance: Instance) -> None:
    """All that the catalogue calls a key figure, in its order."""
    over_http = client.get("/api/v1/kpis", params={"at": "2025-10-15"})
    assert over_http.status_code == 200, over_http.text
    rows = over_http.json()["rows"]
    assert [row["key"] for row in rows] == [key for key, entry in METRICS.items() if entry.kpi]
    on_command_line = instance.answer("kpis", "--company", COMPANY, "--at", "2025-10-15", "--json")
    assert rows == on_command_line["rows"]


def test_key_figures_of_the_past_are_those_of_the_present_at_the_same_position(
    client: httpx.Client, position: str
) -> None:
    """Told anew from the log."""
    asked = {"at": "2025-10-15"}
    now = client.get("/api/v1/kpis", params=asked).json()["rows"]
    then = client.get("/api/v1/kpis", params={**asked, "as_known_at": position})
    assert then.status_code == 200, then.text
    assert then.json()["rows"] == now


def test_a_metric_that_is_none_is_not_found(client: httpx.Client) -> None:
    """With what to do instead; a table says which query tells it."""
    missing = client.get("/api/v1/metrics/nothing")
    assert (missing.status_code, missing.json()["code"]) == (404, "unknown_metric")
    table = client.get("/api/v1/metrics/retention")
    assert (table.status_code, table.json()["code"]) == (400, "table_metric")


def test_a_free_tier_sees_the_last_days_of_a_metric(instance: Instance, position: str) -> None:
    """The trades of the past are left out where no period is given, and refused where one is."""
    token = instance.token("viewer", COMPANY, "--tier", "FREE")
    with httpx.Client(
        base_url=instance.addresses["read_api"], headers={"Authorization": f"Bearer {token}"}, timeout=30
    ) as free:
        refused = free.get("/api/v1/kpis", params={"at": "2020-10-15"})
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden_tier")
        refused = free.get("/api/v1/metrics/win_rate", params={"from": "2020-10-15"})
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden_tier")
        assert free.get("/api/v1/metrics/win_rate").status_code == 200
