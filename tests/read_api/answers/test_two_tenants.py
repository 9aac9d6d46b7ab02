"""Two companies with the same questions, through every tier, while tiers lose what they have: nobody gets another's."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from nats.errors import Error as NatsError

from adapters.files.answer_files import AnswerFiles
from adapters.nats.answer_bucket import BUCKET, AnswerBucket
from adapters.nats.bus import NatsBus
from adapters.servers.servers import Addresses
from domain.access.rights import Member
from domain.errors import AnalyticsError
from domain.ports import Answer, Checkpoint
from projections.engine.query.asked_at import LastingAnswer
from projections.engine.query.request import Question
from read_api.answers import cache
from read_api.answers.cache import AnswerCache
from read_api.answers.cache_tiers import GuardedTier, Tiers
from tests.read_api.answers.test_cache import NOON

COMPANIES = ("acme", "globex")
QUESTIONS = [
    Question(name, company, params, NOON, member)
    for name, params in (("kpis", {"at": "2025-03-15"}), ("kpis", {"at": "2025-02-15"}), ("trading_metrics", {}))
    for company in COMPANIES
    for member in (None, Member(frozenset({"u1"})), Member(frozenset({"u2"})))
]


class Store:
    """Companies whose rows move one by one; an answer says of whom it is, of what, and when."""

    def __init__(self) -> None:
        self.moved = dict.fromkeys(COMPANIES, 0)

    async def ask(self, company: str, projection: str, sql: str, params: Sequence[object]) -> Answer:
        raise AssertionError("answers are made by `make`")

    async def checkpoints(self, projections: Sequence[str], company: str = "") -> Mapping[str, Checkpoint]:
        own = f"trading-events:0={self.moved[company]}"
        total = f"trading-events:0={sum(self.moved.values())}"
        return {name: Checkpoint(1, total, 1_700_000_000_000, True, 0, own) for name in projections}

    def rows(self, question: Question) -> list[dict[str, Any]]:
        """What is right now."""
        return [{"of": repr(replace(question, asked_at=NOON).key), "moved": self.moved[question.company]}]

    async def make(self, question: Question) -> LastingAnswer:
        about = {"position": "", "as_of": "2023-11-14T22:13:20Z", "complete": True, "lag_ms": 0}
        answer = about | {"query": question.name, "rows": self.rows(question)}
        return LastingAnswer(answer, question.asked_at, question.asked_at + timedelta(minutes=2))


@pytest.fixture
async def bus(servers: Addresses) -> AsyncIterator[NatsBus]:
    """The live bus of the run."""
    made = await NatsBus.connect(servers.nats_url)
    yield made
    await made.close()


async def rounds(bus: NatsBus, folder: Path, count: int, monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """So many questions to three processes; what the tiers had."""
    monkeypatch.setattr(cache, "MEMORY", 18_000)  # a few answers
    monkeypatch.setattr(cache, "LOOK", 0.0)
    chance, store = random.Random(16), Store()
    bucket, files = AnswerBucket(bus), AnswerFiles(folder, most_bytes=6_000)
    tiers = [GuardedTier("shared", bucket, 0.0, 5.0), GuardedTier("files", files, 0.0, 5.0)]
    processes = [AnswerCache(store, store.make, tiers=Tiers(*tiers), code="test") for _ in range(3)]
    for number in range(count):
        question = chance.choice(QUESTIONS)
        asked = replace(question, asked_at=NOON + timedelta(minutes=number // 200))
        found = await chance.choice(processes).answer(asked)
        assert found["rows"] == store.rows(question)
        if chance.random() < 0.1:
            store.moved[chance.choice(COMPANIES)] += 1
        if chance.random() < 0.01:
            await lose(bus)
        if chance.random() < 0.05:
            harm(folder, chance)
    return {tier.name: tier.counts["hits"] for tier in tiers} | dict(
        sum((p.counts for p in processes), start=Counter[str]())
    )


async def lose(bus: NatsBus) -> None:
    """The server forgets all answers."""
    with suppress(NatsError):
        await bus.jetstream().delete_key_value(BUCKET)


def harm(folder: Path, chance: random.Random) -> None:
    """A file is torn, or holds what another held."""
    files = sorted(folder.glob("*.answer"))
    if len(files) > 1:
        one, other = chance.sample(files, 2)
        with suppress(FileNotFoundError):  # it was too much for the folder meanwhile
            content = other.read_bytes()
            one.write_bytes(content if chance.random() < 0.5 else content[: len(content) // 2])


async def test_nobody_gets_the_answer_of_another(bus: NatsBus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each tier has answered, and every answer was that of its company, its member and its moment."""
    found = await rounds(bus, tmp_path, 400, monkeypatch)
    assert all(found[name] > 0 for name in ("shared", "files", "process_hits", "computed")), found


@pytest.mark.ci
async def test_nobody_gets_the_answer_of_another_in_ten_thousand_rounds(
    bus: NatsBus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many as the issue of it asks for; they take half a minute, and 400 say the same of each change."""
    found = await rounds(bus, tmp_path, 10_000, monkeypatch)
    assert all(found[name] > 0 for name in ("shared", "files", "process_hits", "computed")), found


async def test_the_bucket_keeps_what_fits_and_comes_back(bus: NatsBus) -> None:
    """The last one that is kept under a name; what is too large is left out; after a loss it goes on."""
    bucket, name = AnswerBucket(bus), f"{datetime.now(UTC).timestamp():.6f}".replace(".", "")
    assert await bucket.get(name) is None
    await bucket.put(name, b"first")
    await bucket.put(name, b"second")
    await bucket.put(f"{name}-large", b"x" * 600_000)
    assert (await bucket.get(name), await bucket.get(f"{name}-large")) == (b"second", None)
    await lose(bus)
    for _ in range(2):
        with suppress(AnalyticsError):
            assert await bucket.get(name) is None
    await bucket.put(name, b"third")
    assert await bucket.get(name) == b"third"


async def test_files_keep_to_their_room(tmp_path: Path) -> None:
    """What was used last stays; what cannot be read is not there."""
    files = AnswerFiles(tmp_path / "answers", most_bytes=5_000)
    for number in range(10):
        await files.put(f"n{number}", b"x" * 1_000)
        await files.get("n0")
    files.sweep()
    left = {path.stem for path in (tmp_path / "answers").iterdir()}
    assert len(left) == 5
    assert {"n0", "n9"} <= left
    assert await files.get("n1") is None
    assert await files.get("n9") == b"x" * 1_000
