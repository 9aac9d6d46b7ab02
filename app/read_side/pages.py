"""What the pages stand on beside the read side: what draws charts, who takes commands, evidence."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from uuid import UUID

from app import wiring
from app.engine_room import engine_room
from app.settings import Settings
from command_api.command_handler import CommandHandler, CommandRequest, company_of
from command_api.commands import idempotency_key
from domain.access.rights import Principal
from domain.configuration.registry import command_by_name, read_command
from domain.errors import Invalid
from domain.ports import EventLog, Placed
from domain.request import tracing
from projections.engine.worker_process import WorkerProcess

if TYPE_CHECKING:
    from adapters.postgres.tables.seals import PostgresSeals
    from read_api.answers.verification import LogVerification
    from read_api.web.services import PageCommand, PageServices

CHANGED_SECONDS = 20.0  # that the rows of one event may take


@asynccontextmanager
async def page_services(
    settings: Settings, log: EventLog, verification: LogVerification
) -> AsyncIterator[PageServices]:
    """All of it, closed at the end."""
    from adapters.files.atomic import write
    from read_api.answers.verification import Verifications
    from read_api.web.bundle import Bundle
    from read_api.web.services import PageServices

    bundle, verifications = Bundle(settings.data / "pages", write), Verifications(verification)
    async with (
        wiring.command_handler(settings) as handler,
        wiring.seals(settings) as seals,
        engine_room(settings) as engine,
    ):
        evidence = EvidenceOfPages(settings, log, seals)
        try:
            yield PageServices(bundle, CommandsOfPages(handler), evidence, verifications, engine)
        finally:
            evidence.close()
            await verifications.close()
            await bundle.close()


class EvidenceOfPages:
    """`read_api.web.services.Evidence` out of seals, checkpoints and the key of the data folder.

    Events are folded in a process of its own, because what folds is too heavy for one that serves.
    """

    def __init__(self, settings: Settings, log: EventLog, seals: PostgresSeals) -> None:
        self._settings, self._log, self._seals = settings, log, seals
        self._worker = WorkerProcess("the rows of events")

    async def proof(self, place: Placed) -> Mapping[str, Any]:
        """The proof of the record that lies there. Raises as `prove`."""
        from app.evidence import checkpoint_files
        from eventlog.seals.proof import prove

        topic, partition, offset = place
        checkpoints = checkpoint_files(self._settings)
        return (await prove(self._log, self._seals, checkpoints, (topic, partition), offset)).as_json()

    def public_key(self) -> bytes:
        """The key that checkpoints are signed by, as PEM."""
        from adapters.files.checkpoint_key import public_pem, signing_key

        return public_pem(signing_key(wiring.keys(self._settings)).public_key())

    async def changed_rows(self, place: Placed, record: bytes) -> Sequence[Mapping[str, Any]]:
        """The rows that the event of a record changes. Raises Unavailable, LimitExceeded."""
        return await self._worker.ask(_changed_rows, place, record, seconds=CHANGED_SECONDS)

    def close(self) -> None:
        """End the process that folds."""
        self._worker.stop()


def _changed_rows(place: Placed, record: bytes) -> list[dict[str, Any]]:
    """In the worker: the rows, as plain members."""
    from projections.engine.past.changed_rows import changed_rows

    return [asdict(row) for row in changed_rows(place, record)]


class CommandsOfPages:
    """`read_api.web.services.PageCommands` by the command handler of this process, which decides as the command API."""

    def __init__(self, handler: CommandHandler) -> None:
        self._handler = handler

    async def take(self, principal: Principal, command: PageCommand) -> Mapping[str, Any]:
        """Decide, store and answer. Raises as `CommandHandler.take`, Invalid."""
        kind = command_by_name(command.name)
        order = CommandRequest(
            type=kind,
            command=read_command(kind, command.body),
            company_id=company_of(principal, command.company),
            aggregate_id=_id(command.id) if command.id else None,
            expected=command.version,
            key=idempotency_key(command.key or None),
            dry_run=command.dry_run,
            correlation_id=command.correlation_id,
            traceparent=trace.parent if (trace := tracing.current.get()) else "",
        )
        return (await self._handler.take(principal, order)).as_json()


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Invalid(f"{text!r} is no id", code="bad_id") from None
