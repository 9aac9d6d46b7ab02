"""VerifyLog: the log against its seals and signed checkpoints, for auditors."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from hashlib import sha256

from common.provenance_pb2 import Provenance
from services import operations_pb2 as operations

from domain.request.caller import Caller
from eventlog.seals.verify import Finding
from read_api.answers.verification import LogVerification

Handler = Callable[[operations.VerifyLogRequest, Caller], Awaitable[operations.VerifyLogResponse]]


def verifying(verification: LogVerification) -> Handler:
    """The handler, which raises Forbidden, Invalid, Unavailable."""

    async def verify_log(request: operations.VerifyLogRequest, caller: Caller) -> operations.VerifyLogResponse:
        streams, end = list(request.streams), request.to_position
        verdict = await verification.verdict(caller.principal, request.company_id, streams, end)
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
