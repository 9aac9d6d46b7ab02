"""Ad-hoc questions: a registered query, or metrics of the catalogue, grouped, chosen, sorted, cut to a number of rows.

The same for `POST /api/v1/query`, RunAnalyticsQuery and exports. No web framework here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from domain.access.rights import FEATURES, Feature, Principal, Right, Tier, opens, require
from domain.errors import Forbidden, Invalid, NotFound
from domain.metrics.catalogue import METRICS, metric
from domain.name_list import name_list
from projections.engine.declare.registry import all_registered
from projections.engine.query.request import Question

VALUES, KEYS = "metrics", "keys"  # the query that answers where metrics are named, and its parameter
MOST_ROWS = 50_000
NUMBER = re.compile(r"-?\d+(\.\d+)?")


class AdHoc(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A question: `query` by its name, or `metrics` by their keys; `params` and `filters` are texts by name.

    `order_by`: columns, each with a "-" before it to descend; else the answer's own order. `limit`: rows at most.
    """

    query: str = ""
    metrics: list[str] = []
    by: list[str] = []
    filters: dict[str, str] = {}
    params: dict[str, str] = {}
    order_by: list[str] = []
    limit: int = 0


class Table(msgspec.Struct, frozen=True):
    """Rows with their columns in order; `dimensions`: those that rows are grouped by."""

    columns: Sequence[str]
    dimensions: frozenset[str]
    units: Mapping[str, str]
    rows: Sequence[Mapping[str, Any]]


def admit(principal: Principal, right: Right, feature: Feature, company: str) -> None:
    """Raise Forbidden where the role has not the right, or the tier does not open the feature."""
    require(principal, right, company)
    if not opens(principal, feature, company):
        having = ", ".join(tier for tier in Tier if feature in FEATURES[tier])
        raise Forbidden(
            f"tier {principal.tier_in(company)} does not open {feature.value!r}",
            code="forbidden_tier",
            suggested_actions=(f"Ask with a token of one of the tiers {having}.",),
        )


def question(asked: AdHoc, company: str, asked_at: Any) -> Question:
    """The registered query that answers. Raises Invalid, and NotFound for a query or metric that there is not."""
    if bool(asked.query) is bool(asked.metrics):
        raise Invalid("name a query or metrics, and not both", code="bad_parameter")
    if not 0 <= asked.limit <= MOST_ROWS:
        raise Invalid(f"limit is from 0 to {MOST_ROWS:,}", code="bad_parameter")
    own = {KEYS: ",".join(metric(key).key for key in asked.metrics)} if asked.metrics else {}
    given = {**own, **({"by": name_list(asked.by)} if asked.by else {})}
    if twice := sorted(set(asked.params) & set(asked.filters) | (set(asked.params) | set(asked.filters)) & set(given)):
        raise Invalid(f"{twice[0]} is given twice", code="bad_parameter")
    if asked.query and asked.query not in all_registered():
        raise NotFound(f"no query is called {asked.query!r}", code="unknown_query")
    return Question(asked.query or VALUES, company, {**given, **asked.params, **asked.filters}, asked_at)


def table(asked: AdHoc, rows: Sequence[Mapping[str, Any]]) -> Table:
    """The rows as asked for; of metrics a row a group, a column a metric. Raises Invalid for a sort by no column."""
    wide = _wide(asked, rows) if asked.metrics else list(rows)
    columns = list(dict.fromkeys(name for row in wide for name in row))
    if asked.metrics:
        columns = [*asked.by, *asked.metrics, *(["reasons"] if any("reasons" in row for row in wide) else [])]
    units = {key: str(METRICS[key].unit) for key in asked.metrics}
    ordered = _ordered(wide, columns, asked.order_by)[: asked.limit or None]
    return Table(columns, frozenset(asked.by), units, ordered)


def _wide(asked: AdHoc, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    groups: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        group = groups.setdefault(tuple(row[name] for name in asked.by), {name: row[name] for name in asked.by})
        group[row["key"]] = row["value"]
        if row["value"] is None:
            group.setdefault("reasons", {})[row["key"]] = row.get("reason", "")
    for group in groups.values():
        for key in asked.metrics:
            if key not in group:
                group[key] = None
                group.setdefault("reasons", {})[key] = "no_data"
    return list(groups.values())


def _ordered(
    rows: Sequence[Mapping[str, Any]], columns: Sequence[str], order: Sequence[str]
) -> list[Mapping[str, Any]]:
    """Sorted by the last column first, so that the first one decides; null comes last either way."""
    found = list(rows)
    for name in reversed(order):
        column, down = name.removeprefix("-"), name.startswith("-")
        if rows and column not in columns:
            raise Invalid(f"there is no column {column!r} to sort by", code="bad_parameter")
        known = [row for row in found if row.get(column) is not None]
        known.sort(key=lambda row: _rank(row[column]), reverse=down)  # sorted before the next turn
        found = known + [row for row in found if row.get(column) is None]
    return found


def _rank(value: Any) -> tuple[int, Any]:
    """Numbers, and money as text, by their size; all else as text."""
    try:
        return 0, Decimal(str(value))
    except InvalidOperation:
        return 1, str(value)
