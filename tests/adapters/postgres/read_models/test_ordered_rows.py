"""Rows of ordered folds: what a state no longer stands for goes, and sums follow their states."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from adapters.postgres.read_models.ordered_rows import store
from adapters.postgres.read_models.projection_store import PostgresProjectionStore
from projections.engine.declare.merge_rules import Count, Hour, Key, Moment, Own, Sum, Text
from projections.engine.declare.projection import Fact, Projection, State
from projections.engine.declare.rows import Row
from projections.engine.store.port import Checksum, OrderedFacts

HOUR = 3_600_000
tickets = Projection("tickets", version=1)


class TicketState(Row):
    """A ticket and its newest text; belongs to one state."""

    company_id: Key[Text]
    text: Key[Text]  # not of the fold's key, and before it
    ticket_id: Key[Text]
    at: Own[Moment]
    note: Own[Text]
    steps: Sum[Count]


class LastSteps(Row):
    """How many tickets had their last step in an hour; shared by all states."""

    company_id: Key[Text]
    hour: Key[Hour]
    tickets: Sum[Count]
    steps: Sum[Count]


def follow(state: State | None, facts: Sequence[Fact]) -> State:
    """All steps as (time, text)."""
    steps = json.loads(state) if state else []
    return json.dumps(sorted(steps + [[f["at"], f["text"]] for f in facts])).encode()


def stand_for(state: State) -> Mapping[str, Iterable[Mapping[str, Any]]]:
    """A row for the newest step, which replaces the one before it; its hour twice, to be added up."""
    steps = json.loads(state)
    at, text = steps[-1]
    count = 0.5 if text == "half" else len(steps)
    return {
        "ticket_state": [{"text": text, "at": at, "note": text or None, "steps": count}],
        "last_steps": [{"hour": at, "tickets": 1}, {"hour": at, "steps": count}],
    }


tickets.ordered_fold(
    "support_ticket", by=("company_id", "ticket_id"), into=(TicketState, LastSteps), advance=follow, rows=stand_for
)
(FOLD,) = tickets.ordered


class Stored:
    """The tables of the projection in one database."""

    def __init__(self, database_url: str) -> None:
        self._store = PostgresProjectionStore(database_url)
        self._store.prepare([tickets])
        self.connection = psycopg.connect(database_url, autocommit=True, options="-c timezone=UTC")

    def given(self, ticket: str, *steps: tuple[int, str], company: str = "acme") -> None:
        """Fold these steps of a ticket as one batch."""
        facts = [{"at": at, "text": text} for at, text in steps]
        with self.connection.transaction():
            store(self.connection, tickets, OrderedFacts(FOLD, {(company, ticket): facts}))

    def rows(self, table: str) -> list[tuple[Any, ...]]:
        """All rows of a table."""
        query = f'SELECT * FROM read_models."{table}_v1" ORDER BY 1, 2, 3'
        return self.connection.execute(query.encode()).fetchall()

    def checksum(self) -> Checksum:
        """Of rows and states."""
        return self._store.checksum(tickets)

    def close(self) -> None:
        """Give back the connections."""
        self._store.close()
        self.connection.close()


@pytest.fixture
def stored(database_url: str) -> Iterator[Stored]:
    """Empty tables."""
    opened = Stored(database_url)
    yield opened
    opened.close()


def at(hours: float) -> datetime:
    return datetime.fromtimestamp(hours * 3600, UTC)


def test_a_row_that_its_state_no_longer_has_goes(stored: Stored) -> None:
    """The newest state's rows replace those of the state before; other states' rows stay."""
    stored.given("t1", (HOUR, "opened"))
    stored.given("t2", (HOUR, "opened"))
    stored.given("t1", (2 * HOUR + 5, "closed"))
    assert stored.rows("ticket_state") == [
        ("acme", "closed", "t1", datetime.fromtimestamp(7200.005, UTC), "closed", 2),
        ("acme", "opened", "t2", at(1), "opened", 1),
    ]


def test_a_sum_in_a_row_of_one_state_is_that_states_sum(stored: Stored) -> None:
    """It is not added once more by each batch."""
    stored.given("t1", (1, "same"))
    stored.given("t1", (2, "same"), (3, "same"))
    assert [row[-1] for row in stored.rows("ticket_state")] == [3]


def test_shared_sums_follow_their_states_and_leave_no_empty_row(stored: Stored) -> None:
    """What moves to another key is taken from the first, and a row that comes to nothing goes."""
    stored.given("t1", (HOUR, "a"))
    stored.given("t2", (HOUR + 1, "a"), (0, "a"))
    assert stored.rows("last_steps") == [("acme", at(1), 2, 3)]
    stored.given("t1", (3 * HOUR, "b"))
    assert stored.rows("last_steps") == [("acme", at(1), 1, 2), ("acme", at(3), 1, 2)]
    stored.given("t2", (3 * HOUR, "b"))
    assert stored.rows("last_steps") == [("acme", at(3), 2, 5)]


def test_any_text_is_stored_as_it_is(stored: Stored) -> None:
    """Quotes, commas, line ends and what looks like the end of the data; no text is not the empty text."""
    texts = ['a "b", c', "line\nend\r\n", "\\.", "ünï 🙂", "", " "]
    for number, text in enumerate(texts):
        stored.given(f"t{number}", (number, text), company='quo"te')
    rows = stored.rows("ticket_state")
    assert sorted(row[1] for row in rows) == sorted(texts)
    assert sorted(row[4] or "" for row in rows) == sorted(texts)
    assert [row[4] for row in rows if row[1] == ""] == [None]


def test_a_number_that_is_not_whole_is_refused(stored: Stored) -> None:
    """A float would make the sum depend on the order; nothing of the batch is stored."""
    with pytest.raises(TypeError, match="whole"):
        stored.given("t1", (1, "half"))
    assert stored.checksum().rows == 0


def test_a_second_worker_waits_for_the_first(stored: Stored, database_url: str) -> None:
    """Two workers with facts of one new key, from different partitions: the second goes on from the first's state."""
    second = Stored(database_url)
    folding = threading.Thread(target=second.given, args=("t1", (2, "second")))
    with stored.connection.transaction():
        stored.given("t1", (1, "first"))
        folding.start()
        wait_until_locked(second.connection.info.backend_pid, stored.connection)
    folding.join()
    assert [(row[1], row[-1]) for row in stored.rows("ticket_state")] == [("second", 2)]
    assert [row[2:] for row in stored.rows("last_steps")] == [(1, 2)]
    second.close()


def wait_until_locked(process: int, connection: psycopg.Connection) -> None:
    """Return when the process waits for another transaction."""
    waiting = "SELECT count(*) FROM pg_locks WHERE pid = %s AND NOT granted"
    deadline = time.monotonic() + 30
    while connection.execute(waiting, (process,)).fetchone() == (0,):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_facts_that_change_no_state_change_nothing(stored: Stored) -> None:
    """Nothing is written, so that a repeat costs no new versions of rows."""
    stored.given("t1", (1, "a"))
    before = stored.checksum().checksum, stored.rows("ticket_state"), stored.rows("last_steps")
    stored.given("t1")
    assert (stored.checksum().checksum, stored.rows("ticket_state"), stored.rows("last_steps")) == before
