"""Hostile tokens: none of them is accepted, by the verifier and at every door."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import grpc
import pytest
from services.analytics_service_pb2_grpc import AnalyticsServiceStub
from services.operations_pb2 import HealthCheckRequest
from websockets.sync.client import connect

from adapters.auth.keys import read_jwks
from adapters.auth.tokens import TokenVerifier
from adapters.servers.servers import Addresses
from domain.errors import Unauthenticated
from tests.adapters.auth.hostile import People, hostile
from tests.support.instance import Instance
from tests.support.serving import serving

PEOPLE = People()
HOSTILE = hostile(PEOPLE)
LEAST = 60


@pytest.fixture
def verify() -> TokenVerifier:
    """A verifier that knows three keys."""
    return TokenVerifier(read_jwks(json.dumps(PEOPLE.jwks()).encode(), "the test"), "analytics", "analytics")


def test_there_are_enough_of_them_and_no_two_are_alike() -> None:
    """Each is a different attack."""
    assert len(HOSTILE) >= LEAST
    assert len(set(HOSTILE.values())) == len(HOSTILE)


@pytest.mark.parametrize("algorithm", PEOPLE.good())
def test_a_good_token_of_each_algorithm_is_accepted(verify: TokenVerifier, algorithm: str) -> None:
    """So that the others are refused for what is wrong with them."""
    assert verify(PEOPLE.good()[algorithm]).sub == "eve"


@pytest.mark.parametrize("name", HOSTILE)
def test_no_hostile_token_is_accepted(verify: TokenVerifier, name: str) -> None:
    """Whatever it is, it is nobody we know; and asking again changes nothing."""
    for _ in range(2):
        with pytest.raises(Unauthenticated):
            verify(HOSTILE[name])


@pytest.fixture(scope="module")
def guarded(
    servers: Addresses, new_database: Callable[[], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Instance]:
    """Doors that take the tokens of another issuer, whose keys are in a file."""
    folder = tmp_path_factory.mktemp("guarded")
    keys = folder / "jwks.json"
    keys.write_text(json.dumps(PEOPLE.jwks()))
    with serving(folder, servers, new_database(), auth_jwks=str(keys)) as doors:
        yield doors


def status(address: str, request: str, token: str) -> int:
    """The status of a bare HTTP request: a client library would refuse to send some of these."""
    parts = urlsplit(address)
    with socket.create_connection((str(parts.hostname), int(parts.port or 80)), timeout=60) as connection:
        head = f"{request} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n"
        connection.sendall(head.encode() + b"Authorization: Bearer " + token.encode() + b"\r\n\r\n")
        return int(connection.recv(64).split()[1])


def sendable() -> Iterator[tuple[str, str]]:
    """Those that a header can carry."""
    return ((name, token) for name, token in HOSTILE.items() if "\n" not in token and "\0" not in token)


@pytest.mark.parametrize(
    ("door", "request_line"),
    [
        ("read_api", "GET /api/v1/query"),
        ("read_api", "GET /metrics"),
        ("read_api", "GET /api/v1/events"),
        ("command_api", "POST /api/v1/events"),
    ],
)
def test_no_hostile_token_is_accepted_over_http(guarded: Instance, door: str, request_line: str) -> None:
    """Both APIs answer 401, or refuse a head that is too large before they look at it."""
    address = guarded.addresses[door]
    assert status(address, request_line, PEOPLE.token()) != 401
    answers = {name: status(address, request_line, token) for name, token in sendable()}
    assert {name: code for name, code in answers.items() if code not in (401, 431)} == {}


def test_no_hostile_token_is_accepted_over_grpc(guarded: Instance) -> None:
    """UNAUTHENTICATED, whatever it is."""
    accepted = []
    with grpc.insecure_channel(guarded.addresses["grpc"].removeprefix("http://")) as channel:
        ask = AnalyticsServiceStub(channel).HealthCheck
        assert ask(HealthCheckRequest(), metadata=(("authorization", f"Bearer {PEOPLE.token()}"),)).live
        for name, token in sendable():
            if not token.isascii() or len(token) > 8_000:
                continue  # metadata carries neither
            try:
                ask(HealthCheckRequest(), metadata=(("authorization", f"Bearer {token}"),))
            except grpc.RpcError as error:
                if error.code() == grpc.StatusCode.UNAUTHENTICATED:
                    continue
            accepted.append(name)
    assert accepted == []


def test_no_hostile_token_is_accepted_over_the_websocket(guarded: Instance) -> None:
    """The connection is closed with the code for a bad token, and no welcome comes."""
    address = guarded.addresses["read_api"].replace("http", "ws") + "/api/v1/live"

    def first(token: str) -> str:
        with connect(address) as socket:
            socket.send(json.dumps({"type": "token", "token": token}))
            return str(json.loads(socket.recv(timeout=60))["type"])

    assert first(PEOPLE.token()) == "welcome"
    assert [name for name, token in HOSTILE.items() if first(token) != "error"] == []
