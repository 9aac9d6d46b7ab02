"""One value a metric: whoever asks, by whatever query that has it, gets the same value, unit, convention and reason.

Made from the catalogue and from what is registered: a new key or query is compared without being named here. A query
has a metric where a row of it has the metric's key, or where its one row of a period has a field of that name.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from app.demo.behaviour import behaviour_events
from app.demo.companies import COMPANIES
from app.demo.services import service_events
from app.demo.subscriptions import subscription_events
from app.demo.trading import trading_events
from domain.errors import Invalid
from domain.metrics.catalogue import METRICS
from domain.metrics.metric import Section
from domain.metrics.trading.catalogue import FORMS, STATISTICS
from eventlog.publish.event import Event
from projections.engine.declare.registry import all_registered
from projections.engine.query.compared import Compared
from projections.engine.query.instance_query import InstanceQuery
from tests.projections.harness import ReadModels
from tests.projections.small_company import company

DUNE = COMPANIES[-1]  # one of its accounts reports values, all of them trade
YEAR = datetime.now(UTC).year
PERIODS: Mapping[str, Mapping[str, str]] = {
    "all": {},
    "year": {"from": "2025-01-01", "to": "2026-01-01"},
    "quarter": {"from": "2025-01-01", "to": "2025-04-01"},
    "month": {"from": "2025-03-01", "to": "2025-04-01"},
    "day": {"from": "2025-03-05", "to": "2025-03-06"},
}
OF_DUNE: Mapping[str, Mapping[str, str]] = {
    "all": {},
    "running": {"from": f"{YEAR}-01-01", "to": f"{YEAR + 1}-01-01"},
}
ANOTHER: Mapping[tuple[str, str], str] = {
    ("payment_totals", "customers"): "customers who paid in the period; the metric has those with MRR at its end",
    ("features", "active_users"): "of its last row, without a feature",
}
MOVING = ("throughput", "exposure")  # of a period that runs, they are of another time at each question
HALF = Decimal("0.0000005")  # trading_metrics shows means of money with all their digits, the others round them


def events() -> Iterator[Event]:
    """All that happened to a company worked out by hand, and to one of the sample."""
    yield from company()
    for part in (trading_events, subscription_events, behaviour_events, service_events):
        yield from part(DUNE)


@dataclass
class Doors:
    """Asks, and notes what differs."""

    models: ReadModels
    wrong: list[str] = field(default_factory=list)
    compared: set[tuple[str, str]] = field(default_factory=set)

    async def rows(self, query: str, who: str, params: Mapping[str, str]) -> list[dict[str, Any]]:
        return list((await self.models.answer(query, who, **params))["rows"])

    async def split(self, query: str, who: str, dimension: str) -> list[dict[str, Any]]:
        """Its rows by a dimension; none of a query that has no such dimension."""
        try:
            return await self.rows(query, who, {"by": dimension})
        except Invalid:
            return []

    async def metric(self, key: str, who: str, params: Mapping[str, str]) -> dict[str, Any]:
        (row,) = await self.rows("metric", who, {"key": key, **params})
        return row

    def same(self, where: str, door: str, row: Mapping[str, Any], metric: Mapping[str, Any]) -> None:
        """A row with the metric's key: everything that both say is the same."""
        names = {"value", "unit", "convention", "definition_version", "reason", "basis", "short_sample"}
        said = {name for name in names if name in row and name in metric} | {"value", "unit", "reason"}
        exactly = 1e-12 if metric["key"] not in MOVING else 1e-3
        differs = [name for name in said if not alike(row.get(name), metric.get(name), exactly)]
        self.note(where, door, str(metric["key"]), [(n, row.get(n), metric.get(n)) for n in differs])

    def same_field(self, where: str, door: str, row: Mapping[str, Any], metric: Mapping[str, Any]) -> None:
        """A field of the metric's name."""
        key = str(metric["key"])
        said = row[key], row.get("reasons", {}).get(key)
        told = metric["value"], metric.get("reason")
        self.note(where, door, key, [] if all(map(alike, said, told)) else [(said, told)])

    def note(self, where: str, door: str, key: str, differs: list[Any]) -> None:
        self.compared.add((door, key))
        if differs:
            self.wrong.append(f"{where}: {door} {key}: {differs}")


def alike(one: Any, other: Any, exactly: float = 1e-12) -> bool:
    """Money to a trillionth, numbers of the same arithmetic, everything else as it is."""
    if isinstance(one, str) and isinstance(other, str) and one != other:
        try:
            return abs(Decimal(one) - Decimal(other)) <= HALF
        except ArithmeticError:
            return False
    if isinstance(one, float) or isinstance(other, float):
        return one is not None and other is not None and math.isclose(one, other, rel_tol=exactly)
    return bool(one == other)


def asked_with(query: str, params: Mapping[str, str]) -> Mapping[str, str] | None:
    """The parameters of a question about a whole company and period; None where a query is no such question."""
    declared = {param.name: param for param in all_registered()[query].params}
    if (
        query == "metric"
        or isinstance(all_registered()[query], Compared | InstanceQuery)
        or any(p.required for p in declared.values())
    ):
        return None
    return dict(params) if set(params) <= set(declared) else None


async def of_period(doors: Doors, who: str, name: str, params: Mapping[str, str]) -> None:
    """Every metric of one value, and every query that has any of them."""
    where = f"{who} {name}"
    values = {key: await doors.metric(key, who, params) for key, entry in METRICS.items() if not entry.told_by}
    for query in all_registered():
        questions = [asked_with(query, params)]
        if query == "kpis":
            whole = params or {"from": "1000-01-01", "to": f"{YEAR + 1}-01-01"}
            questions = [whole if params else None, *({**whole, "section": s} for s in Section if params)]
        for question in (each for each in questions if each is not None):
            rows = await doors.rows(query, who, question)
            for row in (each for each in rows if each.get("key") in values):
                doors.same(where, query, row, values[row["key"]])
            if len(rows) == 1 and "key" not in rows[0]:
                for key in (k for k in rows[0] if k in values and (query, k) not in ANOTHER):
                    doors.same_field(where, query, rows[0], values[key])


async def split(doors: Doors, who: str) -> None:
    """By each dimension of a metric that a query with the metric has as well; of times, by month and year."""
    totals: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for query, key in sorted(doors.compared):
        if "by" not in {param.name for param in all_registered()[query].params}:
            continue
        for dimension in {*METRICS[key].dimensions} - {
            "tag",
            "minute",
            "hour",
            "day",
            "weekday",
            "week",
            "quarter",
            "entry_hour",
        }:
            if (query, dimension) not in totals:
                totals[query, dimension] = await doors.split(query, who, dimension)
            told = {str(row[dimension]): row for row in totals[query, dimension] if key in row}
            for row in await doors.rows("metric", who, {"key": key, "by": dimension}) if told else ():
                nothing = {key: row["value"] and type(row["value"])(0)}  # `mrr_mix` leaves out what has no share
                doors.same_field(f"{who} by {dimension}", query, told.get(str(row[dimension]), nothing), row)


async def chosen(doors: Doors, who: str, params: Mapping[str, str], keys: Iterable[str]) -> None:
    """Of one user, symbol, …, and in another tool's formula."""
    where, keys = f"{who} {params}", [key for key in keys if key in METRICS]
    if not keys:
        return
    told = {row["key"]: row for row in await doors.rows("trading_metrics", who, {"keys": ",".join(keys), **params})}
    summed = await doors.rows("trading_totals", who, params) if "convention" not in params else []
    for key in keys:
        metric = await doors.metric(key, who, params)
        doors.same(where, "trading_metrics", told[key], metric)
        for totals in (row for row in summed if key in row):
            doors.same_field(where, "trading_totals", totals, metric)


async def leagues(doors: Doors, who: str) -> None:
    """Ranked or laid out by time, the totals are those of each group."""
    for by in ("strategy", "symbol", "side", "account_id", "user_id"):
        totals = {row[by]: row for row in await doors.rows("trading_totals", who, {"by": by})}
        for row in await doors.rows("trading_league", who, {"by": by}):
            same = {name: value for name, value in row.items() if name not in ("rank", "short_sample")}
            doors.note(f"{who} {by}", "trading_league", "total_pnl", [] if same == totals[row[by]] else [same])


@pytest.mark.ci  # every metric, by every way and period
async def test_one_value_a_metric(models: ReadModels) -> None:
    """For companies by hand and of the sample, whole and in parts, over every kind of period."""
    doors = Doors(models.given(events()))
    for name, params in PERIODS.items():
        await of_period(doors, "acme", name, params)
    for name, params in OF_DUNE.items():
        await of_period(doors, DUNE.company_id, name, params)
    await split(doors, "acme")
    await leagues(doors, DUNE.company_id)
    for params in ({"user_id": "u1"}, {"symbol": "AAPL", "from": "2025-03-01", "to": "2025-04-01"}):
        await chosen(doors, "acme", params, STATISTICS)
    await chosen(doors, "acme", {"convention": "platform", "user_id": "u1"}, STATISTICS)
    for convention, forms in FORMS.items():
        await chosen(doors, "acme", {"convention": str(convention), "user_id": "u1"}, forms)
    (row,) = await doors.rows("trading_metrics", DUNE.company_id, {"keys": "max_drawdown"})
    doors.same(DUNE.company_id, "trading_metrics", row, await doors.metric("max_drawdown", DUNE.company_id, {}))
    assert row["basis"] == "equity"  # one of ten accounts reports values
    assert doors.wrong == []
    assert {"kpis", "trading_metrics", "trading_totals", "mrr_movements", "user_activity"} <= {
        d for d, _ in doors.compared
    }
