"""Spans of a whole instance, as a collector gets them: one trace from a request to the fold of its events."""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.support.copies import copy_of
from tests.support.instance import Instance, role_of, trade

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
WITHIN = 20.0  # seconds until spans have arrived
API_MEGABYTES = 120


class Collector(ThreadingHTTPServer):
    """An OTLP collector over HTTP that keeps the spans it gets."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.spans: list[Span] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def of(self, trace_id: str, *names: str) -> dict[str, Span]:
        """The spans of a trace by name, once all of these are there."""
        deadline = time.monotonic() + WITHIN
        found: dict[str, Span] = {}
        while not found.keys() >= set(names) and time.monotonic() < deadline:
            found = {span.name: span for span in list(self.spans) if span.trace_id.hex() == trace_id}
            time.sleep(0.05)
        assert found.keys() >= set(names), sorted(found)
        return found


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        """Take one export."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        assert isinstance(self.server, Collector)
        assert self.path == "/v1/traces"
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            self.server.spans += [span for scope in resource.scope_spans for span in scope.spans]
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing on stderr."""


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    """A collector on a free port."""
    running = Collector()
    yield running
    running.shutdown()
    running.server_close()


@pytest.fixture(scope="module")
def traced(collector: Collector, stopped_instance: Path) -> Iterator[Instance]:
    """An instance that sends its spans there and writes JSON lines."""
    endpoint = f"http://127.0.0.1:{collector.server_address[1]}"
    with copy_of(stopped_instance) as folder:
        instance = Instance(folder).start(ANALYTICS_OTLP_ENDPOINT=endpoint, ANALYTICS_LOG_FORMAT="json")
        yield instance
        instance.stop()


@pytest.mark.slow
def test_one_trace_leads_from_the_request_to_the_fold(traced: Instance, collector: Collector) -> None:
    """Each span is the child of the one that caused it; the answer names the door's own."""
    headers = {
        "Authorization": f"Bearer {traced.token('service', 'acme')}",
        "traceparent": f"00-{TRACE}-{PARENT}-01",
        "tracestate": "congo=t61rcWkgMzE",
        "X-Correlation-Id": "spans-1",
    }
    url = f"{traced.addresses['command_api']}/api/v1/events"
    answer = httpx.post(url, json=trade("acme", 1), headers=headers, timeout=60)
    assert answer.status_code == 200, answer.text
    spans = collector.of(TRACE, "http publish", "ingest", "append", "batch", "admission", "fold", "store")
    assert spans["http publish"].parent_span_id.hex() == PARENT
    assert answer.headers["traceresponse"] == f"00-{TRACE}-{spans['http publish'].span_id.hex()}-01"
    for child, parent in (
        ("ingest", "http publish"),
        ("append", "ingest"),
        ("batch", "http publish"),
        ("admission", "batch"),
        ("fold", "batch"),
        ("store", "batch"),
    ):
        assert spans[child].parent_span_id == spans[parent].span_id, child
    found = traced.answer("events", "find", "--correlation", "spans-1", "--json")["events"]
    assert [e["trace_context"] for e in found] == [
        {"trace_id": TRACE, "span_id": spans["http publish"].span_id.hex(), "flags": 1, "state": "congo=t61rcWkgMzE"}
    ]


@pytest.mark.slow
def test_a_read_is_traced_to_its_sql(traced: Instance, collector: Collector) -> None:
    """A request without a trace begins one; one that says that nobody keeps its spans makes none."""
    with traced.client("viewer", "acme") as client:
        begun = client.get("/api/v1/query/trades").headers["traceresponse"].split("-")[1]
        spans = collector.of(begun, "http query", "question", "sql")
        assert spans["sql"].parent_span_id == spans["question"].span_id
        assert spans["question"].parent_span_id == spans["http query"].span_id
        assert {a.key: a.value.string_value for a in spans["sql"].attributes} == {"projection": "trading"}
        unkept = client.get("/api/v1/query/trades", headers={"traceparent": f"00-{'1' * 32}-{PARENT}-00"})
        assert unkept.headers["traceresponse"].startswith(f"00-{'1' * 32}-")
        assert unkept.headers["traceresponse"].endswith("-00")
    assert [span for span in collector.spans if span.trace_id.hex() == "1" * 32] == []


def test_what_a_command_decides_carries_the_trace_of_its_request(traced: Instance) -> None:
    """Through the event store and the relay into the log: an auditor finds the request behind a change."""
    headers = {"Authorization": f"Bearer {traced.token('admin', 'acme')}", "traceparent": f"00-{'2' * 32}-{PARENT}-01"}
    url = f"{traced.addresses['command_api']}/api/v1/company/profile"
    decided = httpx.post(url, json={"name": "Acme"}, headers=headers, timeout=60)
    assert decided.is_success, decided.text
    traced.wait(decided.json()["position"])
    with traced.client("auditor", "acme") as auditor:
        (found,) = auditor.get("/api/v1/events", params={"type": "config_event"}).json()["events"]
        event = auditor.get(f"/api/v1/events/{found['event_id']}").json()
    assert "2" * 32 in str(event)


@pytest.mark.slow
def test_api_processes_keep_within_their_memory_with_spans_on(traced: Instance) -> None:
    """The SDK and its HTTP client have to fit, too."""
    sizes = {
        role: child.memory_info().rss // 2**20
        for child in traced.children()
        if (role := role_of(child)) in ("read-api", "command-api", "grpc")
    }
    assert len(sizes) == 3
    assert {role: size for role, size in sizes.items() if size > API_MEGABYTES} == {}


@pytest.mark.slow
def test_log_lines_are_json_and_hold_no_secret(traced: Instance, tmp_path: Path) -> None:
    """Neither the database's password nor any token that the instance has seen."""
    token = traced.token("viewer", "acme")
    httpx.get(f"{traced.addresses['read_api']}/api/v1/query/{token}", headers={"Authorization": f"Bearer {token}"})
    lines = [line for line in traced.log.read_text().splitlines() if line.startswith("{")]
    assert all({"time", "level", "role", "pid", "message"} <= json.loads(line).keys() for line in lines)
    assert token not in traced.log.read_text()
