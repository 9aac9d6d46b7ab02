"""Spans by the OpenTelemetry SDK, sent in batches from a thread to an OTLP collector over HTTP.

Imported only where an endpoint is set: the SDK and its HTTP client take about 25 MB.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from opentelemetry import trace as otel
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import Link, NonRecordingSpan, Span, SpanContext, SpanKind, Status, StatusCode, TraceFlags
from opentelemetry.trace.span import TraceState

from domain.errors import AnalyticsError
from domain.request.tracing import InHand, Trace

SERVICE = "analytics"
MOST_LINKS = 32
PATIENCE = 3  # seconds for one batch: a collector that is away must not hold back the end of the process


class OtlpTracer:
    """`domain.request.tracing.Tracer`. `share`: of the traces that begin here, how many are kept (0 to 1)."""

    def __init__(self, endpoint: str, role: str, share: float) -> None:
        resource = Resource.create({"service.name": SERVICE, "service.instance.id": role})
        self._provider = TracerProvider(
            resource=resource, sampler=ParentBased(TraceIdRatioBased(share)), shutdown_on_exit=False
        )
        exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=PATIENCE)
        self._provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=500))
        self._tracer = self._provider.get_tracer(SERVICE)

    @contextmanager
    def span(
        self, name: str, parent: Trace | None, attributes: dict[str, str | int], links: Sequence[Trace]
    ) -> Iterator[Trace]:
        """A span until it is left; the trace in hand is its own meanwhile. An error that leaves it is its status."""
        context = otel.set_span_in_context(NonRecordingSpan(_context(parent)), Context()) if parent else Context()
        several = [Link(_context(link)) for link in links[:MOST_LINKS]]
        span = self._tracer.start_span(name, context, SpanKind.INTERNAL, attributes, several)
        own = _trace(span, parent.state if parent else "")
        try:
            with InHand(own), otel.use_span(span, record_exception=False, set_status_on_exception=False):
                yield own
        except BaseException as error:
            code = error.code if isinstance(error, AnalyticsError) else type(error).__name__
            span.set_status(Status(StatusCode.ERROR, code))
            raise
        finally:
            span.end()

    def add_attributes(self, attributes: dict[str, str | int]) -> None:
        """Add attributes to the span in hand."""
        otel.get_current_span().set_attributes(attributes)

    def close(self) -> None:
        """Send what waits."""
        self._provider.shutdown()


def _context(trace: Trace) -> SpanContext:
    return SpanContext(
        int(trace.trace_id, 16),
        int(trace.span_id, 16),
        is_remote=True,
        trace_flags=TraceFlags(trace.flags),
        trace_state=TraceState.from_header([trace.state]) if trace.state else None,
    )


def _trace(span: Span, state: str) -> Trace:
    own = span.get_span_context()
    return Trace(f"{own.trace_id:032x}", f"{own.span_id:016x}", int(own.trace_flags), state)
