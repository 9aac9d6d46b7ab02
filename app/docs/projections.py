"""docs/reference/projections.md, from the declarations of the projections."""

from __future__ import annotations

from app.docs.markdown import code, document, table
from domain.access.rights import Right
from projections.engine.declare.merge_rules import Key
from projections.engine.declare.projection import Projection
from projections.engine.declare.registry import all_composed, all_projections
from projections.engine.declare.rows import Column, Table
from projections.engine.query.instance_query import InstanceQuery
from projections.engine.query.request import Answerable

INTRODUCTION = """# Projections and queries

A projection folds events into tables of the schema `read_models`; its queries answer from these tables, alike on the
command line (`analytics query NAME --company C --param k=v`), over HTTP (`GET /api/v1/query/NAME?company=C&k=v`), on
the WebSocket and over gRPC. The first line of each answer is about its origin: `query`, `definition_version`,
`position`, `as_of`, `complete`, `lag_ms`; then come the `rows`.

`period` is what the answer is about, `from` and `to` (null: open), also where the question left it to the query or the
tier sees no more; `limited` says what kept the answer from being more, `limit` (rows were left out) or `tier`;
`unknown` names, by parameter, what the question is limited to and what nothing is known of: a symbol, a user, an
account. Names of the schema and companies that there are not, and a period that ends before it begins, are refused.

Money in rows is a decimal text, counts are integers, ratios numbers, times ISO 8601 with Z. What is undefined is null,
and `reasons` in the row says why. `by` is a list of dimensions separated by commas; empty gives one total row. `from`
is inclusive, `to` exclusive, both UTC.
"""
COMPOSED = """## Composed queries

Answers computed from those of other queries. `position` is what all of these have seen, `complete` holds if it does for
each of them, `lag_ms` is the largest.
"""
OF_INSTANCE = """## Queries about the instance

How the instance runs now: they rest on no event, have no past, and no answer of them is kept. Who sees every company is
shown all figures; a company's own people are shown none that other companies could be counted by (null, with the reason
`other_companies`), and of tenants their own company alone.
"""


def projections_page() -> str:
    """Every projection with its tables and queries, and the queries that are made of others."""
    composed, about_instance = list[str](), list[str]()
    for _, query in sorted(all_composed().items()):
        (about_instance if isinstance(query, InstanceQuery) else composed).append(_query(query))
    projections = (_projection(p) for p in all_projections().values())
    return document(INTRODUCTION, *projections, COMPOSED, *composed, OF_INSTANCE, *about_instance)


def _projection(projection: Projection) -> str:
    facts = f"Definition version {projection.version}. Reads {code(sorted(projection.reads))}."
    tables = [_table(t) for t in projection.tables]
    queries = [_query(q) for q in projection.queries]
    return document(f"## {projection.name}", projection.summary, facts, *tables, *queries)


def _table(declared: Table) -> str:
    rows = [(f"`{c.name}`", _rule(c), c.kind.__name__) for c in declared.columns]
    return document(f"### Table {declared.name}", table(("column", "merges by", "kind"), rows))


def _rule(column: Column) -> str:
    return "key" if column.rule is Key else column.rule.__name__.lower()


def _query(query: Answerable) -> str:
    rows = [(f"`{p.name}`", p.meaning, "yes" if p.required else "no") for p in query.params]
    needs = "" if query.right is Right.DASHBOARDS else f"Needs the right `{query.right}`."
    opened = f"Needs a tier with the feature `{query.feature}`." if query.feature else ""
    return document(
        f"### Query {query.name}", query.summary, needs, opened, table(("parameter", "meaning", "required"), rows)
    )
