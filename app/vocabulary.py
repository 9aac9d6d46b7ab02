"""What commands may name, out of the registered queries: the write side itself knows no projection."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import UTC, datetime

from domain.currencies import ISO_4217
from projections.engine.query.ask import answerable
from projections.engine.query.composed import tables_of
from projections.engine.query.plain import Query
from projections.engine.query.request import Question, read_request

SOME = "some"  # stands for what is given later


class RegisteredVocabulary:
    """`domain.configuration.vocabulary.Vocabulary` out of what is registered.

    `more_currencies`: codes beyond ISO 4217; `exists`: whether anything is known of a company.
    """

    def __init__(self, more_currencies: Collection[str], exists: Callable[[str], Awaitable[bool]]) -> None:
        self.currencies = ISO_4217 | frozenset(more_currencies)
        self._exists = exists

    def ask(self, company: str, query: str, params: Mapping[str, str], left_open: Collection[str] = ()) -> None:
        """Read the parameters and make the statements, and ask nobody. Raises NotFound, Invalid."""
        asked = answerable(query)
        given = {param.name: SOME for param in asked.params if param.required and param.name in left_open} | dict(
            params
        )
        question = Question(query, company, given, datetime.now(UTC))
        if isinstance(asked, Query):
            asked.ask(read_request(asked, question))
        else:
            tables_of(question)  # walks through what it asks in turn

    def measures(self, query: str) -> Collection[str]:
        """Those of totals."""
        asked = answerable(query)
        return asked.measures if isinstance(asked, Query) else ()

    async def exists(self, company: str) -> bool:
        """As the stores say."""
        return await self._exists(company)
