"""A connection for many small statements: each is prepared once, and asked with little around it.

A cursor of psycopg converts the statement, looks for it among the prepared ones and describes each column anew at
every execution: of a read of one row that is a third of what this process has to do. Here that is done once a
statement. What the driver does well stays its own: connecting, adapting values, cancelling, errors.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import count
from typing import Any, NamedTuple

import psycopg
from psycopg import abc, generators
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult as Result
from psycopg.rows import TupleRow

MOST_PREPARED = 200  # statements of a connection: beyond it, all are prepared anew
CANCEL_SECONDS = 5.0  # for the server to end a statement that nobody waits for; then the connection is closed
FEW = 200  # rows that are read with what the connection has for it; more of them get something of their own
_PLACE = re.compile(rb"%(.)", re.DOTALL)


class Rows(NamedTuple):
    """What a statement gave: names of the columns, the number of rows, and what loads these."""

    columns: tuple[str, ...]
    total: int
    values: abc.Transformer

    def load(self, begin: int, end: int) -> list[TupleRow]:
        """The rows from one number to another, as tuples."""
        return self.values.load_rows(begin, end, tuple)


class _Prepared(NamedTuple):
    name: bytes
    columns: tuple[str, ...]


class PreparedReader(psycopg.AsyncConnection[TupleRow]):
    """A connection of one user at a time. Up to FEW rows are to be loaded before the connection is asked again."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._prepared_here: dict[tuple[bytes, tuple[int, ...]], _Prepared] = {}
        self._numbers = count()
        self._values = Transformer(self)

    async def ask(self, statement: bytes, params: Sequence[object] = ()) -> Rows:
        """The rows of one statement with %s for its parameters. Raises psycopg's errors."""
        values = self._values
        dumped = values.dump_sequence(params, [PyFormat.AUTO] * len(params))
        types = tuple(values.types or ())
        prepared = self._prepared_here.get((statement, types)) or await self._prepare(statement, types)
        self.pgconn.send_query_prepared(prepared.name, dumped, values.formats)
        result = await self._result()
        if result.ntuples > FEW:
            values = Transformer(self)
        values.set_pgresult(result)
        return Rows(prepared.columns, result.ntuples, values)

    async def _prepare(self, statement: bytes, types: tuple[int, ...]) -> _Prepared:
        if len(self._prepared_here) >= MOST_PREPARED:
            self.pgconn.send_query(b"DEALLOCATE ALL")
            await self._result()
            self._prepared_here.clear()
        name = b"r%d" % next(self._numbers)
        self.pgconn.send_prepare(name, numbered(statement), types)
        await self._result()
        self.pgconn.send_describe_prepared(name)
        described = await self._result()
        columns = tuple((described.fname(i) or b"").decode() for i in range(described.nfields))
        prepared = self._prepared_here[statement, types] = _Prepared(name, columns)
        return prepared

    async def _result(self) -> Result:
        """The result of what was sent. Raises the error that it is."""
        if self.pgconn.flush():  # more than the socket takes at once
            results: list[Result] = await self.wait(generators.execute(self.pgconn))
        else:
            results = await self._received()
        if results[-1].status == ExecStatus.FATAL_ERROR:
            raise error_from_result(results[-1], encoding=self.info.encoding)
        return results[-1]

    async def _received(self) -> list[Result]:
        loop, socket = asyncio.get_running_loop(), self.pgconn.socket
        received: asyncio.Future[list[Result]] = loop.create_future()
        loop.add_reader(socket, self._readable, received, [])
        try:
            return await received
        except asyncio.CancelledError:
            loop.remove_reader(socket)
            await self._give_up()
            raise
        finally:
            loop.remove_reader(socket)

    def _readable(self, received: asyncio.Future[list[Result]], results: list[Result]) -> None:
        """Something came: it may be a part of a result, and the end comes after all of them."""
        if received.done():
            return
        try:
            self.pgconn.consume_input()
            while not self.pgconn.is_busy():
                result = self.pgconn.get_result()
                if result is None:
                    received.set_result(results)
                    return
                results.append(result)
        except psycopg.Error as error:
            received.set_exception(error)

    async def _give_up(self) -> None:
        """End the statement in the server, too; a connection of which that is not known is closed."""
        try:
            await self.cancel_safe(timeout=CANCEL_SECONDS)
            await self.wait(generators.fetch_many(self.pgconn), timeout=CANCEL_SECONDS)
        except psycopg.Error:
            self.pgconn.finish()
        finally:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.pgconn.finish()


@lru_cache(1_000)
def numbered(statement: bytes) -> bytes:
    """The statement with $1, $2, … for %s, and % for %%."""
    numbers = count(1)
    return _PLACE.sub(lambda match: b"$%d" % next(numbers) if match[1] == b"s" else b"%", statement)
