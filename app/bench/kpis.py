"""Key figures: all of a company for a month and the trading metrics of a user, beside a bare SELECT of one row.

Each is measured as the API answers it: `first` is computed, for nobody has asked since something moved; the others are
kept answers (`read_api/answers/cache.py`). `kpis_moving` is what a dashboard meets: one question again and again, while
rows of the period that it is about move ten times a second and the answer is made anew beside those who ask.

The read models are filled with two years of a company, by SQL: a user for every ten events of `one`, each active on one
day of twelve from the first on; a trade on each of these days for one user in ten; a subscription for one in twenty;
operations by the minute.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Mapping, Sequence
from datetime import UTC, datetime
from random import Random
from typing import Any

import psycopg

from adapters.postgres.read_models.projection_store import PostgresProjectionStore
from adapters.postgres.read_models.read_store import PostgresReadStore
from app.bench.environment import Ground
from app.bench.figures import Figure, quantile
from app.bench.moving import moving
from app.wiring import closed_at_end
from domain.ports import EventLog
from projections.engine.declare.registry import all_projections
from projections.engine.declare.rows import hidden_columns
from projections.engine.query.ask import answer
from projections.engine.query.composed import Part
from projections.engine.query.request import Question
from projections.engine.store import sql
from read_api.answers.cache import AnswerCache, Freshness

COMPANY, ASKS, TRADERS = "company-7", 200, 50
MONTH, IN_MONTH = Part("kpis", {"at": "2024-11-15"}), 1_731_628_800_000  # ms, of that day
WARM = 3  # times that users are asked about before it counts
STALE = Freshness(max_staleness=10.0)  # a dashboard takes what was right ten seconds ago
SPACED = 0.02, 0.05  # seconds between two questions, at least and at most
USER = "'u' || n"
DAY = "DATE '2023-01-01' + d"
SOME_DAYS = "generate_series(n %% 700, 729, 12) AS d"  # from the user's first day on
IN_ORDER = f"{SOME_DAYS} ORDER BY d"  # as the log would bring them
FILL: Mapping[str, str] = {
    "user_quarter": f"SELECT %(c)s, {DAY}, {USER}, 5, 2, 1, 1, 1, 0 FROM generate_series(1, %(n)s) AS n, {IN_ORDER}",
    "activity_quarter": f"SELECT %(c)s, {DAY}, 5 * active, 2 * active, active, active, active, 0 FROM (SELECT"
    f" d, COUNT(*) AS active FROM generate_series(1, %(n)s) AS n, {SOME_DAYS} GROUP BY d) AS days",
    "user_seen": f"SELECT %(c)s, {USER}, TIMESTAMP '2023-01-01' + INTERVAL '1 day' * (n %% 700), TIMESTAMP '2024-12-30'"
    " FROM generate_series(1, %(n)s) AS n",
    "user_first": f"SELECT %(c)s, name, {USER}, TIMESTAMP '2023-01-01' + INTERVAL '1 day' * (n %% 700), TIMESTAMP"
    " '2024-12-30', 1 FROM generate_series(1, %(n)s) AS n, unnest(ARRAY['signup', 'activated']) AS name",
    "session": f"SELECT %(c)s, {USER}, 's' || d, {DAY}, {DAY} + INTERVAL '9 minutes', 5"
    f" FROM generate_series(1, %(n)s, 10) AS n, {IN_ORDER}",
    "feature_quarter": f"SELECT %(c)s, {DAY}, 'chart', {USER}, 1 FROM generate_series(1, %(n)s, 10) AS n, {IN_ORDER}",
    "trading_by_quarter": f"SELECT %(c)s, {DAY}, {USER}, 'a', 's', 'AAPL', 'long', 'USD', {DAY}, 2, 1, 1, 0, 5,"
    f" 9, 4, 1, 99, 9, -4 FROM generate_series(1, %(n)s, 10) AS n, {IN_ORDER}",
    "trade": f"SELECT %(c)s, 't' || n || '-' || d, {USER}, 'a', 'AAPL', 's', 'long', 2000000, 1, 100000000, 101000000,"
    f" ((n + d) %% 200 - 90) * 10000, 1000, 'USD', {DAY}, {DAY} + INTERVAL '3 hours', -5000, 9000, 'target', 50000, '',"
    f" '' FROM generate_series(1, %(n)s, 10) AS n, {IN_ORDER}",
    "customer_mrr": f"SELECT %(c)s, {USER}, DATE '2023-01-01' + n %% 730, 'USD', 'default', 600000000"
    " FROM generate_series(1, %(n)s, 20) AS n",
    "mrr_movement": "SELECT %(c)s, DATE '2023-01-01' + d, 'pro', 'gold', 'USD', 'default', 6000, 60, 30, 40, 5, 7, 1,"
    " 1, 1, 1 FROM generate_series(0, 729) AS d",
    "payment_quarter": f"SELECT %(c)s, {DAY}, {USER}, 'succeeded', 'USD', 1, 50000000, 1000"
    f" FROM generate_series(1, %(n)s, 40) AS n, generate_series(n %% 30, 729, 30) AS d ORDER BY d",
    "invoice": f"SELECT %(c)s, {USER}, 'i' || d, 'USD', {DAY}, NULL, {DAY}, 0, 50000000, 0, 0"
    f" FROM generate_series(1, %(n)s, 40) AS n, generate_series(n %% 30, 729, 30) AS d ORDER BY d",
    "acquisition_quarter": f"SELECT %(c)s, {DAY}, 'ads', '', 'USD', 1, 9000000 FROM generate_series(0, 729) AS d",
    "operation_minute": "SELECT %(c)s, 'api', 'order', TIMESTAMP '2024-10-01' + INTERVAL '1 minute' * m, 'ok', 9, 90,"
    " 1, 20 FROM generate_series(0, 1440 * 92 - 1, 10) AS m",
    "operation_bucket": "SELECT %(c)s, 'api', 'order', TIMESTAMP '2024-10-01' + INTERVAL '1 minute' * m, 'ok', b, 3"
    " FROM generate_series(0, 1440 * 92 - 1, 10) AS m, unnest(ARRAY[500, 510, 520]) AS b",
    "survey_quarter": f"SELECT %(c)s, {DAY}, 'nps', 9, 3 FROM generate_series(0, 729) AS d",
    "ticket": f"SELECT %(c)s, 't' || d || n, {DAY}, {DAY} + INTERVAL '1 hour', {DAY} + INTERVAL '5 hours', 0"
    " FROM generate_series(0, 729) AS d, generate_series(1, 10) AS n",
}  # fmt: skip


async def kpis(ground: Ground) -> None:
    """Fill, then ask for November 2024."""
    async with ground.embedded_log() as (log, url):
        await asyncio.to_thread(_fill, url, ground.scale.one // 10)
        store = PostgresReadStore(url)
        await store.open()
        async with closed_at_end(store):
            await _measure(ground, store, log, url)


async def _measure(ground: Ground, store: PostgresReadStore, log: EventLog, url: str) -> None:
    users = ground.scale.one // 10
    company = await _latencies(store, [MONTH], [MONTH])
    traders = [Part("trading_metrics", {"user_id": f"u{n}"}) for n in range(1, 1 + 10 * TRADERS, 10)]
    traders = [part for part in traders if int(part.params["user_id"][1:]) <= users]
    user = await _latencies(store, traders, traders * WARM)
    async with moving(log, url, COMPANY, IN_MONTH):
        asks = min(ASKS, ground.scale.reads)
        beside, positions = await _asked_beside(store, asks)
    floor = await asyncio.to_thread(_floor, url)
    all_figures = f"all key figures of a company with {users:,} users for a month"
    for name, times, share, what in (
        ("kpis_first", company[0], 0.5, f"first of {all_figures}"),
        ("kpis_p50", company[1], 0.5, f"p50 of {all_figures}"),
        ("kpis_p99", company[1], 0.99, f"p99 of {all_figures}"),
        (
            "kpis_moving_p50",
            beside,
            0.5,
            f"p50 of {all_figures}, moving: {positions} positions in {asks} answers",
        ),
        ("kpis_moving_p99", beside, 0.99, f"p99 of {all_figures}, moving"),
        ("trading_metrics_first", user[0], 0.5, "first of all trading metrics of one user"),
        ("trading_metrics_p50", user[1], 0.5, "p50 of all trading metrics of one user"),
        ("trading_metrics_p99", user[1], 0.99, "p99 of all trading metrics of one user"),
    ):
        note = f"{what} (floor: bare SELECT of a row)"
        ground.report(Figure(name, quantile(times, share), "ms", quantile(floor, share), note))


async def _latencies(
    store: PostgresReadStore, parts: Sequence[Part], warming: Sequence[Part]
) -> tuple[list[float], list[float]]:
    """Milliseconds of each question when it is asked first, and of all that are asked afterwards, in turn.

    What is asked before loads libraries, connects, and has statements planned: PostgreSQL plans the first five uses of
    a statement on each connection, which is no question's of a service that is at work.
    """
    answers, times = _answers(store), list[float]()
    for part in warming:
        await answers.fresh(_question(part))
    for number in range(len(parts) + ASKS):
        ask = answers.fresh if number < len(parts) else answers.answer
        await _timed(ask(_question(parts[number % len(parts)])), times)
    return times[: len(parts)], times[len(parts) :]


async def _asked_beside(store: PostgresReadStore, asks: int) -> tuple[list[float], int]:
    """Milliseconds of questions that come one by one, and at how many positions they were answered."""
    answers, chance, times, positions = _answers(store), Random(3), list[float](), set[str]()
    await answers.answer(_question(MONTH))
    for _ in range(asks):
        await asyncio.sleep(chance.uniform(*SPACED))
        positions.add((await _timed(answers.answer(_question(MONTH), STALE), times))["position"])
    return times, len(positions)


def _answers(store: PostgresReadStore) -> AnswerCache:
    return AnswerCache(store, lambda question: answer(question, store))


def _question(part: Part) -> Question:
    return Question(part.query, COMPANY, part.params, datetime.now(UTC))


async def _timed(asked: Awaitable[dict[str, Any]], times: list[float]) -> dict[str, Any]:
    """The answer; what it took is added to the milliseconds."""
    began = time.perf_counter()
    found = await asked
    times.append(1000 * (time.perf_counter() - began))
    return found


def _fill(url: str, users: int) -> None:
    store = PostgresProjectionStore(url)
    store.prepare(list(all_projections().values()))
    store.close()
    tables = {t.name: (sql.table_name(t.name, p.version), t) for p in all_projections().values() for t in p.tables}
    with psycopg.connect(url, autocommit=True) as database:
        for name, select in FILL.items():
            stored, table = tables[name]
            for column in hidden_columns(table):  # by which rows are ordered and counted, and no question asked
                database.execute(f'ALTER TABLE {stored} ALTER COLUMN "{column}" DROP NOT NULL'.encode())
            columns = ", ".join(f'"{column.name}"' for column in table.columns)
            filling = f"INSERT INTO {stored} ({columns}) {select}"
            database.execute(filling.encode(), {"c": COMPANY, "n": users})
        database.execute("VACUUM ANALYZE")


def _floor(url: str) -> list[float]:
    name = sql.table_name("acquisition_quarter", all_projections()["acquisition"].version)
    times = []
    with psycopg.connect(url, autocommit=True) as database:
        for _ in range(ASKS):
            began = time.perf_counter()
            database.execute(f"SELECT * FROM {name} WHERE company_id = %s LIMIT 1".encode(), (COMPANY,), prepare=True)
            times.append(1000 * (time.perf_counter() - began))
    return times
