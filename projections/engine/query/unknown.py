"""What nothing is known of: a company, and symbols, users, accounts and other names that a question is limited to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from domain.errors import NotFound
from domain.ports import LiveStore, ReadStore
from projections.engine.declare.merge_rules import Text
from projections.engine.declare.registry import all_projections, all_queries
from projections.engine.declare.rows import Table
from projections.engine.query.composed import projections_of, tables_of
from projections.engine.query.request import Question
from projections.engine.store.sql import equals

AUDIT = "audit-events"
REACHED = re.compile("[= ][1-9]")  # an offset, or a number of replacements, that is not 0
FEW = 100  # rows of an answer of which all may say nothing
OF_ROWS = frozenset({"definition_version", "rank", "days"})  # numbers that a row has where nothing is known


async def require_company(question: Question, store: LiveStore) -> None:
    """Raise NotFound where no projection has folded anything of the company, Unavailable from the store.

    That somebody asked about it makes no company of it; who asks for just that is told what there is.
    """
    of_others = {name for name, each in all_projections().items() if AUDIT not in each.topics}
    if not projections_of(question) <= of_others:
        return
    checkpoints = await store.checkpoints(sorted(of_others), question.company)
    if not any(REACHED.search(each.of_company) for each in checkpoints.values()):
        raise NotFound(
            f"nothing is known of a company {question.company!r}",
            code="unknown_company",
            suggested_actions=("Look at how it is written; a new company begins with its first event or command.",),
        )


async def unknown_filters(question: Question, rows: list[Mapping[str, Any]], store: ReadStore) -> dict[str, str]:
    """The names, by parameter, to which the question is limited and which none of the tables that it reads has.

    They are looked for where an answer says nothing at all, or might say it of nothing: findings have figures of their
    own. Raises what the store raises.
    """
    of_rows = question.name in all_queries()
    if not question.params or len(rows) > FEW or (of_rows and any(map(_says_something, rows))):
        return {}
    tables = sorted(tables_of(question), key=lambda table: table.name)
    return {
        name: text
        for name, text in question.params.items()
        if (having := [table for table in tables if _has(table, name)])
        and not await _is_in(question.company, name, text, having, store)
    }


def _says_something(row: Mapping[str, Any]) -> bool:
    return any(_is_number(value) for name, value in row.items() if name not in OF_ROWS)


def _is_number(value: Any) -> bool:
    """Whether it is one, and not 0."""
    if isinstance(value, str):
        return value.lstrip("-").replace(".", "", 1).isdecimal() and bool(value.strip("-0."))
    return bool(value) and isinstance(value, int | float) and not isinstance(value, bool)


def _has(table: Table, name: str) -> bool:
    return any(column.name == name and issubclass(column.kind, Text) for column in table.keys[1:])


async def _is_in(company: str, name: str, text: str, tables: Iterable[Table], store: ReadStore) -> bool:
    for table in tables:
        condition, values = equals(table, name, text)
        one = f"SELECT 1 AS one FROM {{{table.name}}} WHERE company_id = %s AND {condition} LIMIT 1"
        if (await store.ask(company, _projection_of(table), one, (company, *values))).rows:
            return True
    return False


def _projection_of(table: Table) -> str:
    return next(name for name, each in all_projections().items() if table in each.tables)
