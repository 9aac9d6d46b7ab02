"""Two tenants with the same of everything, by every RPC and feed: each is answered as one that is alone."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import grpc
import httpx
import pytest
from google.protobuf import json_format
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from services.analytics_service_pb2_grpc import AnalyticsServiceStub
from websockets.sync.client import ClientConnection, connect

from app.docs.grpc_examples import EXAMPLES
from app.serving.grpc_server import SERVICE
from domain.events.catalogue import STREAMS
from domain.events.validation import RESERVED_STREAMS
from read_api.live.sessions import MOST_SUBSCRIPTIONS
from tests.laws.matrix.same import COMPANIES, asked, events, masked, same
from tests.laws.matrix.test_two_tenants import FEEDS, everybody
from tests.support.instance import Instance
from tests.support.of_instance import OF_INSTANCE

NOT_COMPARED = {  # RPCs whose answers are not a tenant's
    "HealthCheck": "the figures are the instance's",
    "GetProjectionStatus": "projections are of all tenants",
    "VerifyLog": "blocks of the log are of all tenants",
    "Publish": "the companies were filled with it",
    "GetRealTimeMetrics": "windows move on while they are asked for; test_realtime follows several companies",
}
LEFT_OUT = frozenset({"payload", "resume_token", "next_cursor", "report_id", "insight_id", "sha256", "size", "proof"})
ENDLESS = ("WatchDashboards", "GetChartDataStream", "GetTechnicalIndicatorStream", "GetMarketInsightStream")
PATIENCE = 2.0  # seconds for the first message of a stream that may have nothing to say
OWN_IDS = {  # what the examples name, as the companies have it
    "AAPL": "symbol-0", "u1": "user-0", "a1": "account_id-0", "gateway": "service-0", "example-1": "trading_result-1",
}  # fmt: skip
WHOLE: Mapping[str, Mapping[str, Any]] = {  # in place of a part
    "StreamEvents": {"streams": sorted(set(STREAMS) - RESERVED_STREAMS)},
    "GetDashboardData": {"dashboardId": "trading"},
    "GetEvent": {"stream": "trading-events"},
}
DASHBOARD = "trading"  # all of whose tiles are there at once


def request_of(rpc: MethodDescriptor, company: str, report: str) -> Message:
    """The example of the reference, about the company and its own ids."""
    example = {**EXAMPLES[rpc.name], **WHOLE.get(rpc.name, {})}
    if rpc.name == "StreamEvents":
        example.pop("limit")
    if "reportId" in example:
        example["reportId"] = report
    text = json.dumps(example).replace('"acme"', f'"{company}"')
    for there, own in OWN_IDS.items():
        text = text.replace(f'"{there}"', f'"{COMPANIES[company]}-{own}"')
    return json_format.Parse(text, GetMessageClass(rpc.input_type)())


def messages(rpc: MethodDescriptor, channel: grpc.Channel, request: Message, authorization: str) -> list[Message]:
    """What is answered; of a stream without an end the first message, if there is one. Raises what the call raises."""
    argument = iter([request]) if rpc.client_streaming else request
    endless = rpc.name in ENDLESS
    call = getattr(AnalyticsServiceStub(channel), rpc.name)(
        argument, metadata=(("authorization", authorization),), timeout=PATIENCE if endless else 60
    )
    if not rpc.server_streaming:
        return [call]
    if not endless:
        return list(call)
    try:
        return list(islice(call, 1))
    except grpc.RpcError as error:
        if error.code() is not grpc.StatusCode.DEADLINE_EXCEEDED:
            raise
        return []
    finally:
        call.cancel()


def without(value: Any) -> Any:
    """What is made of the names, and what is made anew for each, left out."""
    if isinstance(value, dict):
        return {name: without(inner) for name, inner in value.items() if name not in LEFT_OUT}
    return [without(inner) for inner in value] if isinstance(value, list) else value


def shown(found: list[Message], company: str) -> Any:
    """Messages as they are compared: files as their text, events without the order of the partitions."""
    plain = [json_format.MessageToDict(message, preserving_proto_field_name=True) for message in found]
    if pieces := [base64.b64decode(message.pop("content")) for message in plain if "content" in message]:
        # a JSON file as what it says: how fresh its answers were when it was made is the moment's, not the company's
        text, about = b"".join(pieces).decode(), plain[0].get("report", plain[0])
        plain[0]["content"] = json.loads(text) if about.get("media_type") == "application/json" else text
    if any("events" in message for message in plain):
        plain = [event for message in plain for event in message.get("events", ())]
    return masked(json.dumps(without(plain)), company)


@pytest.fixture(scope="module")
def channel(instance: Instance) -> Iterator[grpc.Channel]:
    """The door of gRPC."""
    with grpc.insecure_channel(instance.addresses["grpc"]) as opened:
        yield opened


@pytest.fixture(scope="module")
def reports(instance: Instance, channel: grpc.Channel, companies: Mapping[str, httpx.Client]) -> Mapping[str, str]:
    """The id of a report of each."""
    rpc, made = SERVICE.methods_by_name["GenerateReport"], dict[str, str]()
    for company in companies:
        request = request_of(rpc, company, "")
        (answer,) = messages(rpc, channel, request, everybody(instance, company)["Authorization"])
        made[company] = str(json_format.MessageToDict(answer)["report"]["reportId"])
    return made


@pytest.mark.share(3)
@pytest.mark.parametrize("name", [rpc.name for rpc in SERVICE.methods if rpc.name not in NOT_COMPARED])
def test_an_rpc_answers_as_if_one_were_alone(
    instance: Instance, channel: grpc.Channel, reports: Mapping[str, str], name: str
) -> None:
    """By the example of the reference. A new RPC comes in by itself."""
    rpc, found, began = SERVICE.methods_by_name[name], dict[str, Any](), 0.0
    while time.time() // 60 != began // 60:  # questions without an end are asked up to their minute: one for all three
        began = time.time()
        for company, report in reports.items():
            request, authorization = request_of(rpc, company, report), everybody(instance, company)["Authorization"]
            found[company] = shown(messages(rpc, channel, request, authorization), company)
    assert same(found) or name in ENDLESS
    if name == "StreamEvents":
        assert len(found["lonelyo"]) >= len(events("lonelyo"))


def subscriptions(company: str, names: list[str]) -> Iterator[dict[str, Any]]:
    """What is followed, by the names of queries, and a dashboard."""
    for name in names:
        yield {"id": name, "query": name, "params": asked(name, company)}
    yield {"id": "dashboard", "dashboard": DASHBOARD, "params": {}}


def followed(socket: ClientConnection, company: str, wanted: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The first message about each of them."""
    for each in wanted.values():
        socket.send(json.dumps({"type": "subscribe", "company": company, **each}))
    found = dict[str, dict[str, Any]]()
    while len(found) < len(wanted):
        message = json.loads(socket.recv(timeout=60))
        if message.get("id"):
            found.setdefault(message["id"], message)
    return found


@pytest.mark.ci
def test_every_feed_tells_as_if_one_were_alone_and_is_resumed_so(
    instance: Instance, companies: Mapping[str, httpx.Client]
) -> None:
    """With the same ids of subscriptions; after a break each goes on in its own, and another's token begins anew."""
    address = instance.addresses["read_api"].replace("http", "ws") + "/api/v1/live"
    feeds = [name for name in FEEDS if name not in OF_INSTANCE]
    for at in range(0, len(feeds), MOST_SUBSCRIPTIONS - 1):
        names, found = feeds[at : at + MOST_SUBSCRIPTIONS - 1], dict[str, dict[str, Any]]()
        tokens = dict[str, dict[str, str]]()
        for company in companies:
            wanted = {each["id"]: each for each in subscriptions(company, names)}
            signed = json.dumps({"type": "token", "token": instance.token("viewer", company)})
            with connect(address, close_timeout=1, max_size=None) as socket:
                socket.send(signed)
                told = followed(socket, company, wanted)
            tokens[company] = {name: message["token"] for name, message in told.items() if "token" in message}
            found[company] = masked(json.dumps(told), company)
            again = {name: {**wanted[name], "resume": token} for name, token in tokens[company].items()}
            with connect(address, close_timeout=1, max_size=None) as socket:
                socket.send(signed)
                assert {each["type"] for each in followed(socket, company, again).values()} == {"delta"}
            if (other := next(iter(tokens))) != company:
                strange = {name: {**wanted[name], "resume": tokens[other][name]} for name in again}
                with connect(address, close_timeout=1, max_size=None) as socket:
                    socket.send(signed)
                    anew = followed(socket, company, strange)
                assert {(each["type"], each["resume"]) for each in anew.values()} == {("snapshot", "new_epoch")}
                assert other not in json.dumps(anew)
        assert len(tokens["lonelyo"]) > len(names) / 2
        same(found)
