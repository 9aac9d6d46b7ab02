"""What the way of a read costs over HTTP: beside a bare server that answers constant bytes, and a bare statement.

All are asked in turn, round by round, so that whatever else the machine does falls on each of them. Told is the round
whose ratio is the median. The statement is that of the read itself, through a driver that prepares it and nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from functools import partial

import psycopg

from app.bench.bare_server import bare_server
from app.bench.environment import Ground
from app.bench.figures import Figure, quantile
from app.bench.http import Connection
from app.bench.instance import Instance
from app.bench.reading import ROW, of_trading, some_trade, timed
from domain.access.rights import Role

ROUNDS = 20
CLIENTS = 8
KEY_FIGURES = "/api/v1/query/kpis?company={}"
TOTALS = "SELECT SUM(total_trades), SUM(winning_trades), SUM(total_pnl) FROM {trading_by_quarter} WHERE company_id = %s"
Times = dict[str, list[float]]


async def measure(ground: Ground, instance: Instance) -> None:
    """One row, totals of a company, and kept key figures; then one row for several clients."""
    token = instance.token(Role.VIEWER)
    size = await asyncio.to_thread(_size_of_key_figures, instance, token)
    async with bare_server() as port, bare_server(size) as large:
        await asyncio.to_thread(_measure, ground, instance, token, {"bare": port, "bare, as large": large})


def _size_of_key_figures(instance: Instance, token: str) -> int:
    """Bytes of a kept answer: a bare server that says less than that would have less to hand to the kernel."""
    with (
        psycopg.connect(instance.settings.database_url, autocommit=True) as database,
        closing(Connection(instance.address("read_api"), token)) as api,
    ):
        return len(api.get(KEY_FIGURES.format(some_trade(database)[0])))


def _measure(ground: Ground, instance: Instance, token: str, bare: dict[str, int]) -> None:
    count = max(10, ground.scale.reads // ROUNDS)
    with psycopg.connect(instance.settings.database_url, autocommit=True) as database:
        company, trade = some_trade(database)
        paths = {
            "one": f"/api/v1/query/trades?company={company}&trade_id={trade}",
            "totals": f"/api/v1/query/trading_totals?company={company}",
            "kept": KEY_FIGURES.format(company),
        }
        row, totals = of_trading(ROW), of_trading(TOTALS)
        work: dict[str, Callable[[], object]] = {
            "one statement": lambda: database.execute(row, (company, trade), prepare=True).fetchone(),
            "totals statement": lambda: database.execute(totals, (company,), prepare=True).fetchone(),
        }
        rounds = [_round(instance.address("read_api"), bare, token, paths, work, count) for _ in range(ROUNDS)]
    for name, floors, what in (
        ("one", {"bare": 1, "one statement": 3}, "one row (floor: a bare server and three bare statements)"),
        ("totals", {"bare": 1, "totals statement": 3}, "totals (floor: a bare server and three bare statements)"),
        ("kept", {"bare, as large": 1}, "kept key figures (floor: a bare server that answers as many bytes)"),
    ):
        value, floor = _median([_p50s(times, name, floors) for times in rounds])
        ground.report(Figure(f"way_{name}_p50", value, "ms", floor, f"p50 of an HTTP read of {what}, in turns"))
    address = instance.address("read_api")
    rate = _rate(address, token, paths["one"], count * ROUNDS)
    floor = _rate(("127.0.0.1", bare["bare"]), token, "/", count * ROUNDS)
    note = f"HTTP reads of one row, {CLIENTS} clients in threads (floor: a bare server asked by them)"
    ground.report(Figure("way_rate", rate, "reads/s", floor, note))


def _round(
    address: tuple[str, int],
    bare: dict[str, int],
    token: str,
    paths: dict[str, str],
    work: dict[str, Callable[[], object]],
    count: int,
) -> Times:
    """Milliseconds of each, on connections of their own: an idle one is closed after some seconds."""
    with ExitStack() as connections:
        api = connections.enter_context(closing(Connection(address, token)))
        servers = {
            name: connections.enter_context(closing(Connection(("127.0.0.1", port), token)))
            for name, port in bare.items()
        }
        times = {name: timed(count, partial(server.get, "/")) for name, server in servers.items()}
        times |= {name: timed(count, ask) for name, ask in work.items()}
        return times | {name: timed(count, partial(api.get, path)) for name, path in paths.items()}


def _p50s(times: Times, name: str, floors: dict[str, int]) -> tuple[float, float]:
    return quantile(times[name], 0.5), sum(n * quantile(times[part], 0.5) for part, n in floors.items())


def _median(pairs: list[tuple[float, float]]) -> tuple[float, float]:
    return sorted(pairs, key=lambda pair: pair[0] / pair[1])[len(pairs) // 2]


def _rate(address: tuple[str, int], token: str, path: str, count: int) -> float:
    """Answers a second to several clients at once."""

    def ask(_: int) -> float:
        with closing(Connection(address, token)) as connection:
            return sum(timed(count // CLIENTS, lambda: connection.get(path)))

    with ThreadPoolExecutor(CLIENTS) as clients:
        spent = list(clients.map(ask, range(CLIENTS)))
    return 1000 * CLIENTS * (count // CLIENTS) / max(spent)
