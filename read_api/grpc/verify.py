"""VerifyLog: the log against its seals and signed checkpoints, for auditors."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from hashlib import sha256

from common.provenance_pb2 import Provenance
from services import operations_pb2 as operations

from domain.access.rights import Right, require
from domain.errors import Invalid
from domain.events.catalogue import STREAMS
from domain.ports import EventLog
from domain.position import Position
from domain.request.caller import Caller
from eventlog.seals.verify import Evidence, Finding, verify

Handler = Callable[[operations.VerifyLogRequest, Caller], Awaitable[operations.VerifyLogResponse]]


def verifying(log: EventLog, evidence: Evidence) -> Handler:
    """The handler. Seals cover the events of all tenants; what it answers holds none of them, only places.

    The handler raises Forbidden, Invalid, Unavailable.
    """

    async def verify_log(request: operations.VerifyLogRequest, caller: Caller) -> operations.VerifyLogResponse:
        require(caller.principal, Right.VERIFY, request.company_id or None)
        if unknown := set(request.streams) - set(STREAMS):
            raise Invalid(f"there is no stream {', '.join(sorted(unknown))}", code="unknown_stream")
        end = Position.parse(request.to_position) if request.to_position else None
        verdict = await verify(log, evidence, list(request.streams) or STREAMS, Position(), end, _unreported)
        provenance = Provenance(
            query="verify_log",
            definition_version=1,
            position=verdict.position,
            complete=verdict.verified and not verdict.unsealed,
            correlation_id=caller.correlation_id,
        )
        return operations.VerifyLogResponse(
            verified=verdict.verified,
            events=verdict.records,
            checksum=sha256("".join(map(bytes.hex, verdict.chains)).encode()).hexdigest(),
            findings=[_finding(finding) for finding in verdict.findings],
            provenance=provenance,
            notes=verdict.notes,
        )

    return verify_log


def _finding(finding: Finding) -> operations.VerificationFinding:
    place = operations.EventPlace(topic=finding.topic, partition=finding.partition, offset=finding.first_offset)
    return operations.VerificationFinding(
        code=finding.code, reason=finding.reason, place=place if finding.topic else None
    )


def _unreported(_done: int, _total: int) -> None:
    """A call has no terminal to report to."""
