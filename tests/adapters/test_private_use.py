"""What we use of libraries without their promise is still there; pyproject.toml bounds the versions of each."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from importlib import import_module

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.client import AIOKafkaClient
from aiokafka.consumer.group_coordinator import GroupCoordinator
from eventsourcing.postgres import PostgresApplicationRecorder
from nats.aio.client import Client
from packaging.requirements import Requirement
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tests.architecture.sources import ROOT

NOBODY = "127.0.0.1:1"  # no broker is asked
BOUND = ("aiokafka", "eventsourcing", "nats-py", "statsmodels", "uvicorn")


@pytest.mark.parametrize("name", BOUND)
def test_its_versions_are_bound(name: str) -> None:
    """A version that nobody has seen is not installed beside us."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    (requirement,) = (r for r in map(Requirement, declared) if r.name == name)
    assert "<" in {specifier.operator for specifier in requirement.specifier}


async def test_a_producer_can_be_abandoned() -> None:
    """`adapters.kafka.appender` ends its sending task."""
    producer = AIOKafkaProducer(bootstrap_servers=NOBODY)
    assert producer._closed is False
    assert producer._sender.sender_task is None
    producer._closed = True


async def test_a_consumer_can_be_ended_without_its_broker() -> None:
    """`adapters.kafka.membership` ends the parts of one whose broker does not answer."""
    consumer = AIOKafkaConsumer(bootstrap_servers=NOBODY)
    assert (consumer._coordinator, consumer._fetcher) == (None, None)
    assert callable(GroupCoordinator._stop_heartbeat_task)
    await consumer._client.close()
    consumer._closed = True


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        (Client, ["_flush_pending"]),  # adapters.nats.bus
        (AIOKafkaClient, ["_wait_on_metadata"]),  # adapters.kafka.reader
        (PostgresApplicationRecorder, ["_insert_events"]),  # adapters.postgres.configuration_store.event_store
        (HttpToolsProtocol, ["connection_made", "data_received", "on_headers_complete", "on_message_complete"]),
    ],
)
def test_methods_are_there(kind: type, names: Sequence[str]) -> None:
    """Those that we call or override."""
    assert [name for name in names if not callable(getattr(kind, name, None))] == []


def test_the_bus_has_a_transport() -> None:
    """`adapters.nats.bus` closes the one of a handshake that failed."""
    assert Client()._transport is None


def test_the_decomposition_has_its_compiled_core() -> None:
    """`domain.insights.decomposition` takes it alone: its package would load all of Pandas."""
    assert callable(import_module("statsmodels.tsa.stl._stl").STL)
