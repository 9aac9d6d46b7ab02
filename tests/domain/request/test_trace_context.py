"""W3C trace context, read strictly: what is good comes through, what is hostile is as if it were not there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from common.request_trace_pb2 import TraceContext
from hypothesis import given
from hypothesis import strategies as st

from app.bench.events import envelopes
from domain.events.catalogue import BY_NAME
from domain.request import tracing
from domain.request.tracing import Trace, of_envelope, parsed
from eventlog.publish.record import record_of

GOOD = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
HEX = "0123456789abcdef"
IDS = st.text(HEX, min_size=32, max_size=32).filter(lambda text: set(text) != {"0"})
SPANS = st.text(HEX, min_size=16, max_size=16).filter(lambda text: set(text) != {"0"})


@given(IDS, SPANS, st.integers(0, 255))
def test_a_good_header_comes_through(trace_id: str, span_id: str, flags: int) -> None:
    """Ids as they are, of the flags the one that is known."""
    found = parsed(f"00-{trace_id}-{span_id}-{flags:02x}")
    assert found == Trace(trace_id, span_id, flags & 1)
    assert parsed(found.parent) == found


@given(st.text(max_size=80) | st.text(HEX + "-", min_size=50, max_size=60))
def test_any_text_is_read_or_left_out(text: str) -> None:
    """Never an error; what is read is exactly of the form."""
    found = parsed(text, text)
    assert found is None or re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]", found.parent)


@pytest.mark.parametrize(
    "header",
    [
        "",
        GOOD.upper(),
        GOOD[:-1],
        GOOD + "0",
        GOOD + "-more",  # version 00 has exactly four parts
        GOOD.replace("00-", "ff-", 1),
        GOOD.replace("00-", "0-", 1),
        GOOD.replace("0af7651916cd43dd8448eb211c80319c", "0" * 32),
        GOOD.replace("b7ad6b7169203331", "0" * 16),
        GOOD.replace("-", "_"),
        GOOD.replace("a", "\u0430"),  # a letter that only looks like one
        GOOD.replace("0af", "\u0660af"),  # a digit of another script
        f"{GOOD}\r\nX-Evil: 1",
        f"{GOOD},{GOOD}",
        "cc-" + GOOD[3:] + "-" + "x" * 10_000,
    ],
)
def test_hostile_headers_are_as_if_they_were_not_there(header: str) -> None:
    """The request begins a trace of its own."""
    assert parsed(header) is None
    with tracing.request("test", header, "") as trace:
        assert parsed(trace.parent) == trace
    assert tracing.current.get() is None


def test_a_later_version_is_read_by_what_is_known_of_it() -> None:
    """As the recommendation asks for."""
    assert parsed("01" + GOOD[2:] + "-what-comes-later") == parsed(GOOD)


@pytest.mark.parametrize(
    ("state", "kept"),
    [
        ("congo=t61rcWkgMzE,rojo=00f067aa0ba902b7", "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7"),
        (" a=1 , ,b@c=2\t", "a=1,b@c=2"),
        ("a=1,a=2", ""),
        ("A=1", ""),
        ("a=\u00e9", ""),
        ("a=1\r\nX-Evil: 1", ""),
        (",".join(f"k{n}=v" for n in range(33)), ""),
        ("a=" + "x" * 600, ""),
    ],
)
def test_a_bad_tracestate_is_dropped_alone(state: str, kept: str) -> None:
    """The trace goes on without it."""
    assert parsed(GOOD, state) == Trace(GOOD[3:35], GOOD[36:52], 1, kept)


def test_an_event_carries_its_trace_in_the_envelope_and_in_headers() -> None:
    """Brokers and their tools see it; what a publisher wrote there that is no trace is not passed on."""
    envelope = next(iter(envelopes(1)))
    with tracing.request("test", GOOD, "a=1") as trace:
        envelope.trace_context.CopyFrom(tracing.carrying(trace))
    assert of_envelope(envelope.trace_context) == trace
    headers = record_of(envelope, BY_NAME[envelope.message_type]).headers
    assert (headers["traceparent"], headers["tracestate"]) == (trace.parent.encode(), b"a=1")
    envelope.trace_context.CopyFrom(TraceContext(trace_id="evil\r\n", span_id="x", flags=1))
    assert "traceparent" not in record_of(envelope, BY_NAME[envelope.message_type]).headers


def test_spans_cost_nothing_while_nobody_exports_them() -> None:
    """Always the same empty context manager, and the SDK is not loaded by what makes spans."""
    assert tracing.span("a", events=1) is tracing.span("b") is tracing.linked("c", [Trace("1" * 32, "2" * 16)])
    assert "opentelemetry" not in Path(tracing.__file__).read_text()
