"""Verifications that are begun from a page: each ends, with a verdict or with what kept it from one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from adapters.files.checkpoints import CheckpointFiles
from adapters.postgres.log.log import EmbeddedLog
from adapters.postgres.tables.seals import PostgresSeals
from domain.access.rights import Principal, Role
from domain.events.catalogue import STREAMS
from eventlog.seals.verify import Evidence
from read_api.answers.verification import LogVerification, Verification, Verifications

ANN = Principal("ann", frozenset({"*"}), frozenset({Role.AUDITOR}))


async def _unreadable() -> Sequence[str]:
    raise PermissionError("snapshots/1")


async def test_what_fails_unforeseen_ends_as_a_problem(database_url: str, tmp_path: Path) -> None:
    """Else a page would show a verdict that there is not; and the next one can be begun."""
    log, seals = EmbeddedLog(database_url), PostgresSeals(database_url)
    evidence = Evidence(seals, CheckpointFiles(tmp_path), lambda _signature, _message: True, _unreadable)
    verifications = Verifications(LogVerification(log, evidence))
    try:
        await log.create_topics(dict.fromkeys(STREAMS, 1))
        for _ in range(2):
            run = await _ended(verifications)
            assert run.verdict is None
            assert "the service failed" in run.problem
            assert "snapshots" not in run.problem  # what is inside is no caller's to know
    finally:
        await verifications.close()
        await seals.close()
        await log.close()


async def _ended(verifications: Verifications) -> Verification:
    run = verifications.begin(ANN, "")
    async with asyncio.timeout(30):
        while run.ended is None:  # noqa: ASYNC110  # it is looked at as a page does
            await asyncio.sleep(0.01)
    return run
