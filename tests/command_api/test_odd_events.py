"""Doors and an independent judge agree on each kind of odd event: tests/e2e/odd_events.py knows the contract alone."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from typing import Any

import grpc
import httpx
import pytest
from services import operations_pb2 as operations
from services.analytics_service_pb2_grpc import AnalyticsServiceStub

from tests.e2e.odd_events import BAD, BAD_ENVELOPES, EVENT, GOOD, GOOD_ENVELOPES, Line, OddEvents
from tests.support.instance import Instance, trade

COMPANY = "oddco"


@pytest.fixture(scope="module")
def publishing(instance: Instance) -> Iterator[httpx.Client]:
    """A client of the HTTP door."""
    headers = {"Authorization": f"Bearer {instance.token('service', COMPANY)}"}
    with httpx.Client(base_url=instance.addresses["command_api"], headers=headers, timeout=60) as client:
        yield client


def lines(kinds: Mapping[str, Line]) -> Iterator[tuple[str, bytes]]:
    """One event of each kind, by its name."""
    for number, (name, make) in enumerate(kinds.items()):
        line: dict[str, Any] = {**trade(COMPANY, number), "event_id": f"{name}-{number}"}
        yield name, make(line, str(number))


@pytest.mark.parametrize(("kinds", "good"), [(GOOD, True), (BAD, False)], ids=["good", "bad"])
def test_every_kind_of_line_is_taken_as_what_it_is(
    publishing: httpx.Client, kinds: Mapping[str, Line], good: bool
) -> None:
    """Each alone, as a line; and as a document, where it is no longer than one may be."""
    for kind in ("application/x-ndjson", "application/json"):
        for name, data in lines(kinds):
            if kind == "application/json" and len(data) > EVENT:
                continue
            answer = publishing.post("/api/v1/events", content=data, headers={"Content-Type": kind})
            if answer.status_code == 200:
                found = answer.json()
                assert found["accepted"] + found["duplicates"] == int(good), (kind, name, found)
                assert found["quarantined"] == int(not good), (kind, name, found)
            else:
                assert (answer.status_code, good) == (400, False), (kind, name, answer.text)


def test_all_kinds_together_are_each_taken_as_what_they_are(publishing: httpx.Client) -> None:
    """A bad line takes no other one along."""
    made = [*lines(GOOD), *lines(BAD)]
    random.Random(7).shuffle(made)
    body = b"".join(data + b"\n" for _, data in made)
    found = publishing.post("/api/v1/events", content=body, headers={"Content-Type": "application/x-ndjson"}).json()
    assert found["accepted"] + found["duplicates"] == len(GOOD), json.dumps(found)[:2_000]
    assert found["quarantined"] == len(BAD), json.dumps(found)[:2_000]


def test_every_kind_of_envelope_is_taken_as_what_it_is(instance: Instance) -> None:
    """Over gRPC, a hundred by chance, so that each kind comes."""
    events = OddEvents(COMPANY, random.Random(7))
    metadata = (("authorization", f"Bearer {instance.token('service', COMPANY)}"),)
    made = [events.envelope() for _ in range(100 + len(BAD_ENVELOPES) + len(GOOD_ENVELOPES))]
    with grpc.insecure_channel(instance.addresses["grpc"]) as channel:
        stub = AnalyticsServiceStub(channel)
        answer = stub.Publish(
            iter([operations.PublishRequest(events=[envelope]) for envelope, _ in made]), metadata=metadata, timeout=60
        )
    good = sum(good for _, good in made)
    assert (answer.accepted, answer.quarantined) == (good, len(made) - good), answer
