"""A merge rule is one class: what it says of SQL and of columns is all that whoever merges needs to know."""

from __future__ import annotations

from functools import reduce
from operator import xor

import psycopg
import pytest

from domain.decimals import ONE
from eventlog.publish.builders import survey_response
from projections.engine.declare.merge_rules import Count, Key, KindT, Rule, Text
from projections.engine.declare.projection import Projection
from projections.engine.declare.rows import Row
from projections.engine.fold.additive import looked_at
from projections.engine.fold.admission import readmit
from projections.engine.rebuild import Folding
from projections.engine.store import sql
from tests.projections.harness import COMPANY, ReadModels, chunks_of, logged


class Parity(Rule[KindT]):
    """The bits that are set an odd number of times: a rule that the engine has never heard of."""

    merge, total, aggregate = "{t} # {e}", "BIT_XOR({c})", "bitwise_xor"
    of_totals, blank = True, 0


class OfRespondents(Row):
    """The finer of two tables."""

    company_id: Key[Text]
    respondent_id: Key[Text]
    bits: Parity[Count]


class OfCompanies(Row):
    """The coarser one, whose rows are merged from those of the finer."""

    company_id: Key[Text]
    bits: Parity[Count]


SCORES = [3, 5, 5, 9, 8, 3, 7, 1, 10]
EVENTS = [
    survey_response(
        company_id=COMPANY,
        user_id="u",
        timestamp=1_760_000_000_000 + at,
        survey="nps",
        score=float(score),
        respondent_id=f"r{at % 3}",
    )
    for at, score in enumerate(SCORES)
]


def parity() -> Projection:
    """A projection by that rule."""
    projection = Projection("parity", version=1)
    for table in (OfRespondents, OfCompanies):
        projection.folds("survey_response", into=table)(lambda survey: {"bits": survey.score})
    return projection


def expected(scores: list[int]) -> int:
    """Whole trillionths, by hand."""
    return reduce(xor, (score * ONE for score in scores))


@pytest.mark.parametrize("sizes", [(100,), (2, 1)])
def test_rows_merge_in_columns_and_in_the_database(database_url: str, sizes: tuple[int, ...]) -> None:
    """However the log is split: within a batch, from a finer table to a coarser one, and into what is stored."""
    models = ReadModels(database_url, [parity()])
    models.given(EVENTS, batches_of=sizes)
    models.restart()
    fine, coarse = (sql.table_name(row.table.name, 1) for row in (OfRespondents, OfCompanies))
    summed = f"SELECT {sql.total(OfRespondents.table.column('bits'))} FROM {fine}"
    with psycopg.connect(database_url) as connection:
        stored = connection.execute(f"SELECT respondent_id, bits FROM {fine} ORDER BY 1".encode()).fetchall()
        assert stored == [(f"r{each}", expected(SCORES[each::3])) for each in range(3)]
        for statement in (f"SELECT bits FROM {coarse}", summed):
            assert connection.execute(statement.encode()).fetchall() == [(expected(SCORES),)]


def test_rows_of_several_batches_merge_before_they_are_stored() -> None:
    """As a rebuild does it."""
    projection = parity()
    folding, records = Folding(projection), logged(EVENTS)
    for start in range(0, len(records), 4):
        part = records[start : start + 4]
        folding.add(readmit(part[0].topic, chunks_of(part), frozenset(), looked_at([projection])))
    found = {rows.table.name: rows.csv.decode().split() for rows in folding.changes().rows}
    assert found["of_companies"] == [f"{COMPANY},{expected(SCORES)}"]
    assert sorted(found["of_respondents"]) == [f"{COMPANY},r{each},{expected(SCORES[each::3])}" for each in range(3)]
