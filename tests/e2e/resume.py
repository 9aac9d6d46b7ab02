"""python -m tests.e2e.resume --disconnects 1000: are followers that lose their connections right when they resume?

An instance takes events at a steady rate. Followers in both subprotocols follow a total by symbol, the newest trades
and a metric; each loses its connection at random moments and goes on with its token. Whatever a follower has at a
token, by deltas or by a snapshot, over however many connections, has one hash; and at the end all have what somebody
has who comes anew.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import httpx
import msgspec

from domain.access.rights import Role
from eventlog import tasks
from tests.support.instance import Instance, temporary_instance, trade
from tests.support.live_documents import canonical
from tests.support.live_follower import Follower, Witness

COMPANY = "resumeco"
SYMBOLS = [f"S{number}" for number in range(40)]
AT_ONCE = 24  # followers
BATCH, PAUSE = 10, 0.04  # events of a publication, seconds between two
FRESHNESS = ("as_of", "complete", "lag_ms")
LONGEST = 0.8  # seconds of a connection
WANTED: Sequence[Mapping[str, Any]] = (
    {"query": "trading_totals", "company": COMPANY, "params": {"by": "symbol"}},
    {"query": "trades", "company": COMPANY, "params": {"limit": "100"}},
    {"metric": "win_rate", "company": COMPANY, "params": {"by": "symbol"}},
)


@dataclass
class Proof:
    """What the followers saw."""

    witnesses: Sequence[Witness]
    disconnects: int
    unequal: Sequence[str]

    @property
    def faults(self) -> list[str]:
        """What was not as it must be."""
        found = [wrong for witness in self.witnesses for wrong in witness.wrong]
        found += [f"at the end: {wrong}" for wrong in self.unequal]
        found += ["nothing was resumed" for witness in self.witnesses if not witness.counts["resumed"]]
        return found

    def report(self) -> str:
        """For people."""
        lines = [f"{self.disconnects} disconnects, {AT_ONCE} followers at once"]
        for wanted, witness in zip(WANTED, self.witnesses, strict=True):
            counts = ", ".join(f"{name} {number}" for name, number in sorted(witness.counts.items()))
            same = f"{len(witness.applied)} documents, {witness.compared} of them also as snapshots"
            lines.append(f"{wanted.get('query') or wanted['metric']}: {same}; {counts}")
        return "\n".join([*lines, *self.faults, "all hashes are equal" if not self.faults else "WRONG"])


async def prove(instance: Instance, disconnects: int, seed: int = 7) -> Proof:
    """Follow, lose connections, resume, and compare."""
    address, bearer = instance.addresses["read_api"].replace("http", "ws"), instance.signed("viewer", COMPANY)
    witnesses = [Witness() for _ in WANTED]
    followers = [
        Follower(address, bearer, WANTED[n % len(WANTED)], witnesses[n % len(WANTED)], binary=n % 2 == 1)
        for n in range(AT_ONCE)
    ]
    publishing = tasks.owned(_publish(instance, random.Random(seed)), "events")
    left = iter(range(disconnects))
    try:
        async with asyncio.TaskGroup() as group:
            for number, follower in enumerate(followers):
                group.create_task(_lose_and_resume(follower, left, random.Random(seed * 1000 + number)))
    finally:
        await tasks.end(publishing)
    return Proof(witnesses, disconnects, await _end(followers, witnesses))


async def _lose_and_resume(follower: Follower, left: Any, chance: random.Random) -> None:
    for _ in left:
        await follower.follow(chance.uniform(0.0, LONGEST), anew=chance.random() < 0.1)
        await asyncio.sleep(chance.uniform(0.0, LONGEST / 4))


async def _publish(instance: Instance, chance: random.Random) -> None:
    token, number = instance.signed("service", COMPANY, roles=(Role.SERVICE,)), 0
    async with httpx.AsyncClient(base_url=instance.addresses["command_api"], timeout=60) as client:
        while True:
            events = []
            for _ in range(BATCH):
                number += 1
                events.append(trade(COMPANY, number, pnl=chance.randint(-50, 60), symbol=chance.choice(SYMBOLS)))
            body = b"".join(msgspec.json.encode(event) + b"\n" for event in events)
            headers = {"authorization": f"Bearer {token}", "content-type": "application/x-ndjson"}
            answer = await client.post("/api/v1/events", content=body, headers=headers)
            answer.raise_for_status()
            await asyncio.sleep(PAUSE)


async def _end(followers: Sequence[Follower], witnesses: Sequence[Witness]) -> list[str]:
    """When nothing moves any more: everybody resumes once more, and has what somebody who comes anew gets."""
    await asyncio.sleep(3.0)
    anew = [replace(followers[n], witness=witness, token="", document={}) for n, witness in enumerate(witnesses)]
    await asyncio.gather(*(follower.follow(4.0) for follower in (*followers, *anew)))
    found = {
        wanted: {_lasting(f) for f in (*followers, *anew) if f.wanted is WANTED[wanted]}
        for wanted in range(len(WANTED))
    }
    return [
        f"{WANTED[wanted]} has {len(contents)} contents" for wanted, contents in found.items() if len(contents) != 1
    ]


def _lasting(follower: Follower) -> bytes:
    """What it has, without how fresh that is, which goes on."""
    rows = [{name: value for name, value in row.items() if name not in FRESHNESS} for row in follower.document["rows"]]
    return canonical({"position": follower.document["position"], "rows": rows})


def main() -> int:
    """Make an instance, prove, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--disconnects", type=int, default=1_000)
    chosen = parser.parse_args()
    with temporary_instance("resume") as instance:
        proof = asyncio.run(prove(instance, chosen.disconnects))
    print(proof.report())
    return 1 if proof.faults else 0


if __name__ == "__main__":
    sys.exit(main())
