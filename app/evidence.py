"""Tamper evidence put together: keys and checkpoints of the data folder, seals of the database, the log."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from app import wiring
from app.settings import Settings
from domain.errors import Invalid
from domain.position import Position
from projections.engine.rebuild_result import RebuildResult

if TYPE_CHECKING:
    from adapters.files.checkpoints import CheckpointFiles
    from adapters.postgres.read_models.snapshots import PostgresSnapshots
    from eventlog.seals.checkpoints import Check
    from eventlog.seals.verify import Evidence


def folder(settings: Settings) -> Path:
    """Where evidence is kept, outside the log and its database."""
    return settings.data / "evidence"


def checkpoint_files(settings: Settings) -> CheckpointFiles:
    """The signed checkpoints of this data folder."""
    from adapters.files.checkpoints import CheckpointFiles

    return CheckpointFiles(folder(settings) / "checkpoints")


@asynccontextmanager
async def evidence(settings: Settings, public_key: bytes | None = None) -> AsyncIterator[Evidence]:
    """What the log is verified against; signatures by the key given (PEM), else by the one of the data folder.

    Raises Invalid for a key that is none or that others can read.
    """
    from adapters.files.checkpoint_key import checker, read_public_key
    from eventlog.seals.verify import Evidence

    signed = checker(read_public_key(public_key)) if public_key else check(settings)
    async with wiring.seals(settings) as seals:
        yield Evidence(seals, checkpoint_files(settings), signed, partial(asyncio.to_thread, _faults, settings, signed))


def check(settings: Settings) -> Check:
    """Says whether the key of this data folder has signed something. Raises as `kept_pair` does."""
    from adapters.files.checkpoint_key import checker, signing_key

    return checker(signing_key(wiring.keys(settings)).public_key())


def snapshots(settings: Settings, signed: Check | None = None) -> PostgresSnapshots:
    """The snapshots, which are signed by the key of this data folder. Raises as `kept_pair` does."""
    from adapters.files.checkpoint_key import signing_key
    from adapters.postgres.read_models.snapshots import PostgresSnapshots

    key = signing_key(wiring.keys(settings))
    return PostgresSnapshots(settings.database_url, key.sign, signed or check(settings))


def _faults(settings: Settings, signed: Check) -> list[str]:
    from projections.engine.declare.registry import all_projections

    with closing(snapshots(settings, signed)) as store:
        return [
            f"snapshot {each.projection} version {each.version} number {each.number}: {problem}"
            for projection in all_projections().values()
            for each in store.stored(projection)
            if (problem := store.problem(projection, each))
        ]


@contextmanager
def only_sealer(settings: Settings) -> Iterator[bool]:
    """Whether this process is the one that may write checkpoints here; the lock goes with the process."""
    import fcntl

    folder(settings).mkdir(parents=True, exist_ok=True)
    with (folder(settings) / "sealer.lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def rebuild_results(settings: Settings) -> Mapping[str, RebuildResult]:
    """How the last comparison of each projection's live rows with rebuilt ones ended; none that was never made."""
    with suppress(OSError, ValueError):
        return msgspec.json.decode((folder(settings) / "compared.json").read_bytes(), type=dict[str, RebuildResult])
    return {}


def remember_rebuild(settings: Settings, projection: str, found: RebuildResult) -> None:
    """Note how a comparison ended, in place of the one before."""
    from adapters.files import atomic

    folder(settings).mkdir(parents=True, exist_ok=True)
    known = {**rebuild_results(settings), projection: found}
    atomic.write(folder(settings) / "compared.json", msgspec.json.encode(known))


def last_verified(settings: Settings) -> Position:
    """Where the last verification without a finding ended; the empty position where there was none."""
    with suppress(OSError, ValueError, KeyError, Invalid):
        return Position.parse(json.loads((folder(settings) / "verified.json").read_text())["position"])
    return Position()


def remember_verified(settings: Settings, position: Position) -> None:
    """Note a position that was verified, for `--since-last`."""
    from adapters.files import atomic

    atomic.write(folder(settings) / "verified.json", json.dumps({"position": str(position)}).encode() + b"\n")
