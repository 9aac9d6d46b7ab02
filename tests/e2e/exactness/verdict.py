"""The verdict: every answer of the instance beside the recount, and what was lost or counted twice."""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import httpx
import psycopg

from tests.e2e.exactness.expected import Near, Question, Row
from tests.e2e.exactness.expected_series import questions
from tests.e2e.exactness.recount import Recount
from tests.support.instance import Instance

PAGE = 10_000
READER = "recount"  # subject of whoever compares
TRAIL_SECONDS = 30.0  # that the trail of what was read may take, on a busy machine
TIME = re.compile(r"[\d-]{10}T[\d:]{8}Z")  # a whole second
EXAMPLES = 5  # differences that are kept of each query


@dataclass
class Line:
    """What was found about one query, over all companies and questions."""

    query: str
    questions: int = 0
    rows: int = 0
    counted: int = 0
    lost: int = 0
    double: int = 0
    unequal: int = 0
    examples: list[str] = field(default_factory=list)

    def compare(self, question: Question, answered: list[Row]) -> None:
        """Take one answer into account."""
        self.questions += 1
        self.rows += len(answered)
        keys = [tuple(row.get(key) for key in question.keys) for row in answered]
        found = dict(zip(keys, answered, strict=True))
        if len(found) != len(keys) or keys != sorted(keys, key=_in_order):
            self._differs(question, "the rows are not in the order of their keys, each once")
        for row in question.rows:
            key = tuple(row[name] for name in question.keys)
            self._compare_row(question, key, row, found.pop(key, None))
        for key, row in found.items():
            self.double += int(row.get(question.counts, 1))
            self._differs(question, f"{key} should not be there")

    def _compare_row(self, question: Question, key: tuple[Any, ...], wanted: Row, found: Row | None) -> None:
        number = int(wanted.get(question.counts, 1))
        self.counted += number
        if found is None:
            self.lost += number
            self._differs(question, f"{key} is missing")
            return
        more = int(found.get(question.counts, 1)) - number
        self.lost, self.double = self.lost + max(0, -more), self.double + max(0, more)
        for name, value in wanted.items():
            if not _equal(found.get(name), value):
                self._differs(question, f"{key} {name}: {found.get(name)} instead of {value}")

    def _differs(self, question: Question, what: str) -> None:
        self.unequal += 1
        if len(self.examples) < EXAMPLES:
            self.examples.append(f"{question.query} {question.params}: {what}")


def _in_order(key: tuple[Any, ...]) -> tuple[Any, ...]:
    """A key that sorts as what it says: a time with milliseconds comes after the second that it lies in."""
    return tuple(f"{part[:-1]}.000Z" if TIME.fullmatch(str(part)) else part for part in key)


def _equal(found: object, wanted: object) -> bool:
    if isinstance(wanted, Near):
        return wanted.admits(found)
    return found == wanted and type(found) is type(wanted)


def compare(instance: Instance, recount: Recount) -> dict[str, Line]:
    """Ask everything that the recount knows, over HTTP; a line for each query that reads rows of its own.

    The trail must tell of every request that this takes, each once.
    """
    with instance.client("viewer", "*", "--subject", READER) as client:
        reader = _Reader(client)
        listing = client.get("/api/v1/query")
        assert listing.status_code == 200, listing.text
        lines = {entry["name"]: Line(entry["name"]) for entry in listing.json()["queries"] if entry["projection"]}
        for company, books in recount.books.items():
            for question in questions(books):
                lines[question.query].compare(question, list(_rows(reader, company, question)))
    with instance.client("auditor", "*") as client:
        for company, told in reader.told.items():
            _until_on_record(client, company, len(told))
            for question in _trail(told):
                found = sorted(_rows(_Reader(client), company, question), key=lambda row: row.get("correlation_id", ""))
                lines[question.query].compare(question, found)
    return lines


def _until_on_record(client: httpx.Client, company: str, requests: int) -> None:
    """Return once the trail has so many of the reader's requests, or after a while: the comparison says what lacks."""
    deadline = time.monotonic() + TRAIL_SECONDS
    params = {"company": company, "subject": READER}
    while time.monotonic() < deadline:
        rows = client.get("/api/v1/query/audit_totals", params=params).json()["rows"]
        if rows and rows[0]["total"] >= requests:
            return
        time.sleep(0.2)


class _Reader:
    """Somebody who notes what the trail must tell of each of their requests."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self._requests = 0
        self.told: defaultdict[str, list[Row]] = defaultdict(list)  # by company

    def get(self, company: str, query: str, params: dict[str, str]) -> httpx.Response:
        """Ask a query."""
        self._requests += 1
        correlation_id = f"{READER}-{self._requests:06d}"
        headers = {"X-Correlation-Id": correlation_id}
        response = self._client.get(f"/api/v1/query/{query}", params=params, headers=headers)
        assert response.status_code == 200, f"{query} {params}: {response.text}"
        row: Row = {
            "subject": READER,
            "role": "viewer",
            "action": "query",
            "target": _target(query, params),
            "outcome": "ok",
            "door": "http",
        }
        row |= {"position": response.headers["x-position"], "correlation_id": correlation_id, "count": 1}
        self.told[company].append(row)
        return response


def _target(query: str, params: dict[str, str]) -> str:
    """The query and what is asked of it, by name; the company is told beside it."""
    asked = urlencode(sorted((name, value) for name, value in params.items() if name != "company"))
    return f"{query}?{asked}" if asked else query


def _trail(told: list[Row]) -> Iterator[Question]:
    """What an auditor must read of the reader's requests."""
    yield Question("audit_trail", {"subject": READER}, ("correlation_id",), told, "count")
    kind: Row = {"subject": READER, "action": "query", "outcome": "ok"}
    asked = {"by": ",".join(kind), "subject": READER}
    yield Question("audit_totals", asked, tuple(kind), [kind | {"total": len(told)}], "total")


def _rows(reader: _Reader, company: str, question: Question) -> Iterator[Row]:
    """All rows of the answer, page by page where it has pages."""
    params = {"company": company, **question.params}
    while True:
        answer = reader.get(company, question.query, params).json()
        yield from answer["rows"]
        if not answer.get("next_cursor"):
            return
        params |= {"cursor": answer["next_cursor"], "limit": str(PAGE)}


@dataclass(frozen=True)
class Quarantined:
    """What became of the bad events: each must be there with its bytes, and nothing else."""

    wanted: int
    missing: int
    strange: int


def quarantined(instance: Instance, bad: set[bytes]) -> Quarantined:
    """Compare the quarantine with what was spoiled; a repeated delivery may have brought an event twice."""
    with psycopg.connect(instance.addresses["database"]) as connection:
        found = {bytes(raw) for (raw,) in connection.execute("SELECT raw FROM quarantine")}
    return Quarantined(len(bad), len(bad - found), len(found - bad))
