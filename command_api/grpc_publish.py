"""The gRPC door: `Publish` takes a stream of envelopes, in order, and answers once all good ones are durable."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial

from google.protobuf.message import Message
from services import operations_pb2

from domain.access.limits import Use
from domain.access.rate_limits import Rates
from domain.access.rights import Principal, Right, may, require
from domain.request.caller import Caller
from eventlog.intake.framing import Item
from eventlog.intake.intake import Ingest, Outcome
from eventlog.intake.parsing import from_protobuf

Publish = Callable[[AsyncIterator[operations_pb2.PublishRequest], Caller], Awaitable[Message]]


def publishing(ingest: Ingest, rates: Rates | None = None) -> Publish:
    """The handler of the RPC `Publish`. Stamped envelopes keep their stamps, because one stream is in order.

    Who sends more than their rate is read more slowly. The handler raises Forbidden, Unavailable.
    """

    async def publish(requests: AsyncIterator[operations_pb2.PublishRequest], caller: Caller) -> Message:
        """One publication: what became of it, with the first rejects by their index in the stream."""
        who = caller.principal
        require(who, Right.PUBLISH, who.company_id)
        allows = partial(may, who, Right.PUBLISH)
        items = _items(requests, rates or Rates(0), who)
        outcome = await ingest.take(
            items, from_protobuf, door="grpc", allows=allows, keep_stamps=True, tenant=who.company_id
        )
        return response(outcome, caller.correlation_id)

    return publish


async def _items(
    requests: AsyncIterator[operations_pb2.PublishRequest], rates: Rates, principal: Principal
) -> AsyncIterator[list[Item]]:
    index = 0
    async for request in requests:
        amounts = Counter(event.company_id for event in request.events)
        await asyncio.sleep(rates.charge_each(principal, Use.EVENTS, amounts, time.monotonic()))
        yield [Item(index + i, event.SerializeToString()) for i, event in enumerate(request.events)]
        index += len(request.events)


def response(outcome: Outcome, correlation_id: str) -> operations_pb2.PublishResponse:
    """The outcome as the RPC's answer."""
    return operations_pb2.PublishResponse(
        accepted=outcome.accepted,
        duplicates=outcome.duplicates,
        quarantined=outcome.quarantined,
        position=str(outcome.position),
        rejects=[
            operations_pb2.PublishReject(index=r.line, code=r.code, reason=r.reason, event_id=r.event_id)
            for r in outcome.reasons
        ],
        rejects_left_off=outcome.quarantined - len(outcome.reasons),
        correlation_id=correlation_id,
    )
