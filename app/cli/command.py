"""`analytics command`: any command of the registry, given by the local operator."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import click

from app.cli.frame import as_json, run, show_json, show_rows, with_settings
from app.settings import Settings
from domain.errors import Invalid

if TYPE_CHECKING:
    from command_api.command_handler import CommandRequest, CommandResult


@click.command()
@click.argument("name")
@click.option("--company", required=True, help="The company that the command is for.")
@click.option("--id", "target", type=click.UUID, help="What it is about; not needed to create, nor for a company.")
@click.option("--body", default="", metavar="JSON|@FILE|-", help="Fields of the command; - reads standard input.")
@click.option("--if-match", type=click.IntRange(min=0), help="The version that you saw; another one is a conflict.")
@click.option("--idempotency-key", default="", help="Sent again with the same key, the command has one effect.")
@click.option("--dry-run", is_flag=True, help="Show the events that it would decide, and store nothing.")
@as_json
@with_settings
def command(
    settings: Settings,
    name: str,
    company: str,
    target: UUID | None,
    body: str,
    if_match: int | None,
    idempotency_key: str,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Give a command on the configuration, such as dashboard.rename; docs/reference/commands.md names them all.

    Prints the id, the version and the position token of what it decided; reads take the token as X-Min-Position.
    """
    from command_api.command_handler import CommandRequest, company_of
    from domain.access.rights import OPERATOR
    from domain.configuration.registry import command_by_name, read_command

    kind = command_by_name(name)
    order = CommandRequest(
        type=kind,
        command=read_command(kind, _bytes(body)),
        company_id=company_of(OPERATOR, company),
        aggregate_id=target,
        expected=if_match,
        key=idempotency_key,
        dry_run=dry_run,
    )
    taken = run(give(settings, order)).as_json()
    if as_json:
        show_json(taken)
        return
    show_rows([taken], ("id", "version", "position"), as_json=False)
    for event in taken["events"]:
        click.echo(f"{'would be' if dry_run else 'decided'}: {event['topic']}", err=True)


async def give(settings: Settings, order: CommandRequest) -> CommandResult:
    """Give it as the local operator. Raises as taking it does."""
    from app.instance.instance import reachable
    from app.wiring import command_handler
    from domain.access.rights import OPERATOR

    async with reachable(settings) as complete, command_handler(complete) as taking:
        return await taking.take(OPERATOR, order)


def _bytes(body: str) -> bytes:
    if body == "-":
        return sys.stdin.buffer.read()
    if not body.startswith("@"):
        return body.encode()
    try:
        return Path(body[1:]).read_bytes()
    except OSError as error:
        raise Invalid(f"--body: {body[1:]} cannot be read: {error.strerror}", code="bad_file") from None
