"""Tracing: W3C trace context, taken or made at every door and carried by events, answers and log lines; and spans.

Spans cost next to nothing while nobody exports them: `install` puts a tracer in (adapters/telemetry), until then the
trace is only passed on. Form: https://www.w3.org/TR/trace-context/.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from functools import lru_cache
from typing import NamedTuple, Protocol

from common.request_trace_pb2 import TraceContext

SAMPLED = 1  # the flag that says: somebody keeps the spans of this trace
LONGEST_STATE = 512  # characters of tracestate, as the recommendation asks for at least
MOST_MEMBERS = 32  # of tracestate

_PARENT = re.compile(
    r"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII
)
_KEY = r"(?:[a-z][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13})"
_MEMBER = re.compile(rf"{_KEY}=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{{0,255}}[\x21-\x2b\x2d-\x3c\x3e-\x7e]", re.ASCII)


class Trace(NamedTuple):
    """Where in which trace: hex ids as on the wire, flags, and the tracestate of other systems."""

    trace_id: str
    span_id: str
    flags: int = 0
    state: str = ""

    @property
    def parent(self) -> str:
        """The value of a `traceparent` header for whatever this causes."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags:02x}"

    @property
    def sampled(self) -> bool:
        """Whether somebody keeps its spans."""
        return bool(self.flags & SAMPLED)


class Tracer(Protocol):
    """What makes spans; see adapters/telemetry."""

    def span(
        self, name: str, parent: Trace | None, attributes: dict[str, str | int], links: Sequence[Trace]
    ) -> AbstractContextManager[Trace]:
        """A span until it is left; the trace in hand is its own meanwhile."""
        ...

    def add_attributes(self, attributes: dict[str, str | int]) -> None:
        """Add attributes to the span in hand."""
        ...


current: ContextVar[Trace | None] = ContextVar("trace", default=None)  # in hand
_NOTHING: AbstractContextManager[None] = nullcontext()
_tracer: Tracer | None = None


def install(tracer: Tracer | None) -> None:
    """Make spans with this tracer from now on; None makes none."""
    global _tracer  # one a process, set by the composition root before anything is served
    _tracer = tracer


def on() -> bool:
    """Whether spans are made."""
    return _tracer is not None


def span(name: str, **attributes: str | int) -> AbstractContextManager[Trace | None]:
    """A span of the trace in hand, for what happens inside; nothing at all while no tracer is installed."""
    if _tracer is None:
        return _NOTHING
    return _tracer.span(name, current.get(), attributes, ())


def add_attributes(**attributes: str | int) -> None:
    """Add to the span in hand what was not known when it began."""
    if _tracer is not None:
        _tracer.add_attributes(attributes)


def linked(name: str, traces: Sequence[Trace], **attributes: str | int) -> AbstractContextManager[Trace | None]:
    """A span of work for several traces at once: part of the trace where there is one alone, else linked to each."""
    if _tracer is None:
        return _NOTHING
    alone = len({trace.trace_id for trace in traces}) == 1
    return _tracer.span(name, traces[0] if alone else None, attributes, traces)


def request(name: str, parent: str, state: str, **attributes: str | int) -> AbstractContextManager[Trace]:
    """What a door enters for one request: goes on with the caller's trace, or begins one. Attributes as of `span`."""
    remote = parsed(parent, state) if parent else None
    if _tracer is not None:
        return _tracer.span(name, remote, attributes, ())
    random = os.urandom(24).hex()
    return InHand(Trace(random[:32], random[32:]) if remote is None else remote._replace(span_id=random[32:]))


class InHand:
    """A context manager: this trace is in hand until it is left."""

    __slots__ = ("_token", "_trace")

    def __init__(self, trace: Trace) -> None:
        self._trace = trace

    def __enter__(self) -> Trace:
        self._token = current.set(self._trace)
        return self._trace

    def __exit__(self, *_: object) -> None:
        current.reset(self._token)


def parsed(parent: str, state: str = "") -> Trace | None:
    """The trace of a `traceparent` header and its `tracestate`; None where it is not one.

    A later version than 00 may bring more after the flags, which is left out. A bad tracestate is dropped alone.
    """
    fields = _PARENT.fullmatch(parent.strip(" \t")) if len(parent) <= LONGEST_STATE else None
    if fields is None or (fields[1] == "00" and fields[5]):
        return None
    return Trace(fields[2], fields[3], int(fields[4], 16) & SAMPLED, good_state(state))


def good_state(text: str) -> str:
    """A tracestate that can be passed on: "" where any member of it is no good."""
    members = [member for part in text.split(",") if (member := part.strip(" \t"))]
    keys = {member.partition("=")[0] for member in members}
    good = len(text) <= LONGEST_STATE and len(keys) == len(members) <= MOST_MEMBERS
    return ",".join(members) if good and all(map(_MEMBER.fullmatch, members)) else ""


def carried() -> TraceContext | None:
    """The trace in hand as envelopes carry it."""
    trace = current.get()
    return None if trace is None else carrying(trace)


def carrying(trace: Trace) -> TraceContext:
    """A trace as envelopes carry it."""
    return TraceContext(trace_id=trace.trace_id, span_id=trace.span_id, flags=trace.flags, state=trace.state)


def of_envelope(context: TraceContext) -> Trace | None:
    """The trace that an envelope carries; None where it carries none, or a bad one: publishers may write anything."""
    return _carried_by(context.trace_id, context.span_id, context.flags & SAMPLED, context.state)


@lru_cache(maxsize=1_024)  # the events of one request carry the same, and all of them are asked
def _carried_by(trace_id: str, span_id: str, flags: int, state: str) -> Trace | None:
    return parsed(f"00-{trace_id}-{span_id}-{flags:02x}", state)
