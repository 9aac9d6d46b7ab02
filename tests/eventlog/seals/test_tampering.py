"""The log verified at the real thing: every harm to records, seals and checkpoints is found, at its place."""

from __future__ import annotations

import asyncio
import json
import random
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapters.files.checkpoint_key import checker, key_id
from adapters.files.checkpoints import CheckpointFiles
from adapters.postgres.log.log import EmbeddedLog
from adapters.postgres.tables.seals import PostgresSeals
from domain.errors import NotYet
from domain.ports import EventLog, Record
from domain.position import Position
from eventlog.seals.proof import check, prove
from eventlog.seals.sealer import Sealer
from eventlog.seals.verify import Evidence, Verdict, verify
from tests.eventlog.seals.tampering import tamper
from tests.support.event_logs import OpenLog

KEY = Ed25519PrivateKey.generate()
RECORDS, TOPIC = 30_000, "sealed"
KINDS = ("flip", "delete", "reorder", "truncate", "drop-run")


@dataclass
class Sealed:
    """A log whose records are all sealed and signed."""

    log: EventLog
    evidence: Evidence
    files: CheckpointFiles
    seals: PostgresSeals

    async def verdict(self, begin: Position | None = None, end: Position | None = None) -> Verdict:
        return await verify(self.log, self.evidence, [TOPIC], begin or Position(), end, lambda _done, _all: None)

    async def seal(self) -> None:
        """Run a sealer until it has sealed and signed everything."""
        await seal_all(self.log, self.seals, self.files)

    async def append(self, count: int, start: int = 0) -> None:
        records = [Record(TOPIC, f"k{n % 97}".encode(), f"record {n}".encode(), n) for n in range(start, start + count)]
        for begin in range(0, count, 700):
            await self.log.append(records[begin : begin + 700])


async def seal_all(log: EventLog, seals: PostgresSeals, files: CheckpointFiles) -> None:
    stop = asyncio.Event()
    heads = await log.heads(TOPIC)
    working = asyncio.create_task(Sealer(log, seals, files, key_id(KEY.public_key()), KEY.sign, 0.1).run([TOPIC], stop))
    while {p: seal.header.next_offset for (_, p), seal in (await seals.last()).items()} != heads:
        assert not working.done()
        await asyncio.sleep(0.02)
    stop.set()
    await working


@asynccontextmanager
async def opened(log: EventLog, database_url: str, folder: Path) -> AsyncIterator[Sealed]:
    """The log with its seals in that database and its checkpoints in that folder."""
    seals, files = PostgresSeals(database_url), CheckpointFiles(folder)
    yield Sealed(log, Evidence(seals, files, checker(KEY.public_key())), files, seals)
    await seals.close()
    await log.close()


async def fill(made: Sealed) -> None:
    """Seal some tens of thousands of records."""
    await made.log.create_topics({TOPIC: 2})
    await made.append(RECORDS)
    await made.seal()


@pytest.fixture(scope="module")
def template(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """A sealed log and its checkpoints: copying them is faster than sealing."""
    folder = tmp_path_factory.mktemp("checkpoints")

    async def make() -> None:
        async with opened(EmbeddedLog(module_database_url), module_database_url, folder) as made:
            await fill(made)

    asyncio.run(make())
    return module_database_url, folder


@pytest.fixture
def database_url(template: tuple[str, Path], copied_database: Callable[[str], str]) -> str:
    """A database with a sealed log in it."""
    return copied_database(template[0])


@pytest.fixture
async def sealed(template: tuple[str, Path], database_url: str, tmp_path: Path) -> AsyncIterator[Sealed]:
    shutil.copytree(template[1], tmp_path, dirs_exist_ok=True)
    async with opened(EmbeddedLog(database_url), database_url, tmp_path) as made:
        yield made


async def places(sealed: Sealed, database_url: str, times: int, seed: int) -> None:
    """Do harm in random places, one at a time: each is found in the block that holds it, and undone."""
    chance = random.Random(seed)
    assert isinstance(sealed.log, EmbeddedLog)
    with psycopg.connect(database_url, autocommit=True) as connection:
        rows = connection.execute("SELECT id, partition FROM log.partitions WHERE topic = %s", (TOPIC,)).fetchall()
        numbers: dict[int, int] = dict(rows)
        for turn in range(times):
            harm = tamper(connection, KINDS[turn % len(KINDS)], chance)
            verdict = await sealed.verdict()
            harm.undo()
            found = [f for f in verdict.findings if f.partition == numbers[harm.partition_id]]
            assert found, harm
            assert found[0].first_offset <= harm.offset < found[0].next_offset, (harm, found)
            assert all(f.partition == numbers[harm.partition_id] for f in verdict.findings)
        assert (await sealed.verdict()).verified


async def test_an_untouched_log_is_verified_wholly(sealed: Sealed) -> None:
    verdict = await sealed.verdict()
    assert verdict.verified, verdict.findings
    assert (verdict.records, verdict.unsealed) == (RECORDS, 0)
    assert verdict.position == str(Position({(TOPIC, p): o for p, o in (await sealed.log.heads(TOPIC)).items()}))


async def test_harm_in_random_places_is_found_where_it_was_done(sealed: Sealed, database_url: str) -> None:
    await places(sealed, database_url, 40, seed=1)


@pytest.mark.check
async def test_harm_in_a_thousand_places_is_found(sealed: Sealed, database_url: str) -> None:
    await places(sealed, database_url, 1_000, seed=2)


async def test_seals_made_to_fit_a_changed_log_are_found_by_the_signature(
    sealed: Sealed, database_url: str, tmp_path: Path
) -> None:
    """Whoever owns the database can change records and seal them anew, and the sealer goes on from there."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        tamper(connection, "flip", random.Random(3))
        connection.execute("DELETE FROM log_seals")
    forger = CheckpointFiles(tmp_path / "forged")  # without the key, nothing of his can join the real ones
    await seal_all(sealed.log, sealed.seals, forger)
    codes = {finding.code for finding in (await sealed.verdict()).findings}
    assert codes & {"checkpoint_differs", "seal_missing"}


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM log_seals WHERE first_offset = (SELECT max(first_offset) FROM log_seals)",
        "DELETE FROM log_seals WHERE first_offset = 0",
        "DELETE FROM log_seals WHERE first_offset = 4096",
        "DELETE FROM log_seals",
        "UPDATE log_seals SET content = sha256(content) WHERE first_offset = 4096",
        "UPDATE log_seals SET root = sha256(root) WHERE first_offset = 4096",
        "UPDATE log_seals SET records = records + 1 WHERE first_offset = 4096",
        "UPDATE log_seals SET chain = sha256(chain) WHERE first_offset = 4096",
        "UPDATE log_seals SET previous = sha256(previous) WHERE first_offset = 4096",
    ],
)
async def test_changed_seals_are_found(sealed: Sealed, database_url: str, statement: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(statement.encode())
    assert not (await sealed.verdict()).verified


async def test_changed_checkpoints_are_found(sealed: Sealed, tmp_path: Path) -> None:
    [file] = await asyncio.to_thread(lambda: list(tmp_path.glob("*.ndjson")))
    lines = file.read_text().splitlines()
    statement = json.loads(lines[-1])
    statement["statement"]["heads"][0][2] += 1
    for forged in ([*lines[:-1], json.dumps(statement)], [*lines, "no checkpoint"], [*lines, lines[0]]):
        file.write_text("\n".join(forged) + "\n")
        assert not (await sealed.verdict()).verified
    file.write_text("\n".join(lines) + '\n{"state')  # a crash while writing
    assert (await sealed.verdict()).verified


async def test_a_range_and_what_came_since_are_verified_alone(sealed: Sealed, database_url: str) -> None:
    """Harm before the range is not seen, harm in it is."""
    heads = await sealed.log.heads(TOPIC)
    middle = Position({(TOPIC, p): o for p, o in heads.items()})
    await sealed.append(5_000, start=RECORDS)
    await sealed.seal()
    verdict = await sealed.verdict(begin=middle)
    assert verdict.verified
    assert 5_000 <= verdict.records < 5_000 + 2 * 4_096
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("UPDATE log.runs SET records = set_byte(records, 0, 0) WHERE first_offset = 0")
    assert (await sealed.verdict(begin=middle)).verified
    assert not (await sealed.verdict(end=middle)).verified


async def test_what_is_not_sealed_yet_is_counted_and_not_vouched_for(sealed: Sealed) -> None:
    await sealed.append(10, start=RECORDS)
    verdict = await sealed.verdict()
    assert verdict.verified
    assert (verdict.records, verdict.unsealed) == (RECORDS, 10)
    head = (await sealed.log.heads(TOPIC))[0]
    with pytest.raises(NotYet):
        await prove(sealed.log, sealed.seals, sealed.files, (TOPIC, 0), head)


async def test_every_record_can_be_proved_with_the_public_key_alone(sealed: Sealed) -> None:
    heads = await sealed.log.heads(TOPIC)
    for offset in (0, 4_095, 4_096, heads[1] - 1):
        proof = await prove(sealed.log, sealed.seals, sealed.files, (TOPIC, 1), offset)
        assert check(proof, checker(KEY.public_key())).partition == 1
        assert proof.record.startswith(b"record ")


@pytest.mark.ci
@pytest.mark.kafka
async def test_a_log_on_kafka_is_sealed_verified_and_proved(
    new_database: Callable[[], str], open_kafka_log: OpenLog, tmp_path: Path
) -> None:
    async with opened(await open_kafka_log(), new_database(), tmp_path) as sealed:
        await fill(sealed)
        verdict = await sealed.verdict()
        assert verdict.verified, verdict.findings
        assert verdict.records == RECORDS
        proof = await prove(sealed.log, sealed.seals, sealed.files, (TOPIC, 0), 5_000)
        assert check(proof, checker(KEY.public_key())).first_offset == 4_096
