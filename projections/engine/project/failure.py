"""What went wrong with a projection, in words that an operator acts on: category, event, tenant, worker, since when."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from domain.errors import AnalyticsError

LONGEST = 2_000  # characters of a message that are kept


class Culprit(NamedTuple):
    """The fact without which it would not have failed: where its event lies (partition, offset), and whose it is."""

    partition: int
    offset: int
    event_id: str
    company_id: str


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a projection does not go on.

    `category`: the code of the error (`fold_failed`, `store_rejected`, `too_many_bad_events`, `unavailable`, …;
    `defect` for what was not foreseen). `position`, `event_id`, `company_id`: the event, empty where there is none.
    `since`: ms since 1970 UTC.
    """

    category: str
    message: str
    topic: str
    worker: str
    since: int
    position: str = ""
    event_id: str = ""
    company_id: str = ""

    @classmethod
    def of(cls, error: BaseException, topic: str, since: int, culprit: Culprit | None = None) -> Failure:
        """The failure that an error of this process is."""
        category = error.code if isinstance(error, AnalyticsError) else "defect"
        message = str(error) if isinstance(error, AnalyticsError) else f"{type(error).__name__}: {error}"
        failure = cls(category, message.replace("\0", "\\0")[:LONGEST], topic, worker_name(), since)
        if culprit is None:
            return failure
        at = f"{topic}:{culprit.partition}={culprit.offset}"  # a position leaves out where nothing was read yet
        return replace(failure, position=at, event_id=culprit.event_id, company_id=culprit.company_id)


@dataclass(frozen=True, slots=True)
class TopicBeat:
    """How a worker is with one topic: its partitions, seconds since its last step, what it waits for."""

    partitions: int
    idle: float
    waiting: Failure | None = None


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """What was last heard of a worker, `age` seconds ago by the clock of the store."""

    worker: str
    age: float
    topics: Mapping[str, TopicBeat]


def worker_name() -> str:
    """This process: host and process id."""
    return f"{socket.gethostname()}:{os.getpid()}"
