"""A Merkle tree over the records of a block, as RFC 6962 (section 2.1) defines it, with SHA-256.

Leaves and nodes are hashed with different prefixes, so that a node can never pass for a record.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

EMPTY = sha256().digest()


def leaf(offset: int, value: bytes) -> bytes:
    """Hash of one record; its offset belongs to it, so that moving a record changes the tree."""
    return sha256(b"\x00" + offset.to_bytes(8, "big") + value).digest()


def node(left: bytes, right: bytes) -> bytes:
    """Hash of two subtrees."""
    return sha256(b"\x01" + left + right).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """Root over the leaves; the hash of nothing where there are none."""
    level = list(leaves)
    while len(level) > 1:
        level = _above(level)
    return level[0] if level else EMPTY


def path(leaves: Sequence[bytes], index: int) -> list[tuple[str, bytes]]:
    """Siblings from the leaf up to the root, each with the side that it stands on: "left" or "right"."""
    level, hashes = list(leaves), []
    while len(level) > 1:
        sibling = index ^ 1
        if sibling < len(level):
            hashes.append(("right" if sibling > index else "left", level[sibling]))
        level, index = _above(level), index // 2
    return hashes


def climb(start: bytes, siblings: Sequence[tuple[str, bytes]]) -> bytes:
    """The root that a leaf and its path lead to."""
    for side, sibling in siblings:
        start = node(sibling, start) if side == "left" else node(start, sibling)
    return start


def _above(level: list[bytes]) -> list[bytes]:
    """The next level: pairs are joined, a last one without a partner moves up as it is."""
    joined = [node(a, b) for a, b in zip(level[::2], level[1::2], strict=False)]
    return joined + level[-1:] if len(level) % 2 else joined
