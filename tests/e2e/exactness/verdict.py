"""The verdict: every answer of the instance beside the recount, and what was lost or counted twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import psycopg

from tests.e2e.exactness.expected import Near, Question, Row
from tests.e2e.exactness.expected_series import questions
from tests.e2e.exactness.recount import Recount
from tests.support.instance import Instance

PAGE = 10_000
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
        if len(found) != len(keys) or keys != sorted(keys):
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


def _equal(found: object, wanted: object) -> bool:
    if isinstance(wanted, Near):
        return wanted.admits(found)
    return found == wanted and type(found) is type(wanted)


def compare(instance: Instance, recount: Recount) -> dict[str, Line]:
    """Ask everything that the recount knows, over HTTP; a line for each registered query."""
    with instance.client("viewer", "*") as client:
        listing = client.get("/api/v1/query")
        assert listing.status_code == 200, listing.text
        lines = {entry["name"]: Line(entry["name"]) for entry in listing.json()}
        for company, books in recount.books.items():
            for question in questions(books):
                lines[question.query].compare(question, list(_rows(client, company, question)))
    return lines


def _rows(client: httpx.Client, company: str, question: Question) -> Iterator[Row]:
    """All rows of the answer, page by page where it has pages."""
    params = {"company": company, **question.params}
    while True:
        response = client.get(f"/api/v1/query/{question.query}", params=params)
        assert response.status_code == 200, f"{question.query} {params}: {response.text}"
        answer = response.json()
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
