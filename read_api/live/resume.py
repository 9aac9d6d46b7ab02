"""Tokens of resume: where a follower is in a feed, so that it can go on there after its connection was lost.

A token is of one caller: another's says nothing. What it cannot be gone on from begins with a snapshot, which says why.
"""

from __future__ import annotations

import secrets
from enum import StrEnum
from hashlib import blake2b

from domain.access.rights import Principal
from read_api.live.feeds import Feed


class Anew(StrEnum):
    """Why a token is answered with a snapshot."""

    OTHER_CALLER = "other_caller"  # it was given to somebody else, or to nobody
    NEW_EPOCH = "new_epoch"  # it is of another feed, of another process, or of one that is forgotten
    TOO_OLD = "too_old"  # the feed remembers less far back


class ResumeTokens:
    """Makes and reads the tokens of one process."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def prefix(self, feed: Feed, principal: Principal) -> str:
        """What all tokens of a feed begin with that one caller gets; the offset follows."""
        return f"{feed.epoch}.{self._mark(feed.epoch, principal)}."

    def offset(self, token: str, feed: Feed, principal: Principal) -> int | Anew:
        """Where the caller was in the feed, or why that cannot be gone on from."""
        epoch, _, rest = token.partition(".")
        mark, _, offset = rest.partition(".")
        if epoch != feed.epoch:
            return Anew.NEW_EPOCH
        if not secrets.compare_digest(mark.encode(), self._mark(epoch, principal).encode()) or not _is_offset(offset):
            return Anew.OTHER_CALLER
        return int(offset) if feed.remembers(int(offset)) else Anew.TOO_OLD

    def _mark(self, epoch: str, principal: Principal) -> str:
        whose = "\0".join((epoch, principal.sub, *sorted(principal.companies)))
        return blake2b(whose.encode(), key=self._key, digest_size=8).hexdigest()


def _is_offset(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 16
