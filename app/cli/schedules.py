"""Commands of report schedules: their runs, what is sent again, and how signatures of webhooks are checked."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import click

from app.cli.command import give
from app.cli.frame import as_json, run, show_json, show_rows, with_settings
from app.cli.reports import company_option
from app.settings import Settings
from domain.errors import Invalid, NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.reports.run_store import RunFilter
    from domain.reports.schedule_runs import Run

SHOWN = ("schedule", "due", "state", "seconds", "size", "recipients", "sent", "dead", "error")


@click.group()
def schedule() -> None:
    """Report schedules: what was made when, and for whom."""


@schedule.command("runs")
@company_option
@click.option("--id", "target", type=click.UUID, help="Runs of this schedule alone.")
@click.option("--state", default="", help="due, running, done, failed or skipped; failed is the dead-letter list.")
@click.option("-n", "--limit", type=click.IntRange(1, 1_000), default=100, show_default=True, help="At most.")
@as_json
@with_settings
def runs(settings: Settings, company: str, target: UUID | None, state: str, limit: int, as_json: bool) -> None:
    """List the runs of a company's schedules, the newest first."""
    from domain.reports.run_store import RunFilter
    from domain.reports.schedule_runs import RunState
    from read_api.schedules.rows import run_row

    if state and state not in list(RunState):
        raise Invalid(f"{state!r} is no state of a run; there are {', '.join(RunState)}", code="bad_parameter")
    criteria = RunFilter(company, str(target or ""), state, limit=limit)
    show_rows([run_row(each) for each in run(_listing(settings, criteria))], SHOWN, as_json=as_json)


async def _listing(settings: Settings, criteria: RunFilter) -> Sequence[Run]:
    from app.instance.instance import reachable
    from app.wiring import schedule_runs

    async with reachable(settings) as complete, schedule_runs(complete) as store:
        return await store.listing(criteria)


@schedule.command("send-again")
@click.argument("target", type=click.UUID, metavar="SCHEDULE_ID")
@click.argument("due", metavar="DUE")
@company_option
@as_json
@with_settings
def send_again(settings: Settings, target: UUID, due: str, company: str, as_json: bool) -> None:
    """Let a run that failed or was skipped begin anew: make what was not made, send what did not arrive."""
    from command_api.command_handler import CommandRequest
    from domain.configuration.registry import command_by_name
    from domain.configuration.report_schedule import SendRunAgain
    from domain.reports.run_store import RunFilter
    from domain.reports.schedule_runs import RunState
    from projections.engine.query.params import read_time

    try:
        at = round(read_time(due).timestamp() * 1000)
    except ValueError as error:
        raise Invalid(f"DUE: {error}", code="bad_parameter") from None
    before = run(_listing(settings, RunFilter(company, str(target), before=at + 1, limit=1)))
    if not before or before[0].due != at:
        raise NotFound(f"the schedule has no run that was due at {due}", code="no_run")
    if before[0].state not in (RunState.FAILED, RunState.SKIPPED):
        raise Invalid(f"the run is {before[0].state}: nothing of it is to be sent again", code="not_failed")
    kind = command_by_name("report_schedule.send_again")
    request = CommandRequest(type=kind, command=SendRunAgain(at), company_id=company, aggregate_id=target)
    taken = run(give(settings, request)).as_json()
    if as_json:
        show_json(taken)
    else:
        show_rows([taken], ("id", "version", "position"), as_json=False)


@schedule.command("secret")
@company_option
@with_settings
def secret(settings: Settings, company: str) -> None:
    """Print what a company checks the signatures of its webhooks by, and nothing else."""
    from adapters.delivery.webhook import secret_of
    from app.wiring import webhook_secret

    click.echo(secret_of(webhook_secret(settings), company))
