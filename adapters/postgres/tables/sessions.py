"""Sessions in PostgreSQL (table `sessions`, made by migration 0025).

Whoever reads the table learns nothing that lets them in: a row is found by the hash of what the cookie holds, and its
token is sealed with a key that follows from it.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from hashlib import sha256

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from adapters.postgres.connections.link import Link
from domain.errors import Unauthenticated

BEGIN = "INSERT INTO sessions (session_id, token, expires_at) VALUES (%s, %s, %s)"
FIND = "SELECT token FROM sessions WHERE session_id = %s AND expires_at > %s"
END = "DELETE FROM sessions WHERE session_id = %s"
SWEEP = "DELETE FROM sessions WHERE expires_at <= %s"
FOREVER = 4_102_444_800  # 2100-01-01, for a token without an end
NONCE = bytes(12)  # the key is of one token alone
SECRET_BYTES = 32


class PostgresSessions:
    """`domain.access.sessions.Sessions` on PostgreSQL; connects when first used."""

    def __init__(self, database_url: str, clock: Callable[[], float] = time.time) -> None:
        self._link = Link(database_url)
        self._clock = clock

    async def begin(self, token: str, expires_at: float) -> str:
        """Keep one; what has ended goes at the same time."""
        session = secrets.token_urlsafe(SECRET_BYTES)
        row = _id(session), _cipher(session).encrypt(NONCE, token.encode(), None), int(min(expires_at, FOREVER))
        async with self._link.use() as connection:
            await connection.execute(SWEEP, (int(self._clock()),))
            await connection.execute(BEGIN, row)
        return session

    async def token(self, session: str) -> str:
        """Its token. Raises Unauthenticated where it has ended."""
        async with self._link.use() as connection:
            cursor = await connection.execute(FIND, (_id(session), int(self._clock())))
            row = await cursor.fetchone()
        if row is None:
            raise Unauthenticated("the session has ended", code="signed_out", suggested_actions=("Sign in again.",))
        return _cipher(session).decrypt(NONCE, bytes(row[0]), None).decode()

    async def end(self, session: str) -> None:
        """Forget it."""
        async with self._link.use() as connection:
            await connection.execute(END, (_id(session),))

    async def close(self) -> None:
        """Close the connection."""
        await self._link.close()


def _id(session: str) -> bytes:
    return sha256(b"id" + session.encode()).digest()


def _cipher(session: str) -> AESGCM:
    return AESGCM(sha256(b"token" + session.encode()).digest())
