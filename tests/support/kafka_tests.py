"""Tests marked `kafka` where no broker can be had: they do not run, and the run says so in its last line.

`ANALYTICS_TEST_REQUIRE=kafka` (several words are separated by commas) makes their absence a failure.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.kafka_broker import KafkaBroker, LocalBroker, find_broker, unavailable_reason

_LEFT_OUT = pytest.StashKey[int]()
_BROKER = pytest.StashKey[KafkaBroker]()


@pytest.hookimpl(trylast=True)  # after -k and -m have chosen: only what would have run counts
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the Kafka tests out where there is no broker."""
    wanting = [item for item in items if needs_kafka(item)]
    if not wanting:
        return
    broker = find_broker(quick=True)
    if broker is not None:
        config.stash[_BROKER] = broker
        return
    config.stash[_LEFT_OUT] = len(wanting)
    config.hook.pytest_deselected(items=wanting)
    items[:] = [item for item in items if item not in set(wanting)]


def needs_kafka(item: pytest.Item) -> bool:
    """Whether the test is marked `kafka` or uses the broker's fixture."""
    return item.get_closest_marker("kafka") is not None or "kafka" in getattr(item, "fixturenames", ())


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Fail the run when Kafka is required and its tests were left out."""
    left_out = session.config.stash.get(_LEFT_OUT, 0)
    if hasattr(session.config, "workeroutput"):  # one of several processes
        session.config.workeroutput["left_out"] = left_out
        return
    if left_out and kafka_is_required() and exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object | None) -> None:
    """What one of several processes left out (each collects all tests) is known to the one that sums up."""
    node.config.stash[_LEFT_OUT] = getattr(node, "workeroutput", {}).get("left_out", 0)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Say it last, after pytest's own closing line, so that nobody can miss it."""
    if hasattr(config, "workeroutput"):  # one of several processes
        return
    if left_out := config.stash.get(_LEFT_OUT, 0):
        word = "FAILED" if kafka_is_required() else "WARNING"
        line = f"{word}: {left_out} Kafka tests did not run: {unavailable_reason()}"
        config.get_terminal_writer().line(line, red=kafka_is_required(), yellow=not kafka_is_required(), bold=True)


def kafka_is_required() -> bool:
    """Whether the environment demands that the Kafka tests run."""
    return "kafka" in os.environ.get("ANALYTICS_TEST_REQUIRE", "").split(",")


@pytest.fixture(scope="session")
def kafka(pytestconfig: pytest.Config) -> Iterator[KafkaBroker]:
    """A running broker for the whole test run; topics are the tests' own business."""
    broker = pytestconfig.stash[_BROKER]
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def mortal() -> Iterator[KafkaBroker]:
    """A broker that may be killed: one of the test's own where there is a choice, so that its topics are empty."""
    found = find_broker()
    assert found is not None, unavailable_reason()
    found.start()
    yield found
    if isinstance(found, LocalBroker):
        found.stop()
    else:
        found.restart()
