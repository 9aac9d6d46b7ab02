"""What the pages stand on beside the read side: what draws charts, and who takes what their forms command."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from uuid import UUID

from app import wiring
from app.settings import Settings
from command_api.command_handler import CommandHandler, CommandRequest, company_of
from command_api.commands import idempotency_key
from domain.access.rights import Principal
from domain.configuration.registry import command_by_name, read_command
from domain.errors import Invalid
from domain.request import tracing

if TYPE_CHECKING:
    from read_api.web.services import PageCommand, PageServices


@asynccontextmanager
async def page_services(settings: Settings) -> AsyncIterator[PageServices]:
    """All of it, closed at the end."""
    from adapters.files.atomic import write
    from read_api.web.bundle import Bundle
    from read_api.web.services import PageServices

    bundle = Bundle(settings.data / "pages", write)
    async with wiring.command_handler(settings) as handler:
        try:
            yield PageServices(bundle, CommandsOfPages(handler))
        finally:
            await bundle.close()


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
            traceparent=trace.parent if (trace := tracing.current()) else "",
        )
        return (await self._handler.take(principal, order)).as_json()


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Invalid(f"{text!r} is no id", code="bad_id") from None
