"""Framing: a stream of bytes, in chunks of any size, cut into the events that it holds. Memory stays bounded.

An event beyond `MAX_EVENT` bytes is passed on as its first bytes with a problem, never as a whole.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import NamedTuple

from domain.events.catalogue import MAX_EVENT
from domain.events.problems import Code, Problem
from domain.events.validation import too_large


class Item(NamedTuple):
    """One event as it came: its place (line from 1, or index from 0), its bytes, and what is wrong with the frame."""

    line: int
    data: bytes
    problem: Problem | None = None


async def ndjson(chunks: AsyncIterator[bytes]) -> AsyncIterator[list[Item]]:
    """Lines of NDJSON, a list for each chunk; blank lines count but are no events."""
    number, rest, dropped = 0, b"", 0
    async for chunk in chunks:
        first, *lines = chunk.split(b"\n")
        if not lines:
            rest, dropped = _longer(rest, dropped, first)
            continue
        ended, dropped = _longer(rest, dropped, first)
        items = [] if _blank(ended) else [_line(number + 1, ended, dropped)]
        rest, dropped = _longer(b"", 0, lines.pop())
        items += [_line(place, line, 0) for place, line in enumerate(lines, number + 2) if not _blank(line)]
        number += len(lines) + 1
        yield items
    if not _blank(rest):
        yield [_line(number + 1, rest, dropped)]


def _longer(rest: bytes, dropped: int, more: bytes) -> tuple[bytes, int]:
    """The unfinished line with more bytes added; beyond the limit they are only counted."""
    room = MAX_EVENT + 1 - len(rest)
    return rest + more[:room], dropped + max(0, len(more) - room)


def _blank(line: bytes) -> bool:
    return not line or line.isspace()


def _line(number: int, data: bytes, dropped: int) -> Item:
    if len(data) + dropped <= MAX_EVENT:
        return Item(number, data)
    return Item(number, data[:MAX_EVENT], too_large(len(data) + dropped))


async def delimited(chunks: AsyncIterator[bytes]) -> AsyncIterator[list[Item]]:
    """Envelopes, each after its length as a varint. What cannot be framed any more ends the stream, with its place."""
    index, rest, skip = 0, b"", 0
    async for chunk in chunks:
        if skip >= len(chunk):
            skip -= len(chunk)
            continue
        rest, skip = rest + chunk[skip:], 0
        items: list[Item] = []
        at = 0
        while (frame := _frame(rest, at)) is not None:
            start, size = frame
            if size < 0:
                yield [*items, Item(index, rest[at : at + MAX_EVENT], _no_length(index))]
                return
            if size > MAX_EVENT:
                items.append(Item(index, rest[start : start + MAX_EVENT], too_large(size)))
                skip = max(0, start + size - len(rest))
            elif start + size > len(rest):
                break
            else:
                items.append(Item(index, rest[start : start + size]))
            index, at = index + 1, start + size
        rest = rest[at:]
        yield items
    if rest or skip:
        yield [Item(index, rest, _cut_off(index, len(rest)))]


def _frame(data: bytes, at: int) -> tuple[int, int] | None:
    """(start, size) of the next event; size -1 where there is no length, None where more bytes are needed."""
    size = 0
    for count in range(5):
        if at + count >= len(data):
            return None
        byte = data[at + count]
        size |= (byte & 0x7F) << (7 * count)
        if byte < 0x80:
            return at + count + 1, size
    return at, -1


def _no_length(index: int) -> Problem:
    return Problem(Code.UNDECODABLE, f"event {index} does not begin with its length; the rest cannot be read")


def _cut_off(index: int, size: int) -> Problem:
    return Problem(Code.TRUNCATED, f"event {index} is cut off: the stream ends after {size} bytes of it")
