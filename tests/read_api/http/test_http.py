"""The read API over HTTP, asked as a dashboard would ask it, on a running instance."""

from __future__ import annotations

import json
import re
import signal
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from domain.audit import SYSTEM
from domain.position import Position
from read_api.health.prometheus import Metric
from tests.support.instance import Instance, run_command, trade

COMPONENTS = {"log", "bus", "live", "store", "workers", "sealer", "scheduler", "alerter", "projections"}
PROBLEM_MEMBERS = {
    "type", "title", "status", "detail", "instance", "code", "correlation_id", "service", "suggested_actions",
}  # fmt: skip


@pytest.fixture(scope="module")
def position(instance: Instance) -> str:
    """Ten trades of company webco are folded; the position that covers them."""
    return instance.take([trade("webco", n, pnl=float(n)) for n in range(10)])


def problem(response: httpx.Response, status: int, code: str) -> dict[str, object]:
    """The response's problem document, which must be of this status and code."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    document: dict[str, object] = response.json()
    assert set(document) == PROBLEM_MEMBERS
    assert document["code"] == code
    assert document["correlation_id"] == response.headers["x-correlation-id"]
    return document


def test_an_answer_is_the_same_over_http_and_on_the_command_line(instance: Instance, position: str) -> None:
    """Both ask the same function."""
    with instance.client("viewer", "webco") as client:
        over_http = client.get("/api/v1/query/trading_totals", params={"company": "webco", "by": "symbol"}).json()
    on_command_line = instance.answer("query", "trading_totals", "--company", "webco", "--param", "by=symbol")
    assert over_http["rows"] == on_command_line["rows"]
    assert over_http["rows"][0]["total_pnl"] == "45"
    assert set(over_http) == set(on_command_line)
    assert Position.parse(over_http["position"]).reaches(Position.parse(position))


def test_an_answer_says_what_it_stands_for(instance: Instance, position: str) -> None:
    """Position, lag, definition version and correlation id are in the headers as well."""
    with instance.client("viewer", "webco") as client:
        response = client.get("/api/v1/query/trading_totals", headers={"X-Correlation-Id": "mine-1"})
    body = response.json()
    assert response.headers["x-position"] == body["position"]
    assert response.headers["x-lag-ms"] == str(body["lag_ms"])
    assert response.headers["x-definition-version"] == str(body["definition_version"])
    assert response.headers["x-correlation-id"] == "mine-1"


def test_a_correlation_id_that_could_break_a_log_line_is_replaced(instance: Instance) -> None:
    """Spaces and such never get into headers or logs."""
    with instance.client("viewer", "webco") as client:
        response = client.get("/api/v1/projections", headers={"X-Correlation-Id": 'a b"c'})
    assert len(response.headers["x-correlation-id"]) == 36


def test_another_company_is_forbidden(instance: Instance, position: str) -> None:
    """403, whatever its rows; also for a company that does not exist."""
    with instance.client("admin", "other") as client:
        for company in ("webco", "nobody"):
            document = problem(
                client.get("/api/v1/query/trading_totals", params={"company": company}), 403, "forbidden_company"
            )
            assert company in str(document["detail"])


def test_the_star_reads_any_company_but_has_to_name_one(instance: Instance, position: str) -> None:
    """`*` itself is no company."""
    with instance.client("auditor", "*") as client:
        assert client.get("/api/v1/query/trading_totals", params={"company": "webco"}).status_code == 200
        problem(client.get("/api/v1/query/trading_totals"), 400, "bad_company")


def test_what_is_kept_is_judged_and_told_like_what_is_made(instance: Instance, position: str) -> None:
    """The same bytes for whoever may have them, under an id of each request; nobody else has them, and news come."""
    path = "/api/v1/kpis?company=keptco&at=2024-01-15"
    with instance.client("viewer", "keptco") as client, instance.client("admin", "keptco") as admin:
        first = client.get(path)
        again = [each.get(path) for each in (client, admin) * 5]
        assert [each.json()["rows"] for each in again] == [first.json()["rows"]] * 10
        for name in ("x-correlation-id", "traceresponse"):
            assert len({each.headers[name] for each in again}) == len(again)
        assert {tuple(each.headers) for each in again} == {tuple(first.headers)}
        with instance.client("admin", "other") as other:
            problem(other.get(path), 403, "forbidden_company")
        with instance.client("engineer", "keptco") as engineer:
            problem(engineer.get(path), 403, "forbidden_role")
        needed = instance.take([trade("keptco", 77, pnl=1.0)])
        news = client.get(path, headers={"X-Min-Position": needed})
        assert Position.parse(news.json()["position"]).reaches(Position.parse(needed))
        problem(client.get(path, headers={"X-Min-Position": "nonsense"}), 400, "bad_position")


@pytest.mark.parametrize("role", ["engineer", "service"])
def test_roles_without_dashboards_are_told_so(instance: Instance, role: str) -> None:
    """An engineer sees the machinery, a service publishes; neither sees figures."""
    with instance.client(role, "webco") as client:
        problem(client.get("/api/v1/query/trading_totals", params={"company": "webco"}), 403, "forbidden_role")
        assert client.get("/api/v1/projections").status_code == 200


@pytest.mark.parametrize("path", ["/api/v1/query/trading_totals", "/api/v1/projections", "/metrics", "/api/v1/nothing"])
def test_without_a_valid_token_nothing_is_told(instance: Instance, path: str) -> None:
    """401 with the scheme that is wanted, also for paths that do not exist."""
    with httpx.Client(base_url=instance.addresses["read_api"]) as client:
        missing = client.get(path)
        assert missing.headers["www-authenticate"] == "Bearer"
        problem(missing, 401, "unauthenticated")
        problem(client.get(path, headers={"Authorization": "Bearer nonsense"}), 401, "unauthenticated")
        problem(client.get(path, headers={"Authorization": "Basic YTpi"}), 401, "unauthenticated")


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/api/v1/query/nonsense", 404, "unknown_query"),
        ("/api/v1/query/trading_totals?by=nonsense", 400, "bad_parameter"),
        ("/api/v1/query/trading_totals?nonsense=1", 400, "unknown_parameter"),
        ("/api/v1/query/trading_totals?from=tomorrow", 400, "bad_parameter"),
        ("/api/v1/query/trading_totals?symbol=A&symbol=B", 400, "bad_parameter"),
        ("/api/v1/nonsense", 404, "not_found"),
    ],
)
def test_wrong_requests_get_problems_that_say_what_is_wrong(
    instance: Instance, path: str, status: int, code: str
) -> None:
    """One table gives their status."""
    with instance.client("viewer", "webco") as client:
        problem(client.get(path), status, code)
        assert client.post("/api/v1/projections").headers["content-type"] == "application/problem+json"


def test_a_read_waits_for_the_position_that_it_needs(instance: Instance) -> None:
    """Own writes are read: the position of an ingest is reached or the answer is refused, never an older one."""
    with instance.client("viewer", "ownco") as client:
        path = instance.folder.parent / "own.ndjson"
        for number in range(100, 105):
            path.write_text(json.dumps(trade("ownco", number)))
            token = instance.answer("ingest", str(path), "--json")["position"]
            answer = client.get(
                "/api/v1/query/trades", params={"trade_id": f"t{number}"}, headers={"X-Min-Position": token}
            )
            assert answer.status_code == 200, answer.text
            assert len(answer.json()["rows"]) == 1


def test_a_position_that_is_not_reached_is_a_412(instance: Instance, position: str) -> None:
    """At once where the log does not even have it; a projector that rests is waited for, within bounds."""
    with instance.client("viewer", "webco") as client:
        began = time.monotonic()
        headers = {"X-Min-Position": "trading-events:0=999999999"}
        problem(client.get("/api/v1/query/trading_totals", headers=headers), 412, "position_beyond_end")
        assert time.monotonic() - began < 1
        [projector] = [child for child in instance.children() if "projector" in child.cmdline()]
        projector.send_signal(signal.SIGSTOP)
        try:
            path = instance.folder.parent / "resting.ndjson"
            path.write_text(json.dumps(trade("restingco", 500)))
            headers = {"X-Min-Position": instance.answer("ingest", str(path), "--json")["position"]}
            began = time.monotonic()
            problem(client.get("/api/v1/query/trading_totals", headers=headers), 412, "not_yet")
            assert 1.5 < time.monotonic() - began < 6
        finally:
            projector.send_signal(signal.SIGCONT)
        headers = {"X-Min-Position": "user-behavior:0=999999999"}
        assert client.get("/api/v1/query/trading_totals", headers=headers).status_code == 200  # not its topic
        problem(client.get("/api/v1/query/trading_totals", headers={"X-Min-Position": "?"}), 400, "bad_position")


def test_tier_free_sees_the_last_thirty_days(instance: Instance) -> None:
    """Older days are left out by default and refused when asked for."""
    today = datetime.now(UTC).replace(microsecond=0)
    old, new = (int((today - timedelta(days=days)).timestamp() * 1000) for days in (40, 5))
    instance.take([trade("freeco", 1, closed_at=old, opened_at=old), trade("freeco", 2, closed_at=new, opened_at=new)])

    def trades(tier: str, **params: str) -> httpx.Response:
        with instance.client("viewer", "freeco", "--tier", tier) as client:
            return client.get("/api/v1/query/trading_totals", params=params)

    assert trades("BASIC").json()["rows"][0]["total_trades"] == 2
    assert trades("FREE").json()["rows"][0]["total_trades"] == 1
    since = (today - timedelta(days=40)).date().isoformat()
    problem(trades("FREE", **{"from": since}), 403, "forbidden_tier")
    assert trades("BASIC", **{"from": since}).json()["rows"][0]["total_trades"] == 2


def test_health_tells_strangers_little_and_principals_all(instance: Instance, position: str) -> None:
    """Probes need no token; figures do."""
    with httpx.Client(base_url=instance.addresses["read_api"]) as stranger:
        assert set(stranger.get("/api/v1/health").json()) == {"live", "ready", "version"}
        headers = {"Authorization": "Bearer nonsense"}
        problem(stranger.get("/api/v1/health", headers=headers), 401, "unauthenticated")
    with instance.client("engineer", "*") as client:
        figures = client.get("/api/v1/health").json()
    assert figures["ready"] is True
    assert {c["name"] for c in figures["components"] if c["status"] == "ok"} == COMPONENTS
    assert figures["events"] >= 10
    assert {p["name"] for p in figures["projections"]} >= {"trading"}


def test_metrics_are_a_closed_set_with_meanings(instance: Instance, position: str) -> None:
    """Every line belongs to a metric of the set; unknown paths do not make new labels."""
    with instance.client("engineer", "*") as client:
        client.get("/api/v1/made-up/123")
        text = client.get("/metrics").text
    names = tuple(metric.value.name for metric in Metric)
    assert all(line.split(" ")[2 if line.startswith("#") else 0].startswith(names) for line in text.splitlines())
    assert "made-up" not in text
    assert 'analytics_projection_lag_events{projection="trading"}' in text


def test_the_registered_queries_are_listed_with_their_parameters(instance: Instance) -> None:
    """A client can find out what it may ask."""
    with instance.client("viewer", "webco") as client:
        listing = {query["name"]: query for query in client.get("/api/v1/query").json()["queries"]}
    assert "by" in {param["name"] for param in listing["trading_totals"]["params"]}
    assert all(query["summary"] for query in listing.values())


def test_the_page_loads_nothing_from_elsewhere(instance: Instance) -> None:
    """The way in and its files come from here, under a policy that forbids everything else."""
    with httpx.Client(base_url=instance.addresses["pages"]) as client:
        page = client.get("/")
        assert page.headers["content-type"].startswith("text/html")
        assert "default-src 'none'" in page.headers["content-security-policy"]
        files = re.findall(r'(?:src|href)="(/[^"]+)"', page.text)
        assert len(files) == 5
        for file in files:
            found = client.get(file)
            assert found.status_code == 200
            assert "immutable" in found.headers["cache-control"]
        assert "http://" not in re.sub(r"http://www\.w3\.org", "", page.text)
        problem(client.get("/static/wrong/frame.js"), 404, "not_found")
        problem(client.get("/static/x/..%2F..%2Fapp.py"), 401, "unauthenticated")  # a path that nothing serves


def test_an_answer_says_what_the_tier_and_the_limit_cut(instance: Instance) -> None:
    """FREE sees thirty days, and the answer says from when and that it is so; what ends before them is refused."""
    now = int(time.time() * 1000)
    instance.take([trade("cutco", n, closed_at=now - n * 60_000, opened_at=0) for n in range(1, 4)])
    with instance.client("viewer", "cutco", "--tier", "FREE") as client:
        path = "/api/v1/query/trading_totals"
        cut = client.get(path).json()
        first = (datetime.now(UTC) - timedelta(days=30)).date()
        assert (cut["limited"], cut["period"]) == (["tier"], {"from": f"{first}T00:00:00Z", "to": None})
        assert client.get(path, params={"from": str(first)}).json()["limited"] == []
        problem(client.get(path, params={"to": "2020-01-01"}), 403, "forbidden_tier")
    with instance.client("viewer", "cutco") as client:
        limited = client.get("/api/v1/query/trades", params={"limit": "2"}).json()
        assert (limited["limited"], len(limited["rows"])) == (["limit"], 2)
        rest = client.get("/api/v1/query/trades", params={"limit": "2", "cursor": limited["next_cursor"]}).json()
        assert (rest["limited"], len(rest["rows"]), rest["next_cursor"]) == ([], 1, None)
        turned = problem(client.get(path, params={"from": "2026-02-01", "to": "2026-01-01"}), 400, "bad_parameter")
        assert "from 2026-02-01 is after to 2026-01-01" in str(turned["detail"])
        assert client.get(path, params={"symbol": "AAPPL"}).json()["unknown"] == {"symbol": "AAPPL"}
        assert client.get(path, params={"symbol": "AAPL", "to": "2001-01-01"}).json()["unknown"] == {}


def test_a_company_that_is_not_there_is_not_answered_with_nothing(instance: Instance, position: str) -> None:
    """Who sees all companies is told so, over HTTP and on the command line; others that it is not theirs."""
    rate = {"base": "EUR", "quote": "NOK", "rate": 11.5, "source": "ecb"}  # what is everybody's makes no company
    of_all = {"message_type": "exchange_rate", "event_id": "webcoo-1", "company_id": SYSTEM, "payload": rate}
    instance.take([{**of_all, "timestamp": trade("webcoo", 0)["timestamp"]}])
    with instance.client("auditor", "*") as client:
        for _ in range(2):  # that it was asked about makes no company of it
            for path, params in (
                ("query/trading_totals", {}),
                ("query/trading_totals", {"as_of": "2026-01-01"}),
                ("query/trading_totals/explain", {"measure": "trades"}),
                ("dashboards/trading", {}),
            ):
                answer = client.get(f"/api/v1/{path}", params=params | {"company": "webcoo"})
                problem(answer, 404, "unknown_company")
        headers = {"Authorization": f"Bearer {instance.token('admin', '*')}"}
        url = f"{instance.addresses['command_api']}/api/v1/dashboard/config"
        made = httpx.post(url, params={"company": "newborn"}, json={"name": "First"}, headers=headers).json()
        headers |= {"X-Min-Position": made["position"]}  # the first command of a company is its beginning
        path = f"{instance.addresses['read_api']}/api/v1/dashboard/config/{made['id']}"
        assert httpx.get(path, params={"company": "newborn"}, headers=headers).json()["name"] == "First"
    for command in (("query", "trading_totals"), ("kpis",)):
        refused = instance.command(*command, "--company", "webcoo")
        assert (refused.exit_code, "nothing is known of a company 'webcoo'" in refused.stderr) == (1, True)


def test_a_mistyped_data_folder_starts_no_servers(tmp_path: Path) -> None:
    """It is refused, and nothing is made in it."""
    folder = tmp_path / "mistyped"
    refused = run_command("query", "trading_totals", "--company", "webco", "--data", str(folder))
    assert (refused.exit_code, "no instance was ever started in" in refused.stderr) == (1, True)
    assert not folder.exists() or not list(folder.iterdir())
