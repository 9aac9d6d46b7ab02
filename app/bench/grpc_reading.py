"""Reading over gRPC: one trade, through the real service with a token, beside a bare RPC with the bare statement."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import grpc
import psycopg
from common.read_scope_pb2 import ReadScope
from services.analytics_service_pb2_grpc import AnalyticsServiceStub
from services.trading_pb2 import ListTradesRequest, ListTradesResponse

from app.bench.bare_rpc import METHOD
from app.bench.environment import Ground
from app.bench.figures import Figure
from app.bench.instance import Instance
from app.bench.reading import ROW, of_trading, some_trade, timed
from domain.access.rights import Role


async def measure(ground: Ground, instance: Instance) -> None:
    """Calls of one client, one after the other, for one trade."""
    await asyncio.to_thread(_measure, ground, instance)


def _measure(ground: Ground, instance: Instance) -> None:
    with psycopg.connect(instance.settings.database_url, autocommit=True) as database:
        company, trade = some_trade(database)
    metadata = (("authorization", f"Bearer {instance.token(Role.VIEWER)}"),)
    request = ListTradesRequest(scope=ReadScope(company_id=company, filters={"trade_id": trade}))
    with grpc.insecure_channel(instance.addresses["grpc"]) as channel:
        call = AnalyticsServiceStub(channel).ListTrades
        assert [each.trade_id for each in call(request, metadata=metadata).trades] == [trade]
        times = timed(ground.scale.reads, lambda: call(request, metadata=metadata))
    with _bare(instance.settings.database_url, company, trade) as bare:
        assert [each.trade_id for each in bare(request).trades] == [trade]
        floor = timed(ground.scale.reads, lambda: bare(request))
    note = "of ListTrades for one row, one client (floor: a bare RPC with the bare SELECT)"
    ground.report_times("grpc_read", times, floor, note)
    note = "the same as a rate: one client, one call after the other"
    rate, bare_rate = (1000 * len(each) / sum(each) for each in (times, floor))
    ground.report(Figure("grpc_read_rate", rate, "reads/s", bare_rate, note))


@contextmanager
def _bare(url: str, company: str, trade: str) -> Iterator[Callable[[ListTradesRequest], ListTradesResponse]]:
    """A call of a bare server in a process of its own."""
    command = [sys.executable, "-m", "app.bench.bare_rpc", url, of_trading(ROW).decode(), company, trade]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline())
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                yield channel.unary_unary(
                    METHOD,
                    request_serializer=ListTradesRequest.SerializeToString,
                    response_deserializer=ListTradesResponse.FromString,
                )
        finally:
            process.terminate()
