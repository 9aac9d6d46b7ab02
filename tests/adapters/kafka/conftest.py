"""States that the Kafka tests start from."""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from adapters.kafka.log import KafkaEventLog
from adapters.kafka.settings import KafkaSettings
from tests.support.kafka_broker import KafkaBroker

HERE = Path(__file__).parent


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A broker that somebody else runs is not killed: with one, the tests of its death are left out."""
    for item in items:
        if HERE in item.path.parents and "kafka" in getattr(item, "fixturenames", ()):
            item.add_marker("kafka")
    if "ANALYTICS_TEST_KAFKA" in os.environ:
        deadly = [item for item in items if "mortal" in getattr(item, "fixturenames", ())]
        config.hook.pytest_deselected(items=deadly)
        items[:] = [item for item in items if item not in deadly]


@pytest.fixture
def settings(kafka: KafkaBroker) -> KafkaSettings:
    """Settings with a topic prefix that no other test has, and short times."""
    return KafkaSettings(
        bootstrap_servers=kafka.bootstrap,
        topic_prefix=f"{uuid.uuid4().hex[:8]}-",
        session_timeout=6.0,  # the least that a broker allows by default
        request_timeout=5.0,
    )


@pytest.fixture
async def log(settings: KafkaSettings) -> AsyncIterator[KafkaEventLog]:
    """A log with an empty topic `events` of four partitions, and `single` of one."""
    log = KafkaEventLog(settings)
    await log.create_topics({"events": 4, "single": 1})
    yield log
    await log.close()


@pytest.fixture
def mortal(kafka: KafkaBroker) -> Iterator[KafkaBroker]:
    """A broker that the test may kill; it runs again afterwards."""
    yield kafka
    kafka.restart()
