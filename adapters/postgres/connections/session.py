"""Blocking connections for one thread at a time: opened when first used, thrown away with whatever went wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from adapters.postgres.connections.refusals import CERTAIN, is_outage
from domain.errors import Unavailable
from projections.engine.store.port import Interrupted


class Session:
    """Base of what works with projections in PostgreSQL: transactions, each purpose on a connection of its own.

    `others` are the addresses of purposes that have a login of their own. What asks the server raises Unavailable where
    it does not answer, of which Interrupted is one: the server began and gave up.
    """

    def __init__(self, database_url: str, **others: str) -> None:
        self._url, self._others = database_url, others
        self._open: dict[str, psycopg.Connection] = {}

    @contextmanager
    def _transaction(self, purpose: str = "store") -> Iterator[psycopg.Connection]:
        try:
            connection = self._connected(purpose)
        except psycopg.Error as error:
            raise Unavailable(f"the projection store does not answer: {error}") from error
        try:
            with connection.transaction():
                yield connection
        except psycopg.Error as error:
            if not is_outage(error):
                raise
            self.close()
            outage = Unavailable if error.sqlstate in CERTAIN else Interrupted
            raise outage(f"the projection store does not answer: {error}") from error

    def answers(self) -> bool:
        """Whether the server takes connections and statements at all."""
        try:
            with psycopg.connect(self._url, connect_timeout=5) as connection:
                return connection.execute("SELECT 1").fetchone() == (1,)
        except psycopg.Error:
            return False

    def _connected(self, purpose: str) -> psycopg.Connection:
        if purpose not in self._open or self._open[purpose].closed:
            options = "-c synchronous_commit=off -c timezone=UTC -c datestyle=ISO -c jit=off -c temp_buffers=64MB"
            url = self._others.get(purpose, self._url)
            self._open[purpose] = psycopg.connect(url, autocommit=True, options=options, connect_timeout=5)
        return self._open[purpose]

    def close(self) -> None:
        """Close the connections; the next call opens others."""
        while self._open:
            self._open.popitem()[1].close()
