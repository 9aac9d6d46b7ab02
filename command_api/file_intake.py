"""The command line's door: a file or a pipe of events, NDJSON or length-delimited protobuf, told apart by its bytes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import BinaryIO

from domain.events.catalogue import event_type
from eventlog.intake.framing import delimited, ndjson
from eventlog.intake.intake import Ingest, Outcome
from eventlog.intake.json_mapping import from_json
from eventlog.intake.parsing import from_protobuf

CHUNK = 256 * 1024
TYPE_NAME_BYTES = 128  # bytes that hold the name of the first event's type, where there is one
REPORT_EVERY = 0.5  # seconds
Report = Callable[[str], None]


async def ingest_file(ingest: Ingest, file: BinaryIO, *, size: int | None, report: Report | None) -> Outcome:
    """Take everything in the file; `size` in bytes where known gives an ETA, `report` shows a line of progress.

    Exit status of the command: 0 if all went in, 3 if `quarantined` is not 0. Raises Unavailable, OSError where the
    file cannot be read.
    """
    source = _Source(file)
    first = await source.peek()
    framing, parse = (delimited, from_protobuf) if is_protobuf(first) else (ndjson, from_json)
    progress = _Progress(source, size, report) if report is not None else None
    return await ingest.take(framing(source.chunks()), parse, door="cli", progress=progress)


def is_protobuf(first: bytes) -> bool:
    """Whether a file holds length-delimited envelopes: a length, then field 1 with the name of an event type.

    A damaged first event does not show that; then a brace or printable text speaks for NDJSON.
    """
    start = 1 + next((i for i, byte in enumerate(first[:5]) if byte < 0x80), 0)
    if first[start : start + 1] == b"\x0a" and len(first) > start + 1:
        name = first[start + 2 : start + 2 + first[start + 1]]
        if event_type(name.decode(errors="replace")) is not None:
            return True
    text = first.startswith((b"{", b"\xef\xbb\xbf")) or all(byte >= 0x20 or byte in b"\t\r\n" for byte in first[:64])
    return not text


class _Source:
    """Reads a file in a thread, so that a slow pipe does not stop the writing of what came before."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._first: bytes | None = None
        self.read_bytes = 0

    async def peek(self) -> bytes:
        """The first bytes, enough to tell the form by; a pipe may give them one by one."""
        self._first = b""
        while len(self._first) < TYPE_NAME_BYTES and not self._first.startswith(b"{"):
            more = await self._read()
            if not more:
                break
            self._first += more
        return self._first

    async def chunks(self) -> AsyncIterator[bytes]:
        chunk = self._first or await self._read()
        while chunk:
            self.read_bytes += len(chunk)
            yield chunk
            chunk = await self._read()

    async def _read(self) -> bytes:
        """What is there, at most a chunk: `read` of a pipe would wait for a whole one."""
        return await asyncio.to_thread(getattr(self._file, "read1", self._file.read), CHUNK)


class _Progress:
    """A line of progress twice a second: events, rate, share and time left where the size is known."""

    def __init__(self, source: _Source, size: int | None, report: Report) -> None:
        self._source, self._size, self._report = source, size, report
        self._started = self._shown = time.monotonic()

    def __call__(self, outcome: Outcome, line: int) -> None:
        now = time.monotonic()
        if now - self._shown < REPORT_EVERY:
            return
        self._shown, took = now, now - self._started
        text = f"{line:,} events, {line / took:,.0f}/s, {outcome.quarantined:,} in quarantine"
        if self._size:
            share = min(1.0, self._source.read_bytes / self._size)
            text += f", {share:.0%}, {took / share - took:.0f} s left" if share else ""
        self._report(text)
