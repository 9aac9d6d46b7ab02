"""Alert rules: ten thousand of them on a thousand series, from the question to the book that is stored.

All rules watch the same measure; thresholds are spread so that one pair in five hundred fires in the first period, and
none changes in the second. The floor is the question alone.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import psycopg

from adapters.postgres.read_models.projection_store import PostgresProjectionStore
from adapters.postgres.read_models.read_store import PostgresReadStore
from adapters.postgres.tables.alerts import PostgresAlerts
from app.bench.environment import Ground
from app.bench.figures import Figure
from domain.access.rights import Principal
from domain.alerting.evaluation import evaluated
from domain.alerting.watch import Rule, Watch, watch_of
from domain.configuration.alert_rule import AlertRule
from domain.configuration.alert_terms import Threshold, Trigger, WatchedMeasure
from projections.engine.declare.registry import all_projections
from projections.engine.declare.rows import hidden_columns
from projections.engine.query.ask import answer
from projections.engine.query.request import Question
from projections.engine.store import sql
from projections.system_metrics import SystemMinute
from read_api.alerts.values import Reader, question_of

COMPANY, SERIES, RULES = "company-7", 1_000, 10_000
BEGIN = round(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) * 1000
MINUTE = 60_000
LEASE = 3_600.0


class _Asks:
    """Answers out of the store, as the cache of answers does where it has none."""

    def __init__(self, store: PostgresReadStore) -> None:
        self._store = store

    async def ask(self, _principal: Principal, question: Question) -> Mapping[str, Any]:
        return await answer(question, self._store)


async def alerting(ground: Ground) -> None:
    """Evaluate two periods."""
    url = await asyncio.to_thread(ground.database)
    await asyncio.to_thread(_fill, url)
    store, alerts = PostgresReadStore(url, connections=2), PostgresAlerts(url, LEASE)
    await store.open()
    try:
        await _measure(ground, store, alerts)
    finally:
        await store.close()
        await alerts.close()


async def _measure(ground: Ground, store: PostgresReadStore, alerts: PostgresAlerts) -> None:
    rules = _rules()
    watch = watch_of(COMPANY, rules[0].rule.trigger)
    await answer(question_of(watch, BEGIN - MINUTE, BEGIN), store)  # statements are planned
    await alerts.add([(watch, BEGIN)])
    held = await alerts.claim("bench", 2 * BEGIN)
    assert held is not None
    reader = Reader(_Asks(store), {})
    for name, period in (("alerts_first", 1), ("alerts", 2)):
        floor = await _of_question(store, watch, period)
        began = time.perf_counter()
        figures = await reader.figures(watch, rules, BEGIN + period * MINUTE)
        changes = evaluated(watch, held.book, rules, figures)
        await alerts.keep(held, "bench", changes, ())
        seconds = time.perf_counter() - began
        note = f"{RULES:,} rules on {SERIES:,} series, {len(changes):,} changes (floor: their one question alone)"
        ground.report(Figure(name, seconds, "s", floor, note))


async def _of_question(store: PostgresReadStore, watch: Watch, period: int) -> float:
    began = time.perf_counter()
    await answer(question_of(watch, BEGIN + (period - 1) * MINUTE, BEGIN + period * MINUTE), store)
    return time.perf_counter() - began


def _rules() -> Sequence[Rule]:
    """Values of the series are 1 to 1,000; thresholds begin just below the greatest of them."""
    watched = WatchedMeasure("system_metrics", "count", by=("service",))
    return [
        Rule(f"rule-{number:05}", AlertRule("rule", Trigger(watched, Threshold("above", bound), every="1m")))
        for number in range(RULES)
        for bound in (str(SERIES - 4 + number % 5),)
    ]


def _fill(url: str) -> None:
    with closing(PostgresProjectionStore(url)) as store:
        store.prepare(list(all_projections().values()))
    values = {
        "company_id": "%(company)s", "service": "'s' || n", "metric": "'jobs'",
        "minute": "to_timestamp(%(begin)s / 1000) + m * INTERVAL '1 minute'",
        "count": "n", "sum": "n", "min": "n", "max": "n", **dict.fromkeys(hidden_columns(SystemMinute.table), "0"),
    }  # fmt: skip
    table = sql.table_name(SystemMinute.table.name, all_projections()["system_metrics"].version)
    names = ", ".join(f'"{name}"' for name in values)
    rows = f"SELECT {', '.join(values.values())} FROM generate_series(1, {SERIES}) AS n, generate_series(0, 2) AS m"
    with psycopg.connect(url, autocommit=True) as database:
        database.execute(f"INSERT INTO {table} ({names}) {rows}".encode(), {"company": COMPANY, "begin": BEGIN})
        database.execute(f"VACUUM ANALYZE {table}".encode())
