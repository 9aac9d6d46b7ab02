"""Sharing partitions over a Kafka consumer group."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from adapters.kafka.log import KafkaEventLog
from adapters.kafka.settings import KafkaSettings
from domain.errors import Defect
from domain.ports import Membership
from domain.position import TopicPartition
from tests.support.waiting import happens

ALL = {("events", p) for p in range(4)} | {("single", 0)}
TOPICS = ["events", "single"]


async def test_workers_share_and_take_over(log: KafkaEventLog) -> None:
    """Each partition has one owner; who leaves is relieved at once; what need not move stays where it is."""
    first = await log.join("shared", TOPICS)
    second = await log.join("shared", TOPICS)
    await happens(lambda: _shared([first, second]))
    assert {len(first.assigned()), len(second.assigned())} == {2, 3}
    kept = first.assigned()
    began = time.monotonic()
    await second.leave()
    assert await first.wait_changed(10)
    assert first.assigned() == ALL
    assert time.monotonic() - began < 10
    third = await log.join("shared", TOPICS)
    await happens(lambda: _shared([first, third]))
    assert len(first.assigned() & kept) >= 2
    await first.leave()
    await third.leave()


async def test_a_topic_without_append_times_is_refused(log: KafkaEventLog, settings: KafkaSettings) -> None:
    """A producer's own times would decide what lies in the future: the worker says so and does not start."""
    admin = AIOKafkaAdminClient(**settings.connection("test"))
    await admin.start()
    try:
        kept = {"message.timestamp.type": "CreateTime"}
        name = f"{settings.topic_prefix}events"
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, kept)])
    finally:
        await admin.close()
    with pytest.raises(Defect, match="CreateTime") as refused:
        await log.join("refused", TOPICS)
    assert refused.value.code == "no_append_times"


async def test_groups_do_not_disturb_each_other(log: KafkaEventLog) -> None:
    """Two groups in one process each own everything."""
    members = [await log.join(group, TOPICS) for group in ("these", "those")]
    assert [m.assigned() for m in members] == [ALL, ALL]
    for member in members:
        await member.leave()


@pytest.fixture
def other_worker(settings: KafkaSettings, log: KafkaEventLog) -> Iterator[subprocess.Popen[bytes]]:
    """Another process that is a member of the group `shared`; it says so in a line."""
    root = Path(__file__).parents[3]
    arguments = (settings.bootstrap_servers, settings.topic_prefix, *TOPICS)
    environment = os.environ | {"PYTHONPATH": f"{root}:{root / 'proto'}"}
    command = [sys.executable, "-m", "tests.adapters.kafka.member", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=root, env=environment) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"joined\n"
        yield process
        process.kill()


@pytest.mark.ci
async def test_a_frozen_worker_loses_its_partitions(log: KafkaEventLog, other_worker: subprocess.Popen[bytes]) -> None:
    """After the session timeout others have them; thawed, it is given a share again.

    It waits for what takes long by its nature: that a session times out.
    """
    member = await log.join("shared", TOPICS)
    await happens(lambda: len(member.assigned()) in (2, 3))
    other_worker.send_signal(signal.SIGSTOP)
    await happens(lambda: member.assigned() == ALL)
    other_worker.send_signal(signal.SIGCONT)
    await happens(lambda: len(member.assigned()) in (2, 3))
    await member.leave()


def _shared(members: list[Membership]) -> bool:
    """Whether all partitions are owned, each once."""
    owned: list[TopicPartition] = [p for member in members for p in member.assigned()]
    return sorted(owned) == sorted(ALL)
