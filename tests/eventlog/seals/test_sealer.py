"""The sealer and its signer where something fails: the chain stays whole, it is heard, and it goes on by itself."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapters.files.checkpoint_key import checker
from adapters.files.checkpoints import CheckpointFiles
from adapters.postgres.log.log import EmbeddedLog
from adapters.postgres.tables.seals import PostgresSeals
from domain.errors import Unavailable
from domain.position import Position
from eventlog import read
from eventlog.seals import sealer
from eventlog.seals.checkpoints import Checkpoint, Head, first_fault
from eventlog.seals.sealer import Sealer, Signer
from eventlog.seals.verify import Evidence, verify
from eventlog.search import blocks
from tests.support.bad_disk import KINDS, bad_disk
from tests.support.event_logs import record

KEY = Ed25519PrivateKey.generate()
HOLDS = checker(KEY.public_key())


def heads(number: int) -> dict[tuple[str, int], Head]:
    """Chains that have grown so far."""
    return {("t", p): Head(number, bytes([p, number % 256]) * 16) for p in range(3)}


def signer(folder: Path) -> Signer:
    return Signer(CheckpointFiles(folder), "k", KEY.sign)


@pytest.mark.parametrize("kind", KINDS)
def test_the_chain_of_checkpoints_survives_a_disk_that_fails_at_any_call(tmp_path: Path, kind: str) -> None:
    """Whoever signed goes on, and so does one who begins anew; what is left is one unbroken run."""
    for at in count():
        folder = tmp_path / kind / str(at)
        one = signer(folder)
        one.checkpoint(heads(1))
        with bad_disk(at, kind) as disk, suppress(Unavailable):
            one.checkpoint(heads(2))
        after = [signer(folder)] if kind == "killed" else [one, signer(folder)]
        for number, each in enumerate(after, 3):
            each.checkpoint(heads(number))
        run = CheckpointFiles(folder).all()
        assert first_fault(run, HOLDS) is None, (at, kind)
        assert [c.number for c in run] == list(range(1, len(run) + 1))
        assert dict(run[-1].heads) == heads(2 + len(after))
        if not disk.reached:
            break
    assert at > 5


KILLING = """
import os, signal, sys
from itertools import count
from pathlib import Path
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from adapters.files import atomic
from adapters.files.checkpoint_key import checker
from adapters.files.checkpoints import CheckpointFiles
from eventlog.seals.checkpoints import Checkpoint, Head, first_fault
from eventlog.seals.sealer import Signer
from tests.support.bad_disk import BadDisk

key, folder = Ed25519PrivateKey.generate(), Path(sys.argv[1])
for at in count():
    child = os.fork()
    if not child:
        atomic.os = BadDisk(at, "killed", kill=lambda: os.kill(os.getpid(), signal.SIGKILL))
        Signer(CheckpointFiles(folder), "k", key.sign).checkpoint({("t", 0): Head(at, bytes(32))})
        os._exit(0 if not atomic.os.reached else 1)
    _, status = os.waitpid(child, 0)
    run = CheckpointFiles(folder).all()
    assert first_fault(run, checker(key.public_key())) is None, (at, status)
    assert [c.number for c in run] == list(range(1, len(run) + 1))
    if status == 0:
        break
    assert os.WTERMSIG(status) == signal.SIGKILL, status
assert run[-1].heads[("t", 0)].next_offset == at
print(at)
"""


def test_a_signer_that_is_killed_at_any_step_leaves_a_chain_that_goes_on(tmp_path: Path) -> None:
    """kill -9 in the middle of every call that reaches the disk, one process after the other on the same files."""
    killed = subprocess.run(
        [sys.executable, "-c", KILLING, str(tmp_path)], capture_output=True, text=True, env=os.environ, check=False
    )
    assert killed.returncode == 0, killed.stderr
    assert int(killed.stdout) > 5


def test_checkpoints_are_ordered_by_their_numbers_whatever_the_clock_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It jumps over the ends of months and years and back; a torn tail in any of the files is none of them."""
    moments = ["2026-11-30", "2026-12-01", "2026-11-30", "2027-01-01", "2020-02-29", "2026-12-31", "1970-01-01"]
    one = signer(tmp_path)
    for number, moment in enumerate(moments, 1):
        at = int(datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp())
        monkeypatch.setattr("time.time_ns", lambda at=at: at * 1_000_000_000)
        one = one if number % 3 else signer(tmp_path)
        one.checkpoint(heads(number))
    files = CheckpointFiles(tmp_path)
    assert [c.number for c in files.all()] == list(range(1, len(moments) + 1))
    assert first_fault(files.all(), HOLDS) is None
    for path in tmp_path.glob("*.ndjson"):
        path.write_bytes(path.read_bytes() + b'{"statement": {"num')
    assert first_fault(files.all(), HOLDS) is None
    assert len(files.unfinished()) == len(list(tmp_path.glob("*.ndjson")))
    assert (last := files.last()) is not None
    assert last.number == len(moments)


def test_a_damaged_line_is_told_and_keeps_nobody_from_signing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    signer(tmp_path).checkpoint(heads(1))
    [path] = tmp_path.glob("*.ndjson")
    path.write_bytes(path.read_bytes() + b"no checkpoint\n")
    signer(tmp_path).checkpoint(heads(2))
    assert "line 2 is no checkpoint" in caplog.text
    assert (last := CheckpointFiles(tmp_path).last()) is not None
    assert last.number == 2


def test_files_that_cannot_be_read_are_unavailable(tmp_path: Path) -> None:
    """And so is what is told of them; no defect of the service."""
    (tmp_path / "2026-11.ndjson").mkdir()
    files = CheckpointFiles(tmp_path)
    for reader in (files.all, files.last, files.unfinished):
        with pytest.raises(Unavailable, match=r"2026-11\.ndjson cannot be read: Is a directory"):
            reader()


@dataclass
class Faults:
    """The first call of that name raises, or hangs until it is given up (one to the disk: until `release`)."""

    name: str
    hangs: bool
    met: bool = False
    release: threading.Event = field(default_factory=threading.Event)

    def due(self, name: str) -> bool:
        first = name == self.name and not self.met
        self.met |= first
        return first


class Faulty:
    """Something whose calls may go wrong."""

    def __init__(self, part: str, real: Any, faults: Faults) -> None:
        self._part, self._real, self._faults = part, real, faults

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._real, name)
        if name == "reader":
            return lambda topic: Faulty("reader", real(topic), self._faults)
        wrapped = self._blocking if self._part == "files" else self._awaited
        return wrapped(f"{self._part}.{name}", real)

    def _blocking(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            if self._faults.due(name):
                if not self._faults.hangs:
                    raise OSError("the disk is away")
                self._faults.release.wait(60)
            return real(*args)

        return call

    def _awaited(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        async def call(*args: Any, **kwargs: Any) -> Any:
            if self._faults.due(name):
                if name.endswith(".close"):  # what fails or hangs at its end has given back its connection by then
                    await real(*args, **kwargs)
                if not self._faults.hangs:
                    raise RuntimeError("a fault that nobody thought of")
                await asyncio.sleep(3_600)
            return await real(*args, **kwargs)

        return call


CALLS = (
    "log.starts",
    "reader.read",
    "reader.close",
    "seals.last",
    "seals.add",
    "seals.report",
    "files.last",
    "files.append",
)


@dataclass
class Bench:
    """A real log, real seals and real files, each of which may go wrong."""

    log: EmbeddedLog
    seals: PostgresSeals
    files: CheckpointFiles

    async def seal(self, topic: str, faults: Faults) -> None:
        """Run a sealer until everything of the topic is sealed and signed, and health knows of no problem any more."""
        stop = asyncio.Event()
        parts: list[Any] = [Faulty(n, getattr(self, n), faults) for n in ("log", "seals", "files")]
        working = asyncio.create_task(Sealer(parts[0], parts[1], parts[2], "k", KEY.sign, 0.02).run([topic], stop))
        goal = (await self.log.heads(topic))[0]
        while not self._signed(topic, goal) or await self.seals.problem():
            assert not working.done()
            await asyncio.sleep(0.02)
            if "not taken" in await self.seals.problem():  # health knows; the disk comes back
                faults.release.set()
        stop.set()
        await working

    def _signed(self, topic: str, goal: int) -> bool:
        last = self.files.last()
        return last is not None and (topic, 0) in last.heads and last.heads[topic, 0].next_offset == goal


@pytest.fixture
async def bench(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    """Patience is short, so that what hangs is given up soon."""
    for module, name in ((sealer, "PATIENCE"), (sealer, "SOUND"), (blocks, "PATIENCE"), (read, "PATIENCE")):
        monkeypatch.setattr(module, name, 0.5)
    monkeypatch.setattr(sealer, "PAUSE", 0.02)
    made = Bench(EmbeddedLog(database_url), PostgresSeals(database_url), CheckpointFiles(tmp_path))
    yield made
    await made.log.close()
    await made.seals.close()


@pytest.mark.parametrize("hangs", [False, True])
async def test_the_sealer_goes_on_after_any_call_that_raises_or_hangs(
    bench: Bench, caplog: pytest.LogCaptureFixture, hangs: bool
) -> None:
    """Every call to the log, the database and the disk in turn: it is heard, and everything is sealed and signed."""
    caplog.set_level(logging.DEBUG, sealer.__name__)
    topics = []
    for number, name in enumerate(CALLS):
        topics.append(topic := f"t{number}")
        await bench.log.create_topics({topic: 1})
        await bench.log.append([record(topic, "k", f"v{n}") for n in range(20)])
        caplog.clear()
        faults = Faults(name, hangs)
        await bench.seal(topic, faults)
        assert faults.met, name
        assert any(r.levelno > logging.INFO or r.name == sealer.__name__ for r in caplog.records), name
    verdict = await verify(
        bench.log, Evidence(bench.seals, bench.files, HOLDS), topics, Position(), None, lambda _a, _b: None
    )
    assert verdict.verified, verdict.findings
    assert (verdict.records, verdict.unsealed) == (20 * len(CALLS), 0)


class SlowFiles(CheckpointFiles):
    """A disk that takes a while for a checkpoint."""

    begun = False

    def append(self, checkpoint: Checkpoint) -> None:
        self.begun = True
        time.sleep(0.3)
        super().append(checkpoint)


async def test_what_is_sealed_while_a_checkpoint_is_written_is_signed_in_the_end(bench: Bench, tmp_path: Path) -> None:
    """The one under way has older ends: another follows it."""
    files, stop = SlowFiles(tmp_path), asyncio.Event()
    await bench.log.create_topics({"t": 1})
    working = asyncio.create_task(Sealer(bench.log, bench.seals, files, "k", KEY.sign, 0.02).run(["t"], stop))
    for number in range(2):
        await bench.log.append([record("t", "k", f"v{number}")])
        while (await bench.seals.last()).get(("t", 0)) is None or not files.begun:
            assert not working.done()
            await asyncio.sleep(0.01)
    while (last := files.last()) is None or last.heads["t", 0].next_offset < 2:
        assert not working.done()
        await asyncio.sleep(0.01)
    stop.set()
    await working
