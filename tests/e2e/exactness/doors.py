"""The three doors, each with a careful producer: what was not accepted is sent again, with the same event ids."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from itertools import islice
from typing import Protocol

import grpc
import httpx
from common.envelope_pb2 import AnalyticsProcessingEnvelope
from services import operations_pb2
from services.analytics_service_pb2_grpc import AnalyticsServiceStub

from tests.e2e.exactness.chaos import LEAD, Feed, Killer
from tests.e2e.exactness.recount import Recount
from tests.e2e.exactness.stream import Event
from tests.e2e.exactness.wire import bad_envelope, bad_line, envelope, line
from tests.support.instance import Instance, environment

PATIENCE = 180.0  # seconds until a producer gives up
REMEMBERED = 5_000  # sent events from which duplicates are taken
Sent = AnalyticsProcessingEnvelope


class NotTakenError(Exception):
    """The door did not take the events now: send them again."""


class Door(Protocol):
    """A way in. `send` returns once everything good is durable and everything bad in quarantine."""

    def send(self, items: list[bytes]) -> None:
        """Send these once; raises NotTakenError when some of it may not have gone in."""
        ...

    def close(self) -> None:
        """Hang up."""
        ...


class Mixture:
    """What is sent: the stream with duplicates and bad events in between, counted and noted as it is taken."""

    def __init__(self, events: Iterator[Event], recount: Recount, seed: int) -> None:
        self.duplicates = 0
        self.bad: set[bytes] = set()  # as they must lie in quarantine
        self._events = events
        self._recount = recount
        self._chance = random.Random(seed)
        self._lock = threading.Lock()
        self._foreign: list[Event] = []
        self._stamped: list[bytes] = []
        self._sequence = 0

    def lines(self, count: int) -> tuple[list[bytes], int]:
        """Lines of NDJSON, and how many good events they hold for the first time."""
        with self._lock:
            fresh = self._take(count)
            return [sent for event in fresh for sent in self._as_lines(event)], len(fresh)

    def envelopes(self, count: int, *, stamped: bool) -> tuple[list[bytes], int]:
        """Envelopes, as a foreign producer sends them or with the stamps of one that counts its events."""
        with self._lock:
            fresh = self._take(count)
            form = self._as_stamped if stamped else self._as_envelopes
            return [sent for event in fresh for sent in form(event)], len(fresh)

    def _take(self, count: int) -> list[Event]:
        fresh = list(islice(self._events, count))
        for event in fresh:
            self._recount.add(event)
        return fresh

    def _as_lines(self, event: Event) -> Iterator[bytes]:
        yield line(event)
        if (again := self._again(event)) is not None:
            yield line(again)
        if self._chance.random() < 0.01:
            spoiled = bad_line(event._replace(id=f"bad-{event.id}"), self._chance)
            self.bad.add(spoiled)
            yield spoiled

    def _as_envelopes(self, event: Event) -> Iterator[bytes]:
        yield envelope(event).SerializeToString()
        if (again := self._again(event)) is not None:
            yield envelope(again).SerializeToString()
        yield from self._spoiled(event)

    def _as_stamped(self, event: Event) -> Iterator[bytes]:
        self._sequence += 1
        sent = envelope(event)
        sent.producer_id, sent.producer_seq = "careful", self._sequence
        self._stamped.append(sent.SerializeToString())
        yield self._stamped[-1]
        if self._chance.random() < 0.02:
            self.duplicates += 1
            yield self._chance.choice(self._stamped)
        if len(self._stamped) > REMEMBERED:
            del self._stamped[: REMEMBERED // 2]
        yield from self._spoiled(event)

    def _again(self, event: Event) -> Event | None:
        """At times an event that was sent before, through this door or another one."""
        self._foreign.append(event)
        if len(self._foreign) > REMEMBERED:
            del self._foreign[: REMEMBERED // 2]
        if self._chance.random() >= 0.02:
            return None
        self.duplicates += 1
        return self._chance.choice(self._foreign)

    def _spoiled(self, event: Event) -> Iterator[bytes]:
        if self._chance.random() < 0.01:
            spoiled = bad_envelope(event._replace(id=f"bad-{event.id}"), self._chance).SerializeToString()
            self.bad.add(spoiled)
            yield spoiled


class FileDoor:
    """`analytics ingest FILE`."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._file = instance.folder.parent / f"{instance.folder.name}.ndjson"

    def send(self, items: list[bytes]) -> None:
        """A file at a time; exit code 3 says that some are in quarantine."""
        self._file.write_bytes(b"\n".join(items) + b"\n")
        command = [sys.executable, "-m", "app.cli", "ingest", str(self._file), "--json"]
        command += ["--data", str(self._instance.folder)]
        done = subprocess.run(command, capture_output=True, env=environment(), timeout=PATIENCE, check=False)
        if done.returncode not in (0, 3):
            assert b"Traceback" not in done.stderr, done.stderr.decode()
            raise NotTakenError(done.stderr.decode()[-300:])
        json.loads(done.stdout.splitlines()[-1])

    def close(self) -> None:
        """Every file was a call of its own."""


class HttpDoor:
    """`POST /api/v1/events` with NDJSON."""

    def __init__(self, instance: Instance, token: str) -> None:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/x-ndjson"}
        self._client = httpx.Client(base_url=instance.addresses["command_api"], headers=headers, timeout=60)

    def send(self, items: list[bytes]) -> None:
        """One request."""
        try:
            response = self._client.post("/api/v1/events", content=b"\n".join(items))
        except httpx.TransportError as error:
            raise NotTakenError(repr(error)) from error
        if response.status_code == 503:
            raise NotTakenError(response.text[:300])
        assert response.status_code == 200, response.text

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


class GrpcDoor:
    """The RPC `Publish`."""

    MESSAGE = 500  # events in one message of the stream

    def __init__(self, instance: Instance, token: str) -> None:
        self._channel = grpc.insecure_channel(instance.addresses["grpc"])
        self._stub = AnalyticsServiceStub(self._channel)
        self._metadata = (("authorization", f"Bearer {token}"),)

    def send(self, items: list[bytes]) -> None:
        """One stream of some messages."""
        requests = [
            operations_pb2.PublishRequest(events=map(Sent.FromString, items[start : start + self.MESSAGE]))
            for start in range(0, len(items), self.MESSAGE)
        ]
        try:
            self._stub.Publish(iter(requests), metadata=self._metadata, timeout=60)
        except grpc.RpcError as error:
            code = error.code() if isinstance(error, grpc.Call) else None
            if code not in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED):
                raise
            raise NotTakenError(repr(error)[:300]) from error

    def close(self) -> None:
        """Close the channel."""
        self._channel.close()


def deliver(door: Door, items: list[bytes], feed: Feed) -> int:
    """Send until it is accepted; how many attempts failed."""
    deadline = time.monotonic() + PATIENCE
    for failed in range(100_000):
        try:
            door.send(items)
            return failed
        except NotTakenError:
            if time.monotonic() > deadline or feed.stopped.wait(0.1):
                raise
    raise AssertionError("unreachable")


def hold(feed: Feed, killers: list[Killer]) -> None:
    """Wait while a kill is due."""
    while not feed.stopped.is_set() and any(killer.next < feed.share - LEAD for killer in killers):
        time.sleep(0.02)
