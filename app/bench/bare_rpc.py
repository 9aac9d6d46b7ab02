"""The floor of a read over gRPC: a server with one call, which runs one prepared statement and fills one message.

`python -m app.bench.bare_rpc DATABASE_URL STATEMENT PARAMETER…` prints its port and serves until it is ended.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import grpc
import psycopg
from psycopg.rows import dict_row
from services.trading_pb2 import ListTradesRequest, ListTradesResponse, Trade

METHOD = "/bench.Bare/ListTrades"
NAMES = ("trade_id", "user_id", "account_id", "symbol", "strategy", "exit_reason", "currency")


async def _serve(url: str, statement: str, params: list[str]) -> None:
    database = await psycopg.AsyncConnection.connect(url, autocommit=True, row_factory=dict_row)

    async def answer(_request: ListTradesRequest, _context: Any) -> ListTradesResponse:
        cursor = await database.execute(statement, params, prepare=True)
        trades = [Trade(**{name: row[name] for name in NAMES}) for row in await cursor.fetchall()]
        return ListTradesResponse(trades=trades)

    server = grpc.aio.server()
    handler: grpc.RpcMethodHandler[ListTradesRequest, ListTradesResponse] = grpc.unary_unary_rpc_method_handler(
        answer,
        request_deserializer=ListTradesRequest.FromString,
        response_serializer=lambda response: response.SerializeToString(),
    )
    service, name = METHOD.strip("/").split("/")
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {name: handler}),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1], sys.argv[2], sys.argv[3:]))
