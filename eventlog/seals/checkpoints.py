"""Checkpoints: what is signed. Each names the newest link of every partition's chain and the checkpoint before it.

They are kept outside the log and its database: whoever changes both still cannot make a signature.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Protocol

from domain.errors import Invalid
from domain.position import TopicPartition

Sign = Callable[[bytes], bytes]
Check = Callable[[bytes, bytes], bool]  # signature, message


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a partition's chain: the first offset that it does not cover, and the last link."""

    next_offset: int
    chain: bytes


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A signed statement. `number` counts from 1, `at` is ms since 1970 UTC, `previous` the digest of the one before.

    `key_id` names the key; the signature is over `message`.
    """

    number: int
    at: int
    previous: str
    key_id: str
    heads: Mapping[TopicPartition, Head] = field(hash=False)
    signature: bytes = b""

    def message(self) -> bytes:
        """What is signed: the statement as JSON with sorted members and no spaces."""
        return json.dumps(self._statement(), sort_keys=True, separators=(",", ":")).encode()

    @property
    def digest(self) -> str:
        """What the next checkpoint names as `previous`."""
        return sha256(self.message() + self.signature).hexdigest()

    def _statement(self) -> dict[str, Any]:
        heads = [[t, p, head.next_offset, head.chain.hex()] for (t, p), head in sorted(self.heads.items())]
        members = {"number": self.number, "at": self.at, "previous": self.previous, "key_id": self.key_id}
        return {"version": 1, **members, "heads": heads}

    def as_json(self) -> dict[str, Any]:
        """For the files and for proofs."""
        return {"statement": self._statement(), "signature": self.signature.hex()}

    @classmethod
    def from_json(cls, document: Any) -> Checkpoint:
        """The inverse; raises Invalid for what is none."""
        try:
            statement = document["statement"]
            heads = {(str(t), int(p)): Head(int(o), bytes.fromhex(c)) for t, p, o, c in statement["heads"]}
            if statement["version"] != 1:
                raise ValueError(statement["version"])
            members = (
                int(statement["number"]),
                int(statement["at"]),
                str(statement["previous"]),
                str(statement["key_id"]),
            )
            return cls(*members, heads, bytes.fromhex(document["signature"]))
        except (KeyError, TypeError, ValueError) as error:
            raise Invalid(f"this is no checkpoint: {error!r}", code="bad_checkpoint") from None


def signed(
    before: Checkpoint | None, at: int, key_id: str, heads: Mapping[TopicPartition, Head], sign: Sign
) -> Checkpoint:
    """The checkpoint after `before`; `at` in ms since 1970 UTC."""
    number, previous = (before.number + 1, before.digest) if before else (1, "")
    bare = Checkpoint(number, at, previous, key_id, dict(heads))
    return Checkpoint(number, at, previous, key_id, bare.heads, sign(bare.message()))


def first_fault(checkpoints: Iterable[Checkpoint], check: Check) -> str | None:
    """What is wrong with a run of checkpoints, by number: a signature, a gap, an exchanged one. None if nothing."""
    before: Checkpoint | None = None
    for checkpoint in checkpoints:
        if not check(checkpoint.signature, checkpoint.message()):
            return f"checkpoint {checkpoint.number} is not signed by this key"
        if before and (checkpoint.number != before.number + 1 or checkpoint.previous != before.digest):
            return f"checkpoint {checkpoint.number} does not follow checkpoint {before.number}"
        before = checkpoint
    return None


class Checkpoints(Protocol):
    """Where checkpoints are kept."""

    def append(self, checkpoint: Checkpoint) -> None:
        """Keep one durably. Raises Unavailable where it cannot: it is there whole then, or not at all."""
        ...

    def all(self) -> list[Checkpoint]:
        """Every one, by number. Raises Invalid where one is damaged, Unavailable where they cannot be read."""
        ...

    def last(self) -> Checkpoint | None:
        """The newest one that is not damaged. Raises Unavailable where they cannot be read."""
        ...

    def unfinished(self) -> list[str]:
        """Where the writing of one was cut off: that was never a checkpoint, and the next one takes its place.

        Raises Unavailable.
        """
        ...
