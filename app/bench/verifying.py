"""Verify: how fast the log is compared with its seals, and how fast it is sealed, beside a bare read of it."""

from __future__ import annotations

import asyncio
import time

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapters.files.checkpoint_key import checker
from adapters.files.checkpoints import CheckpointFiles
from adapters.postgres.tables.seals import PostgresSeals
from app.bench.environment import Ground
from app.bench.events import envelopes, pieces
from app.bench.figures import Figure
from app.bench.logs import append, read
from app.wiring import closed_at_end
from domain.ports import EventLog
from domain.position import Position
from eventlog import tasks
from eventlog.seals.sealer import Sealer
from eventlog.seals.verify import Evidence, verify

TOPIC = "user-behavior"


async def verifying(ground: Ground) -> None:
    """Seal a log, read it bare, verify it."""
    key = Ed25519PrivateKey.generate()
    async with ground.embedded_log() as (log, url):
        await append(log, pieces(envelopes(ground.scale.one, ("user_event",))))
        files = CheckpointFiles(ground.folder / "checkpoints")
        async with closed_at_end(PostgresSeals(url)) as seals:
            sealing = await _seal(log, Sealer(log, seals, files, "bench", key.sign, 1.0), seals)
            events, reading = await read(log, [TOPIC])
            began = time.perf_counter()
            evidence = Evidence(seals, files, checker(key.public_key()))
            verdict = await verify(log, evidence, [TOPIC], Position(), None, lambda _done, _all: None)
            assert (verdict.verified, verdict.records) == (True, events), verdict
            verified = time.perf_counter() - began
    note = "events/s compared with their seals and the signed checkpoints (floor: bare read of the same log)"
    ground.report(Figure("log_verify", events / verified, "events/s", events / reading, note))
    note = "events/s sealed: hashed, chained, signed (floor: bare read of the same log)"
    ground.report(Figure("log_seal", events / sealing, "events/s", events / reading, note))


async def _seal(log: EventLog, sealer: Sealer, seals: PostgresSeals) -> float:
    """Seconds until everything is sealed."""
    began, stop = time.perf_counter(), asyncio.Event()
    working = tasks.owned(sealer.run([TOPIC], stop), "the sealer")
    heads = await log.heads(TOPIC)
    while {place[1]: last.header.next_offset for place, last in (await seals.last()).items()} != heads:
        assert not working.done()
        await asyncio.sleep(0.02)
    seconds = time.perf_counter() - began
    stop.set()
    await working
    return seconds
