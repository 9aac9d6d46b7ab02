"""python -m tests.e2e.poison --events 1000000: ten thousand poison events at one in a hundred, repaired and replayed.

The same events go into two logs: good ones, and with every hundredth made bad. Once all bad ones are replayed, every
projection of the second must have the checksum of the first.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from analytics.business_events_pb2 import SubscriptionEvent
from common.envelope_pb2 import AnalyticsProcessingEnvelope
from trading.trading_signals_pb2 import TradingResult

from adapters.postgres.log.log import EmbeddedLog
from adapters.postgres.migrate import migrate
from adapters.postgres.tables.quarantine import PostgresQuarantine
from adapters.servers.servers import Servers
from app.bench.events import envelopes, pieces
from app.bench.folding import fold
from app.bench.logs import append
from domain.audit import LOCAL_OPERATOR
from domain.events.catalogue import STREAMS
from domain.events.validation import RESERVED_STREAMS
from domain.position import Position
from eventlog.intake.quarantine import Entry, Filter
from eventlog.intake.repair import Change, Repairs
from eventlog.publish.publisher import Publisher
from projections.engine.declare.registry import all_projections
from tests.support.table_checksums import table_checksums

ONE_IN = 100
PARTITIONS = 4
# how each kind of poison is repaired, by its reason code and the field that it names
REPAIRS = {
    ("newer_schema", ""): Change(members={"schema_version": None}),
    ("out_of_range", "quantity"): Change(members={"payload.quantity": 10}),
    ("out_of_range", "discount_pct"): Change(members={"payload.discount_pct": None}),
}


@dataclass(frozen=True, slots=True)
class Proof:
    """What a run found. `seconds`: folding the good log, folding the bad one, replaying, folding what was replayed."""

    poison: int
    quarantined: int
    replayed: int
    in_order: bool
    waiting: int
    different: Sequence[str]
    seconds: Sequence[float]

    @property
    def right(self) -> bool:
        """All set aside, all replayed in order, every projection as if nothing had been bad."""
        counts = {self.poison, self.quarantined, self.replayed}
        return len(counts) == 1 and self.poison > 0 and self.in_order and not self.waiting and not self.different

    def report(self) -> str:
        """In a few lines."""
        good, bad, replay, rest = self.seconds
        return (
            f"{self.poison:,} poison events: {self.quarantined:,} quarantined, {self.replayed:,} replayed,"
            f" order kept: {self.in_order}, still waiting: {self.waiting}\n"
            f"projections that differ: {', '.join(self.different) or 'none'}\n"
            f"folded: good log {good:.0f} s, poisoned {bad:.0f} s; replayed {replay:.0f} s, folded {rest:.0f} s"
        )


def poisoned(events: Iterator[AnalyticsProcessingEnvelope]) -> Iterator[AnalyticsProcessingEnvelope]:
    """Every hundredth one made bad: a bound broken where the type has one, a schema from the future elsewhere."""
    for number, envelope in enumerate(events):
        if number % ONE_IN == ONE_IN // 2:
            _break(envelope)
        yield envelope


def _break(envelope: AnalyticsProcessingEnvelope) -> None:
    if envelope.message_type == "trading_result":
        trade = TradingResult.FromString(envelope.payload)
        trade.quantity = -10
        envelope.payload = trade.SerializeToString()
    elif envelope.message_type == "subscription":
        change = SubscriptionEvent.FromString(envelope.payload)
        change.discount_pct = -1
        envelope.payload = change.SerializeToString()
    else:
        envelope.schema_version = 9


async def prove(folder: Path, events: int) -> Proof:
    """The whole proof on servers of its own."""
    servers = Servers(folder, bus=False)
    try:
        url = (await servers.start()).database_url
        return await _prove(url, events)
    finally:
        await servers.stop()


async def _prove(url: str, events: int) -> Proof:
    other = await _second(url)
    good, bad = EmbeddedLog(url), EmbeddedLog(other)
    quarantine, publisher = PostgresQuarantine(other), Publisher(bad, stamp=False)
    repairs = Repairs(publisher, quarantine, LOCAL_OPERATOR)
    try:
        seconds = [await _filled(good, url, envelopes(events)), await _filled(bad, other, poisoned(envelopes(events)))]
        entries = await quarantine.entries(Filter(after=0, limit=2**40))
        began = time.perf_counter()
        places = dict[int, str]()
        for (code, member), change in REPAIRS.items():
            chosen = [e for e in entries if e.code == code and member in e.reason]
            places |= {r.id: r.replayed_to for r in await repairs.replay(chosen, change) if not r.problem}
        seconds += [time.perf_counter() - began, await fold(bad, other, list(all_projections().values()))]
        waiting = len(await quarantine.entries(Filter()))
    finally:
        await publisher.close()
        await quarantine.close()
        await good.close()
        await bad.close()
    sums = [_checksums(url), _checksums(other)]
    different = [name for name in sums[0] if sums[0][name] != sums[1][name]]
    poison = len(range(ONE_IN // 2, events, ONE_IN))
    return Proof(poison, len(entries), len(places), _in_order(entries, places), waiting, different, seconds)


async def _second(url: str) -> str:
    """Another database beside the first; both with all durable tables."""
    migrate(url)
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute("CREATE DATABASE poisoned")
    other = urlunsplit(urlsplit(url)._replace(path="/poisoned"))
    migrate(other)
    return other


async def _filled(log: EmbeddedLog, url: str, events: Iterator[AnalyticsProcessingEnvelope]) -> float:
    await log.create_topics(dict.fromkeys(STREAMS, PARTITIONS))
    await append(log, pieces(events))
    return await fold(log, url, list(all_projections().values()))


def _checksums(url: str) -> dict[str, list[object]]:
    """Of what comes from outside: that somebody repaired something stands in one trail alone."""
    outside = [p for p in all_projections().values() if p.topics.isdisjoint(RESERVED_STREAMS)]
    return {p.name: table_checksums(url, p) for p in outside}


def _in_order(entries: Sequence[Entry], places: dict[int, str]) -> bool:
    """Whether what lay in one partition in some order lies there in the same order again, kind by kind."""
    last: dict[tuple[object, ...], int] = {}
    for entry in sorted(entries, key=lambda e: (e.topic or "", e.partition or 0, e.offset or 0)):
        [((topic, partition), offset)] = Position.parse(places[entry.id]).offsets.items()
        if (topic, partition) != (entry.topic, entry.partition):
            return False
        kind = (topic, partition, entry.code, entry.reason.split()[0])
        if last.get(kind, -1) >= offset:
            return False
        last[kind] = offset
    return True


def main() -> int:
    """Run the proof and print it; 0 when it is right."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--events", type=int, default=1_000_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="poison-") as folder:
        proof = asyncio.run(prove(Path(folder) / "data", arguments.events))
    sys.stdout.write(proof.report() + "\n")
    return 0 if proof.right else 1


if __name__ == "__main__":
    sys.exit(main())
