"""Membership of the embedded log: workers in a table with leases; each works out for itself what belongs to it.

There is no leader: all members see the same table and follow the same rule. For the moment in which two see different
tables, both may think that they own a partition; the compare-and-set of the checkpoint keeps that harmless.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress

from adapters.postgres.connections.link import Link
from adapters.postgres.log.wakeups import MEMBERS, Wakeups, wait_for
from domain.errors import Unavailable
from domain.position import TopicPartition
from eventlog import tasks

LEASE = 5.0  # seconds after which a silent worker is no member any more
RENEW = 1.0  # seconds between renewals

_RENEW = """
with gone as (
    delete from log.members where group_name = %(group)s and expires_at < now() and worker <> %(worker)s
)
insert into log.members (group_name, worker, topics, expires_at)
values (%(group)s, %(worker)s, %(topics)s, now() + %(lease)s * interval '1 second')
on conflict (group_name, worker) do update set expires_at = excluded.expires_at
returning xmax = 0
"""
_MEMBERS = """
select worker, topics from log.members where group_name = %(group)s and expires_at >= now() order by seniority
"""


def shares(
    partitions: Sequence[TopicPartition], members: Sequence[tuple[str, Sequence[str]]]
) -> dict[str, frozenset[TopicPartition]]:
    """Who owns which partitions: dealt out in order among the members (eldest first) that take part in the topic."""
    owned: dict[str, set[TopicPartition]] = {worker: set() for worker, _ in members}
    for index, (topic, number) in enumerate(sorted(partitions)):
        entitled = [worker for worker, topics in members if topic in topics]
        if entitled:
            owned[entitled[index % len(entitled)]].add((topic, number))
    return {worker: frozenset(numbers) for worker, numbers in owned.items()}


class EmbeddedMembership:
    """This worker's membership, renewed in the background until `leave`."""

    def __init__(self, link: Link, wakeups: Wakeups, group: str, partitions: Sequence[TopicPartition]) -> None:
        self._link, self._wakeups = link, wakeups
        self._group, self._partitions = group, partitions
        self._worker = secrets.token_hex(8)
        self._owned: frozenset[TopicPartition] = frozenset()
        self._seen: frozenset[TopicPartition] = frozenset()  # the assignment that `wait_changed` has told
        self._valid_until = 0.0
        self._changed = asyncio.Event()
        self._renewing: asyncio.Task[None] | None = None

    @classmethod
    async def join(
        cls, link: Link, wakeups: Wakeups, group: str, partitions: Sequence[TopicPartition]
    ) -> EmbeddedMembership:
        """A new member of the group that takes its share of these partitions. Raises Unavailable."""
        member = cls(link, wakeups, group, partitions)
        await member._renew()
        member._seen = member.assigned()
        member._renewing = tasks.start(tasks.keep(member._keep, "the lease"), "the lease")
        return member

    def assigned(self) -> frozenset[TopicPartition]:
        """The partitions owned now: none when the lease ran out (this process slept, or the server is away)."""
        return self._owned if asyncio.get_running_loop().time() < self._valid_until else frozenset()

    async def wait_changed(self, timeout: float) -> bool:  # noqa: ASYNC109 (the port says so)
        """Wait, `timeout` seconds at most, until `assigned` differs from what it was when this returned last."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        while self.assigned() == self._seen:
            self._changed.clear()
            remaining = deadline - loop.time()
            if remaining <= 0:
                return False
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), min(remaining, RENEW))  # a lease ends without an event
        self._seen = self.assigned()
        return True

    async def leave(self) -> None:
        """Give everything back; the others take over at once, or after the lease when the server is away."""
        if self._renewing is None:
            return
        await tasks.end(self._renewing)
        self._renewing, self._valid_until = None, 0.0
        self._changed.set()
        with suppress(Unavailable):
            async with self._link.use(LEASE) as connection:
                await connection.execute(
                    "with gone as (delete from log.members where group_name = %(group)s and worker = %(worker)s)"
                    " select pg_notify(%(channel)s, %(group)s)",
                    self._parameters(),
                )

    async def _keep(self) -> None:
        while True:
            changed = self._wakeups.next(MEMBERS, self._group)
            with suppress(Unavailable):
                await self._renew()
            await wait_for(changed, RENEW)

    async def _renew(self) -> None:
        """Renew the lease and work out what belongs to this worker."""
        asked_at = asyncio.get_running_loop().time()
        async with self._link.use(LEASE) as connection:
            new = await (await connection.execute(_RENEW, self._parameters())).fetchone()
            if new == (True,):
                await connection.execute("select pg_notify(%(channel)s, %(group)s)", self._parameters())
            members = await (await connection.execute(_MEMBERS, self._parameters())).fetchall()
        self._valid_until = asked_at + LEASE
        self._owned = shares(self._partitions, [(row[0], row[1]) for row in members]).get(self._worker, frozenset())
        if self._owned != self._seen:
            self._changed.set()

    def _parameters(self) -> Mapping[str, object]:
        topics = sorted({topic for topic, _ in self._partitions})
        named: dict[str, object] = {"group": self._group, "worker": self._worker, "channel": MEMBERS}
        return named | {"topics": topics, "lease": LEASE}
