"""What is followed, as documents: what changed from one to the next, by key, and what a client makes of it.

A document is an object of JSON. A member that is a list of objects is compared row by row: a row is known by its key,
the fewest leading columns whose values no two rows share. So nothing has to be declared for it, and each delta names
the columns that it goes by. Equal means the same bytes of JSON, not equal in Python, where 1 is 1.0.

    {"set": {"position": "…"}, "unset": ["next_cursor"], "lists": {"rows": {"key": ["symbol"],
        "removed": [["AAPL"]], "changed": [[["MSFT"], {"set": {"trades": 8}}]], "added": [[2, {…}]]}}}

To apply it: set and unset members; of each list take out the removed rows, change those that stay, and put the added
ones in at their places, in the order given. A row may hold lists itself, as the tiles of a dashboard do.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import msgspec

Document = Mapping[str, Any]
Delta = dict[str, Any]

_encode = msgspec.json.Encoder().encode
_NO_LISTS: Mapping[str, list[Item]] = MappingProxyType({})  # of most items, which are rows
_NO_TABLES: Mapping[str, list[Document]] = MappingProxyType({})


class Item:
    """An object of a document with the JSON of its plain members; those that are lists of objects are apart.

    `like`: the one before it. A list that is the very same as there is not looked at again: answers are never changed.
    `key`: columns by which it was last known as a row, and their values as JSON.
    """

    __slots__ = ("key", "lists", "raw", "tables", "value")

    def __init__(self, value: Document, like: Item | None = None) -> None:
        before = like.tables if like else _NO_TABLES
        tables = {name: member for name, member in value.items() if member is before.get(name, ()) or _is_table(member)}
        self.tables: Mapping[str, list[Document]] = tables or _NO_TABLES
        self.value: Document = {k: v for k, v in value.items() if k not in tables} if tables else value
        self.raw = _encode(self.value)
        self.key: tuple[Sequence[str], bytes] = ((), b"[]")
        self.lists = {name: _items(name, rows, like) for name, rows in tables.items()} if tables else _NO_LISTS

    def same(self, other: Item) -> bool:
        """Whether both are the same document."""
        return self is other or (
            self.raw == other.raw
            and self.lists.keys() == other.lists.keys()
            and all(_same_rows(rows, other.lists[name]) for name, rows in self.lists.items())
        )

    def json(self) -> bytes:
        """The document as JSON."""
        if not self.lists:
            return self.raw
        members = [b"%s:%s" % (_encode(name), _join(rows)) for name, rows in self.lists.items()]
        return b"%s%s}" % (self.raw[:-1] + b"," if self.value else b"{", b",".join(members))

    def document(self) -> dict[str, Any]:
        """The document as it was."""
        return {**self.value, **{name: [row.document() for row in rows] for name, rows in self.lists.items()}}


def _items(name: str, rows: list[Document], like: Item | None) -> list[Item]:
    if like is None:
        return [Item(row) for row in rows]
    old = like.lists.get(name, [])
    if like.tables.get(name) is rows:
        return old
    return [Item(row, old[place] if place < len(old) else None) for place, row in enumerate(rows)]


def successor(old: Item, value: Document) -> tuple[Item, int]:
    """The document that follows `old`, sharing with it what is the same; and the bytes that are not shared."""
    new, fresh = Item(value, old), 0
    for name, rows in new.lists.items():
        fresh += _share(old.lists.get(name, []), rows)
    return new, fresh + len(new.raw)


def _share(old: Sequence[Item], new: list[Item]) -> int:
    """Put rows that were there before in place of their equals; rows of a row, where it is another one by now, too."""
    if new is old:
        return 0
    before, fresh = {(row.raw, *row.lists): row for row in old}, 0
    for place, row in enumerate(new):
        known = before.get((row.raw, *row.lists))
        if known is not None and known.same(row):
            new[place] = known
        else:
            fresh += len(row.raw)
            like = known or (old[place] if place < len(old) else None)  # a tile stays where it is
            for name, inner in row.lists.items():
                fresh += _share(like.lists.get(name, []) if like else [], inner)
    return fresh


def difference(old: Item, new: Item) -> Delta:
    """What makes `new` of `old`; empty where they are the same."""
    delta: Delta = {}
    changed = _plain_changes(old, new)
    gone = [name for name in (*old.value, *old.lists) if name not in new.value and name not in new.lists]
    lists = {}
    for name, rows in new.lists.items():
        before = old.lists.get(name)
        if before is not None and _same_rows(before, rows):
            continue
        found = _rows_difference(before, rows) if before else None
        if found is None:
            changed[name] = msgspec.Raw(_join(rows))
        else:
            lists[name] = found
    for part, content in (("set", changed), ("unset", gone), ("lists", lists)):
        if content:
            delta[part] = content
    return delta


def _plain_changes(old: Item, new: Item) -> dict[str, Any]:
    if old.raw == new.raw:
        return {}
    return {
        name: value
        for name, value in new.value.items()
        if name not in old.value or _encode(old.value[name]) != _encode(value)
    }


def _rows_difference(old: Sequence[Item], new: Sequence[Item]) -> Delta | None:
    """What makes the new rows of the old ones; None where no columns tell them apart, or no row stays."""
    columns = _key(old, new)
    if columns is None:
        return None
    before = {_key_of(row, columns): row for row in old}
    after = {_key_of(row, columns): row for row in new}
    staying = _in_order(after, {key: place for place, key in enumerate(before)})
    if not staying:
        return None
    found = {
        "removed": [_values(row, columns) for key, row in before.items() if key not in staying],
        "changed": [
            [_values(row, columns), difference(before[key], row)]
            for key, row in after.items()
            if key in staying and not before[key].same(row)
        ],
        "added": [
            [place, msgspec.Raw(row.json())] for place, (key, row) in enumerate(after.items()) if key not in staying
        ],
    }
    return {"key": list(columns), **{part: content for part, content in found.items() if content}}


def _in_order(keys: Iterable[bytes], places: Mapping[bytes, int]) -> frozenset[bytes]:
    """The keys of the longest run that both have in the same order: all others move, come or go."""
    tails: list[int] = []  # of the runs of each length, the least place that one ends with
    ends: list[bytes] = []  # and its key
    before: dict[bytes, bytes | None] = {}
    for key in keys:
        if (place := places.get(key)) is None:
            continue
        length = bisect_left(tails, place)
        before[key] = ends[length - 1] if length else None
        tails[length : length + 1], ends[length : length + 1] = [place], [key]
    run, last = [], ends[-1] if ends else None
    while last is not None:
        run.append(last)
        last = before[last]
    return frozenset(run)


def _key(old: Sequence[Item], new: Sequence[Item]) -> tuple[str, ...] | None:
    """The fewest leading columns that tell the rows of either list apart; None where all of them do not."""
    columns = tuple(new[0].value)
    for length in range(len(columns) + 1):
        leading = columns[:length]
        if any(leading[-1] not in row.value for rows in (old, new) for row in rows if leading):
            return None
        if _tell_apart(old, leading) and _tell_apart(new, leading):
            return leading
    return None


def _tell_apart(rows: Sequence[Item], columns: Sequence[str]) -> bool:
    seen: set[bytes] = set()
    for row in rows:
        key = _key_of(row, columns)
        if key in seen:
            return False
        seen.add(key)
    return True


def _values(row: Item, columns: Iterable[str]) -> list[Any]:
    return [row.value[name] for name in columns]


def _key_of(row: Item, columns: Sequence[str]) -> bytes:
    """Encoded once of a row that stays from one document to the next."""
    if row.key[0] != columns:
        row.key = columns, _encode(_values(row, columns))
    return row.key[1]


def _same_rows(old: Sequence[Item], new: Sequence[Item]) -> bool:
    return old is new or (len(old) == len(new) and all(was.same(row) for was, row in zip(old, new, strict=True)))


def _is_table(member: object) -> bool:
    return isinstance(member, list) and bool(member) and all(isinstance(row, dict) for row in member)


def _join(rows: Iterable[Item]) -> bytes:
    return b"[%s]" % b",".join(row.json() for row in rows)
