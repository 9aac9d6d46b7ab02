"""Exactness: after kill -9 of everything that folds or keeps, every answer equals the recount. Lost 0, double 0."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from domain.events.validation import RESERVED_STREAMS
from projections.engine.declare.registry import all_queries
from tests.e2e.exactness.expected import Near, Question
from tests.e2e.exactness.expected_series import RESTATED, questions
from tests.e2e.exactness.proof import Proof, Size, prove
from tests.e2e.exactness.recount import Recount
from tests.e2e.exactness.stream import Stream
from tests.e2e.exactness.verdict import Line
from tests.support.kafka_broker import KafkaBroker

SMALL = Size(events=3_000, kills=1, parcel=250)
TWICE = Size(events=15_000, kills=2, parcel=1_000)
SMALL_ON_KAFKA = Size(events=15_000, kills=1, parcel=1_000)  # to start a broker again takes ten seconds and more
FULL = Size(events=1_000_000, kills=20, parcel=4_000)


def judge(proof: Proof, size: Size, capsys: pytest.CaptureFixture[str]) -> None:
    """Print the table, then hold the run to all of it."""
    with capsys.disabled():
        print(f"\n{proof.report()}")
    assert proof.events == size.events
    assert proof.duplicates >= size.events // 60
    assert proof.bad.wanted >= size.events // 130
    assert set(proof.kills.values()) == {size.kills}
    assert proof.exact
    assert proof.too_large == []


@pytest.mark.ci
def test_small_on_the_embedded_log(own_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A projector and PostgreSQL are killed once each. Half a minute of both cores."""
    judge(prove(own_folder, SMALL), SMALL, capsys)


@pytest.mark.ci
def test_who_came_back_is_killed_again(own_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Twice each. Half a minute of both cores."""
    judge(prove(own_folder, TWICE), TWICE, capsys)


@pytest.mark.ci
@pytest.mark.kafka
def test_small_on_kafka(own_folder: Path, mortal: KafkaBroker, capsys: pytest.CaptureFixture[str]) -> None:
    """They and the broker once each. As long as any five other files."""
    judge(prove(own_folder, SMALL_ON_KAFKA, mortal), SMALL_ON_KAFKA, capsys)


@pytest.mark.check
def test_a_million_on_the_embedded_log(own_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Twenty times each."""
    judge(prove(own_folder, FULL), FULL, capsys)


@pytest.mark.check
@pytest.mark.kafka
def test_a_million_on_kafka(own_folder: Path, mortal: KafkaBroker, capsys: pytest.CaptureFixture[str]) -> None:
    """And the broker."""
    judge(prove(own_folder, FULL, mortal), FULL, capsys)


def asked(events: int) -> Iterator[Question]:
    """Every question about the first company of a stream."""
    recount = Recount()
    for event in Stream(3).events(events):
        recount.add(event)
    yield from questions(next(iter(recount.books.values())))


def as_answered(question: Question) -> list[dict[str, object]]:
    """The rows that a service without fault would answer."""
    return [{n: v.exact if isinstance(v, Near) else v for n, v in row.items()} for row in question.rows]


def test_the_comparison_sees_a_lost_row_a_repeated_event_and_a_wrong_trillionth() -> None:
    """A proof that could not fail would prove nothing."""
    ledger = next(question for question in asked(2_000) if question.query == "trading_totals" and question.keys)
    rows = as_answered(ledger)
    faultless, short, twice, wrong = (Line("trading_totals") for _ in range(4))
    faultless.compare(ledger, rows)
    short.compare(ledger, rows[1:])
    twice.compare(ledger, [{**rows[0], "total_trades": ledger.rows[0]["total_trades"] + 1}, *rows[1:]])
    wrong.compare(ledger, [{**rows[0], "total_pnl": "0.000000000001"}, *rows[1:]])
    assert (faultless.lost, faultless.double, faultless.unequal) == (0, 0, 0)
    assert (short.lost, short.unequal) == (ledger.rows[0]["total_trades"], 1)
    assert (twice.double, twice.unequal) == (1, 1)
    assert (wrong.lost, wrong.double, wrong.unequal) == (0, 0, 1)


def test_the_stream_is_the_same_every_time_and_covers_all_of_the_recount() -> None:
    """Two runs tell of the same events; each chapter of the recount has something of the outside to count."""
    once, again = (list(islice(Stream(5).events(500), 500)) for _ in range(2))
    assert once == again
    assert len({event.id for event in once}) == 500
    outside = {name for name, (p, _) in all_queries().items() if p.topics.isdisjoint(RESERVED_STREAMS)} - {*RESTATED}
    assert all(question.rows for question in asked(4_000) if question.query in outside)
