"""Sessions of the pages: a token is exchanged for a cookie that no script can read, and that ends with the token."""

from __future__ import annotations

from typing import Protocol


class Sessions(Protocol):
    """Where sessions are kept, for every process that serves pages. Methods raise Unavailable."""

    async def begin(self, token: str, expires_at: float) -> str:
        """A new session of this token, to its end (seconds since 1970 UTC); what its cookie holds."""
        ...

    async def token(self, session: str) -> str:
        """The token of a session. Raises Unauthenticated where there is none, or no longer."""
        ...

    async def end(self, session: str) -> None:
        """Nobody is signed in by it any more."""
        ...
