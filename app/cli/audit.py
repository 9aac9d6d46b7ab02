"""What commands of the command line do, for the audit trail. Whoever runs them is the local operator.

`with_settings` (app/cli/frame.py) says which command runs, `reachable` (app/instance/instance.py) puts it on record
while the servers are there. A command that is not named here is on record as the operator's: what is quiet has to be
listed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from app.settings import Settings
from domain.access.rights import EVERY_COMPANY
from domain.audit import LOCAL_OPERATOR, Action, Door, Note, outcome_of, tenant_of
from domain.request import correlation, tracing

# These show nothing of any tenant and change nothing; scripts poll them.
QUIET = frozenset(
    {
        "access",
        "bench",
        "completion",
        "doctor",
        "log check-proof",
        "log head",
        "log key",
        "metrics",
        "projections checksum",
        "projections list",
        "projections snapshots",
        "projections status",
        "projections wait",
        "queries",
        "serve",  # a process role: its doors note what comes in
        "settings",
        "version",
    }
)
ACTIONS: Mapping[str, Action] = MappingProxyType(
    {
        "query": Action.QUERY,
        "explain": Action.EXPLAIN,
        "export": Action.EXPORT,
        "kpis": Action.QUERY,
        "watch": Action.SUBSCRIBE,
        "ingest": Action.PUBLISH,
        "events find": Action.EVENTS,
        "events show": Action.EVENTS,
        "events replay": Action.EVENTS,
        "log read": Action.EVENTS,
        "log tail": Action.EVENTS,
        "log verify": Action.VERIFY,
        "log prove": Action.VERIFY,
        "token": Action.SIGN_IN,
    }
)
# on record before the first line is printed: most of them end when somebody has seen enough
STREAMING = frozenset({"events replay", "log read", "log tail", "watch"})
_NAMING = ("name", "names", "metric", "event", "ids", "entry_id", "role")  # arguments that say what a command is about


@dataclass
class AuditedAction:
    """The command that runs: its name, what it is about, and whether that is on record."""

    command: str
    about: str = ""
    company: str = ""
    on_record: bool = False
    streaming: bool = False  # on record before the first line is printed

    def note(self, error: BaseException | None = None) -> Note:
        """The deed as a note of the trail."""
        action = ACTIONS.get(self.command, Action.OPERATE)
        target = self.about if action in (Action.QUERY, Action.EXPLAIN) else f"{self.command} {self.about}".strip()
        outcome, code = outcome_of(error)
        company = tenant_of(frozenset({EVERY_COMPANY}), self.company)
        return Note(
            LOCAL_OPERATOR, action, target, Door.CLI, company, outcome, code, correlation_id=correlation.current.get()
        )


_in_hand: ContextVar[AuditedAction | None] = ContextVar("deed", default=None)


@contextmanager
def doing(command: str, arguments: Mapping[str, Any]) -> Iterator[AuditedAction | None]:
    """This command runs; None where it is quiet."""
    deed = None
    if command not in QUIET:
        about = " ".join(str(part) for name in _NAMING for part in _parts(arguments.get(name)))
        company = str(arguments.get("company") or arguments.get("tenant") or "")
        streaming = command in STREAMING or bool(arguments.get("every"))
        deed = AuditedAction(command, about, company, streaming=streaming)
    token = _in_hand.set(deed)
    try:
        yield deed
    finally:
        _in_hand.reset(token)


def _parts(value: Any) -> tuple[Any, ...]:
    return () if value is None else value if isinstance(value, tuple) else (value,)


@asynccontextmanager
async def on_record(settings: Settings) -> AsyncIterator[None]:
    """What the running command does inside is on record when this ends; see STREAMING for those that are before."""
    deed = _in_hand.get()
    if deed is None or deed.on_record:
        yield
        return
    deed.on_record = True
    if deed.streaming:
        await record(settings, deed.note())
    try:
        yield
    except Exception as error:
        await record(settings, deed.note(error))
        raise
    if not deed.streaming:
        await record(settings, deed.note())


async def record(settings: Settings, note: Note) -> None:
    """Put a note into the log of servers that answer."""
    from app.wiring import event_log, trail

    async with event_log(settings) as log, trail(settings, log) as opened:
        await opened.record(note)


def spill(settings: Settings, note: Note) -> None:
    """Keep a note in the data folder, for a log that does not run now; the next process with a trail appends it."""
    from adapters.files.audit_spill import SpillFiles
    from eventlog.publish.audit_events import audit_record

    SpillFiles(settings.data / "trail").save([audit_record(note, trace=tracing.current.get()).value])
