"""Auditors find, read and replay events, over HTTP and on the command line, of their own companies only."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from urllib.parse import quote

import grpc
import pytest
from common.envelope_pb2 import AnalyticsProcessingEnvelope
from services import operations_pb2 as operations
from services.analytics_service_pb2_grpc import AnalyticsServiceStub

from domain.position import Position
from tests.support.instance import Instance, trade

TRADES, TOPIC = {"topic": "trading-events"}, ("--topic", "trading-events")


@pytest.fixture(scope="module")
def position(instance: Instance) -> str:
    """Trades of two companies are in the log, and folded."""
    return instance.take([trade(company, n, pnl=1.0) for n in range(20) for company in ("foundco", "hiddenco")])


def head(instance: Instance) -> Position:
    """Where the log of trades ends: that somebody replays is itself an event, of the trail."""
    return Position.parse(instance.answer("log", "head", "--json")["position"]).of_topics(["trading-events"])


def test_events_are_found_alike_over_http_and_on_the_command_line(instance: Instance, position: str) -> None:
    """The same events and what was read for them; a cursor goes on after them."""
    with instance.client("auditor", "foundco") as client:
        whole = client.get("/api/v1/events", params={"type": "trading_result"}).json()
        first = client.get("/api/v1/events", params={"limit": "15", **TRADES}).json()
        rest = client.get("/api/v1/events", params={"cursor": first["cursor"], **TRADES}).json()
    on_command_line = instance.answer("events", "find", "--company", "foundco", *TOPIC, "--json")
    by_place = {(e["topic"], e["partition"], e["offset"]): e for e in whole["events"]}
    assert len(by_place) == 20
    assert {e["company_id"] for e in whole["events"]} == {"foundco"}
    assert sorted(map(json.dumps, on_command_line["events"])) == sorted(map(json.dumps, whole["events"]))
    assert (whole["complete"], first["complete"], len(first["events"]), len(rest["events"])) == (True, False, 15, 5)
    assert whole["scanned"]["records"] >= 20


def test_one_event_is_shown_whole_and_never_to_others(instance: Instance, position: str) -> None:
    """By id and by place; another company's auditor finds nothing, a viewer may not ask."""
    event = instance.answer("events", "find", "--company", "foundco", *TOPIC, "-n", "1", "--json")["events"][0]
    place = f"{event['topic']}:{event['partition']}={event['offset']}"
    with instance.client("auditor", "foundco") as client:
        by_id, by_place = (client.get(f"/api/v1/events/{key}").json() for key in (event["event_id"], place))
        nonsense = client.get("/api/v1/events", params={"nonsense": "1"})
        too_many = client.get("/api/v1/events", params={"limit": "1001"})
    assert by_id["event"] == by_place["event"] == event
    assert by_id["decision"] == {"outcome": "admitted", "reasons": []}
    shown = instance.answer("events", "show", event["event_id"])
    assert {**shown, "scanned": {}} == {**by_id, "scanned": {}}
    assert [answer.status_code for answer in (nonsense, too_many)] == [400, 400]
    with instance.client("auditor", "hiddenco") as client:
        assert client.get(f"/api/v1/events/{event['event_id']}").status_code == 404
        assert client.get("/api/v1/events", params={"company": "foundco"}).status_code == 403
    with instance.client("viewer", "foundco") as client:
        assert client.get("/api/v1/events").status_code == 403


def test_a_replay_writes_the_events_as_they_are(instance: Instance, position: str, tmp_path: Path) -> None:
    """Both forms hold the same events; the checksum is that of the file, and nothing goes into the log."""
    before = head(instance)
    written = {}
    for form in ("--protobuf", ""):
        file = tmp_path / f"events{form}"
        arguments = ["events", "replay", "--company", "hiddenco", *TOPIC, "--out", str(file), *filter(None, [form])]
        result = instance.command(*arguments)
        assert result.exit_code == 0, result.output
        assert result.stderr.strip() == f"20 events, sha256 {hashlib.sha256(file.read_bytes()).hexdigest()}"
        written[form] = file.read_bytes()
    ids = [json.loads(line)["event_id"] for line in written[""].splitlines()]
    data, found = written["--protobuf"], []
    while data:
        size, data = (data[0], data[1:]) if data[0] < 128 else (data[0] - 128 + 128 * data[1], data[2:])
        found.append(AnalyticsProcessingEnvelope.FromString(data[:size]).event_id)
        data = data[size:]
    assert sorted(found) == sorted(ids)
    assert head(instance) == before


ODD_IDS = (
    "order/77", "k=v", "a//b", "/a/", "user-behavior:x=1", "a,b", " q\"'\\ ", "x\x1fy", "100%", "a%2Fb", "?#&;+", "ü😀",
)  # fmt: skip


IDS = ("event_id", "user_id", "correlation_id")


def test_an_id_may_hold_any_character_at_every_door(instance: Instance) -> None:
    """An event is shown by its id over HTTP, gRPC, on the command line and as a page, whatever the id holds."""
    at = 1_760_000_000_000
    line = {"message_type": "user_event", "company_id": "oddidco", "timestamp": at, "payload": {"name": "click"}}
    instance.take([{**line, **dict.fromkeys(IDS, each)} for each in (*ODD_IDS, "..")])
    metadata = (("authorization", f"Bearer {instance.token('auditor', 'oddidco')}"),)
    with instance.client("auditor", "oddidco") as client, grpc.insecure_channel(instance.addresses["grpc"]) as channel:
        stub = AnalyticsServiceStub(channel)
        for each in ODD_IDS:
            shown = client.get(f"/api/v1/events/{quote(each, safe='')}")
            assert shown.status_code == 200, (each, shown.text)
            assert shown.json()["event"]["event_id"] == each
            asked = operations.GetEventRequest(company_id="oddidco", event_id=each)
            assert stub.GetEvent(asked, metadata=metadata).event.envelope.event_id == each
        for each in (*ODD_IDS, ".."):  # which clients take out of a path
            for field in ("event_id", "user", "correlation_id"):
                found = client.get("/api/v1/events", params={field: each}).json()["events"]
                assert [event["event_id"] for event in found] == [each]
        assert instance.answer("events", "show", ODD_IDS[0])["event"]["event_id"] == ODD_IDS[0]
        assert instance.answer("events", "show", ODD_IDS[1])["event"]["event_id"] == ODD_IDS[1]
