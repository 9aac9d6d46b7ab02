"""Loading the sample: once for each data folder, through the publisher library, as a service would hand it in.

The events carry no producer's stamp, so projectors know them by event id: what was loaded before a crash counts once
when all of it is loaded again. When the sample ends is settled, and noted, before its first event: a later start goes
on with that moment, whatever the day.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TextIO

from app.demo.companies import COMPANIES
from app.demo.sample import EVENTS, sample_until
from app.publisher import connect
from app.settings import Settings
from app.wiring import command_handler, event_log
from command_api.command_handler import CommandRequest
from domain.access.rights import OPERATOR
from domain.configuration.registry import COMMANDS, read_command
from domain.errors import Invalid
from domain.events.catalogue import STREAMS
from eventlog.publish.event import Event

PROFILE, TIER = "company.change_profile", "company.change_tier"
AT_ONCE = 2_000  # events published together
BAR = 30  # characters


async def load(settings: Settings, stop: asyncio.Event, out: TextIO = sys.stderr) -> bool:
    """Load the sample unless the log of this folder has it; False if it was told to stop before the end."""
    note = settings.data / "demo.json"
    known = json.loads(note.read_bytes()) if note.exists() and await _has_events(settings) else {}
    if "events" in known:
        return True
    until = known.get("until") or end_of_sample(settings.demo_until)
    progress = Progress(EVENTS, out)
    events = sample_until(until)
    async with connect(settings, stamp=False) as publisher:
        piece = await asyncio.to_thread(_next, events)
        if not stop.is_set():
            _write(note, until=until)
        while piece and not stop.is_set():
            # the next piece is made while the log takes this one
            _, following = await asyncio.gather(
                publisher.append([event.record for event in piece]), asyncio.to_thread(_next, events)
            )
            progress.add(len(piece))
            piece = following
    if not piece:
        progress.end()
        await _subscribe(settings)
        _write(note, until=until, events=EVENTS)
    return not piece


def end_of_sample(text: str) -> int:
    """The moment that the setting names, by default now, in ms. Raises Invalid for a text that is no moment."""
    if not text:
        return time.time_ns() // 1_000_000
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid(
            f"ANALYTICS_DEMO_UNTIL is {text!r}, which is no day or moment (ISO 8601)", code="bad_setting"
        ) from None
    return int(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() * 1_000)


async def _subscribe(settings: Settings) -> None:
    """Give each company its name and tier, as the platform's operator would."""
    async with command_handler(settings) as taking:
        for company in COMPANIES:
            for name, said in ((PROFILE, {"name": company.company_id.capitalize()}), (TIER, {"tier": company.tier})):
                command = read_command(COMMANDS[name], json.dumps(said).encode())
                await taking.take(OPERATOR, CommandRequest(COMMANDS[name], command, company.company_id))


async def _has_events(settings: Settings) -> bool:
    """Whether the log has any: the folder may have been told of another log since."""
    async with event_log(settings) as log:
        for topic in STREAMS:
            if any((await log.heads(topic)).values()):
                return True
    return False


def _next(events: Iterator[Event]) -> list[Event]:
    return list(islice(events, AT_ONCE))


def _write(note: Path, **known: int) -> None:
    from adapters.files import atomic

    atomic.write(note, json.dumps(known).encode())


class Progress:
    """How far it is, how fast, and how long it will take: a bar on a terminal, a line now and then elsewhere."""

    def __init__(self, total: int, out: TextIO) -> None:
        self._total, self._out = total, out
        self._done = 0
        self._bar = out.isatty()
        self._every = 0.2 if self._bar else 3.0
        self._started = time.monotonic()
        self._shown = self._started - self._every  # the first line comes with the first events

    def add(self, events: int) -> None:
        """So many more are done."""
        self._done += events
        now = time.monotonic()
        if now - self._shown >= self._every:
            self._shown = now
            self._show(now - self._started)

    def end(self) -> None:
        """Everything is done, also where it was less than it might have been."""
        self._total = self._done
        self._show(time.monotonic() - self._started)
        if self._bar:
            self._out.write("\n")

    def _show(self, took: float) -> None:
        share, rate = self._done / self._total, self._done / max(took, 0.001)
        left = (self._total - self._done) / max(rate, 1)
        text = f"{share:4.0%}  {self._done:,} sample events, {rate:,.0f}/s, {left:.0f} s left"
        filled = int(share * BAR)
        line = f"\r\033[K[{'█' * filled}{'·' * (BAR - filled)}] {text}" if self._bar else f"{text.strip()}\n"
        self._out.write(line)
        self._out.flush()
