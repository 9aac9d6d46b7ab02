"""Exports: rows a second of a large table of facts in every form, beside a bare COPY of the same columns.

The table holds five times `one` trades of one company. Each form is written by a process that writes exports, whose
greatest memory is told; the floor is a client that copies the rows as they are stored and drops them.
"""

from __future__ import annotations

import asyncio
import os
import resource
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace

import psycopg

from adapters.postgres.read_models.projection_store import PostgresProjectionStore
from app.bench.environment import Ground
from app.bench.figures import Figure
from app.read_side.exports import SECONDS, write_rows
from app.settings import Settings
from projections.engine.declare.registry import all_projections
from projections.engine.declare.rows import hidden_columns
from projections.engine.query.ask import find
from projections.engine.query.plain import Statement
from projections.engine.store import sql
from projections.engine.worker_process import WorkerProcess
from projections.trading import Trade
from read_api.export.exports import Task

COMPANY, QUERY = "company-7", "trades"
FORMS = "csv", "parquet", "arrow"
SLOW_FORMS = "ndjson", "xlsx"  # of which a tenth is measured
EIGHT = ("trade_id", "symbol", "side", "quantity", "entry_price", "exit_price", "pnl", "closed_at")  # of a workbook
VALUES = {
    "trade_id": "'t' || n", "user_id": "'u' || n %% 100000", "account_id": "'a' || n %% 100000",
    "symbol": "'SYM' || n %% 200", "strategy": "'mean reversion'", "side": "'long'", "currency": "'USD'",
    "quantity": "2000000000000", "multiplier": "1000000000000", "entry_price": "187100000000000 + n * 1000000",
    "exit_price": "189400000000000 + n * 1000000", "pnl": "(n %% 200 - 90) * 10040000000", "fees": "1000000000000",
    "opened_at": "TIMESTAMPTZ '2024-01-01' + n * INTERVAL '7 seconds'",
    "closed_at": "TIMESTAMPTZ '2024-01-01 03:00' + n * INTERVAL '7.125 seconds'",
    "exit_reason": "'target'", "tags": "E'\\x1fswing\\x1fmomentum'", "event_id": "'event-' || n",
}  # fmt: skip


async def exporting(ground: Ground) -> None:
    """Fill, then write each form."""
    count = 5 * ground.scale.one
    url = await asyncio.to_thread(ground.database)
    await asyncio.to_thread(_fill, url, count)
    floor = count / await asyncio.to_thread(_copied, url)
    worker = WorkerProcess("exports that are measured")
    whole = {f"export_{form}": (form, (), count // 10 if form in SLOW_FORMS else 0) for form in (*FORMS, *SLOW_FORMS)}
    try:
        for name, (form, columns, limit) in (whole | {"export_xlsx_eight": ("xlsx", EIGHT, count // 5)}).items():
            rows, seconds, memory = await worker.ask(
                _measured, url, str(ground.folder / f"x.{form}"), form, columns, limit, seconds=SECONDS
            )
            of = f" of {len(columns)} columns" if columns else ""
            note = (
                f"{rows:,} trades as {form}{of} in {seconds:.1f} s (floor: bare COPY);"
                f" the process had {memory:.0f} MB at most"
            )
            ground.report(Figure(name, rows / seconds, "rows/s", floor, note))
            worker.stop()  # the next one has memory of its own
    finally:
        worker.stop()


def _measured(url: str, file: str, form: str, names: Sequence[str], limit: int) -> tuple[int, float, float]:
    """In the worker: rows, seconds, and its greatest memory in MB."""
    _, query = find(QUERY)
    assert query.whole is not None
    settings = replace(Settings.read({}), database_url=url)
    end = f" LIMIT {limit}" if limit else ""
    shown = [column for column in query.whole.shown if column.name in names or not names]
    selected = ", ".join(f'"{column.name}"' for column in shown) if names else _columns()
    statement = Statement(f"SELECT {selected} FROM {{trade}} WHERE company_id = %s{end}", (COMPANY,))
    began = time.perf_counter()
    done = write_rows(settings, Task(COMPANY, None, "trading", statement, shown, form, file))
    seconds = time.perf_counter() - began
    os.unlink(file)
    return done.rows, seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _columns() -> str:
    return ", ".join(f'"{column.name}"' for column in Trade.table.columns if column.name != "company_id")


def _table() -> str:
    return sql.table_name(Trade.table.name, all_projections()["trading"].version)


def _fill(url: str, count: int) -> None:
    with closing(PostgresProjectionStore(url)) as store:
        store.prepare(list(all_projections().values()))
    values = {"company_id": "%(company)s"} | VALUES | dict.fromkeys(hidden_columns(Trade.table), "0")
    names: Sequence[str] = [f'"{name}"' for name in values]
    select = f"SELECT {', '.join(values.values())} FROM generate_series(1, %(count)s::bigint) AS n"
    with psycopg.connect(url, autocommit=True) as database:
        filling = f"INSERT INTO {_table()} ({', '.join(names)}) {select}"
        database.execute(filling.encode(), {"company": COMPANY, "count": count})
        database.execute(f"VACUUM ANALYZE {_table()}".encode())


def _copied(url: str) -> float:
    """Seconds of a COPY whose rows are dropped."""
    began = time.perf_counter()
    with psycopg.connect(url, autocommit=True, options="-c jit=off") as database:
        copying = f"COPY (SELECT {_columns()} FROM {_table()}) TO STDOUT (FORMAT csv)"
        with database.cursor().copy(copying.encode()) as rows:
            for _ in rows:
                pass
    return time.perf_counter() - began
