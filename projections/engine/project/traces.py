"""The traces that the events of a batch belong to, for the batch's span."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, islice

from common.envelope_pb2 import AnalyticsProcessingEnvelope
from google.protobuf.message import DecodeError

from domain.ports import Chunk
from domain.request import tracing
from domain.request.tracing import Trace

LOOKED_AT = 256  # events of a batch: parsing each costs 1 µs, and a batch may have 100,000
MOST = 32  # traces that a span links to


def traces_of(chunks: Sequence[Chunk]) -> list[Trace]:
    """The sampled traces of the first events, each once; none while no spans are made."""
    if not tracing.on():
        return []
    traces: dict[str, Trace] = {}
    for value in islice(chain.from_iterable(chunk.values for chunk in chunks), LOOKED_AT):
        try:
            carrying = AnalyticsProcessingEnvelope.FromString(value).trace_context
        except DecodeError:
            continue  # admission sets it aside
        trace = tracing.of_envelope(carrying)
        if trace is not None and trace.sampled:
            traces.setdefault(trace.trace_id, trace)
    return list(traces.values())[:MOST]
