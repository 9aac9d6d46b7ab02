"""The command line: `analytics …`. Commands import what they need when they run, so that light ones start at once."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from app.cli.about import ABOUT
from app.cli.alerts import alert
from app.cli.bench import bench
from app.cli.command import command
from app.cli.events import ingest, log, topics
from app.cli.evidence import EVIDENCE
from app.cli.frame import Reporting, as_json, run, show_json, show_rows, with_settings
from app.cli.history import events
from app.cli.metrics import kpis, metrics
from app.cli.projections import projections
from app.cli.quarantine import quarantine
from app.cli.query import explain, export, queries, query
from app.cli.rebuild import COMMANDS
from app.cli.reports import report
from app.cli.schedules import schedule
from app.cli.snapshots import snapshot, snapshots
from app.cli.watch import watch
from app.settings import Settings, default, variable
from domain.access.limits import LIMITS
from domain.access.rights import FEATURES, RIGHTS, Member, Principal, Role, Tier
from eventlog import tasks

# Seconds after which a thread that computes lets the event loop go on. The loop waits for it some ten times a request:
# with Python's own 5 ms, everybody's requests took 50 ms longer while one wide answer was shaped beside it.
# Looks for cycles. Python looks at all objects three times while it makes one wide answer, and nobody else's code runs
# meanwhile: 0.1 s for the rows of two. Of ten such looks one is left.
LOOKS = 700, 10, 100
SWITCH = 0.0005


@click.group(cls=Reporting, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="trading-analytics-service", prog_name="analytics")
def main() -> None:
    """Exact analytics from an append-only log of events."""


for part in (
    *ABOUT,
    ingest,
    queries,
    query,
    export,
    explain,
    kpis,
    metrics,
    watch,
    command,
    projections,
    log,
    events,
    quarantine,
    topics,
    report,
    schedule,
    alert,
    bench,
):
    main.add_command(part)
for part in EVIDENCE:
    log.add_command(part)


for part in (*COMMANDS, snapshot, snapshots):
    projections.add_command(part)


@main.command()
@click.option("--demo", is_flag=True, help="Load the sample data, if that was not done, and keep it moving.")
@with_settings
def up(settings: Settings, demo: bool) -> None:
    """Run everything until Ctrl-C or SIGTERM: embedded servers where none are named, and all processes."""
    from app.instance.logs import configure, log_file
    from app.instance.up import up as run_everything

    configure(settings.log_level, settings.log_format, "up", file=log_file(settings.data, "up"))
    run(run_everything(settings, click.echo, demo=demo))


@main.command()
@click.argument("roles", nargs=-1, required=True, metavar="ROLE…")
@click.option("--supervised", is_flag=True, hidden=True, help="Announce readiness on stdout; drain when stdin ends.")
@click.option("--log-file", hidden=True, type=click.Path(path_type=Path), help="Keep log lines in this file too.")
@with_settings
def serve(settings: Settings, roles: tuple[str, ...], supervised: bool, log_file: Path | None) -> None:
    """Run some process roles: read-api, command-api, grpc, projector, live, relay, sealer, indexer, scheduler,
    alerter, demo.

    They use the servers that the settings name, or those of the instance that runs in the data folder.
    """
    from app.instance.logs import configure
    from app.process import ROLES

    unknown = [role for role in roles if role not in ROLES]
    if unknown:
        raise click.UsageError(f"no role {', '.join(unknown)}; there are {', '.join(ROLES)}")
    configure(settings.log_level, settings.log_format, "+".join(roles), file=log_file)
    sys.setswitchinterval(SWITCH)
    gc.disable()  # until it is ready: what is loaded stays, and to look through it took a seventh of the start
    run(_serve(settings, list(roles), supervised))
    if supervised:  # all has drained; tearing down Polars and gRPC takes up to a second on a busy machine
        logging.shutdown()
        os._exit(0)


async def _serve(settings: Settings, roles: list[str], supervised: bool) -> None:
    from app.instance.stopping import stop_requested

    def ready(role: str, port: int) -> None:
        gc.freeze()  # else each look for cycles, which wide answers bring about, holds everybody up for 0.1 s
        gc.set_threshold(*LOOKS)
        gc.enable()
        sys.stdout.write(json.dumps({"ready": role, "port": port}) + "\n")
        sys.stdout.flush()

    stop = stop_requested(with_parent=supervised)
    beating = tasks.start(_beat(), "the sign of life") if supervised else None
    try:
        await _serve_on(settings, roles, stop, ready)
    finally:
        await tasks.end(beating)


async def _beat() -> None:
    """Tell the supervisor that the event loop turns: it takes a process that says nothing for stuck."""
    with suppress(OSError):  # the supervisor is gone: this process drains because its stdin has ended
        while True:
            await asyncio.sleep(1.0)
            sys.stdout.write("{}\n")
            sys.stdout.flush()


async def _serve_on(
    settings: Settings, roles: list[str], stop: asyncio.Event, ready: Callable[[str, int], None]
) -> None:
    from app.instance.instance import reachable
    from app.process import serve as serve_roles

    if settings.database_url and settings.nats_url:
        await serve_roles(roles, settings, stop, ready)
        return
    async with reachable(settings) as complete:
        await serve_roles(roles, complete, stop, ready)


@main.command()
@click.option("--role", required=True, type=click.Choice([role.value for role in Role]), help="What the bearer is.")
@click.option("--company", required=True, help="Company of the bearer; * is every company.")
@click.option(
    "--tier",
    type=click.Choice([tier.value for tier in Tier], case_sensitive=False),
    default=Tier.ENTERPRISE.value,
    show_default=True,
    help="What the company has subscribed to.",
)
@click.option("--subject", default="", help="Who it is; by default the role's name.")
@click.option("--user-id", multiple=True, help="User whose rows a member sees; may be given several times.")
@click.option("--account-id", multiple=True, help="Account of a member, as --user-id.")
@with_settings
def token(settings: Settings, role: str, company: str, subject: str, **more: Any) -> None:
    """Print a bearer token, signed with the key in the data folder, and nothing else."""
    from app.wiring import token_issuer

    named, users, accounts = Role(role), frozenset(more["user_id"]), frozenset(more["account_id"])
    member = Member(users, accounts) if users or accounts or named is Role.MEMBER else None
    who = Principal(
        subject or role, frozenset({company}), frozenset({named}), Tier(more["tier"].upper()), member=member
    )
    seconds = 3600 * settings.token_hours
    click.echo(token_issuer(settings).issue(who.sub, [named], company, who.tier, seconds, member))


@main.command()
@as_json
def access(as_json: bool) -> None:
    """Show which role may do what, which tier opens what, and how much a tenant of a tier may ask for."""
    rows: list[dict[str, object]] = [
        {"kind": "role", "name": role.value, "allows": ", ".join(sorted(rights))} for role, rights in RIGHTS.items()
    ]
    rows += [
        {"kind": "tier", "name": tier.value, "allows": ", ".join(sorted(features))}
        for tier, features in FEATURES.items()
    ]
    rows += [
        {
            "kind": "limit",
            "name": tier.value,
            "allows": ", ".join(
                [f"{use} {rate.per_second:g}/s (burst {rate.burst:g})" for use, rate in limits.rates.items()]
                + [f"{limits.at_once} questions at once, {limits.feeds} live feeds"]
            ),
        }
        for tier, limits in LIMITS.items()
    ]
    show_rows(rows, ("kind", "name", "allows"), as_json=as_json)


@main.command()
@with_settings
def migrate(settings: Settings) -> None:
    """Bring the database's durable tables to the newest revision."""
    run(_migrate(settings))
    click.echo("The database is at the newest revision.")


async def _migrate(settings: Settings) -> None:
    from adapters.postgres.migrate import migrate as bring_up
    from app.instance.instance import reachable

    async with reachable(settings) as complete:
        await asyncio.to_thread(bring_up, complete.database_owner_url or complete.database_url)


@main.command()
@as_json
@with_settings
def settings(settings: Settings, as_json: bool) -> None:
    """Show the effective settings; secrets are hidden."""
    rows = [
        {"variable": variable(field), "value": shown, "default": default(field), "meaning": field.metadata["doc"]}
        for field, _, shown in settings.items()
    ]
    if as_json:
        show_json(rows)
        return
    show_rows(rows, ("variable", "value", "meaning"), as_json=False)


if __name__ == "__main__":
    main()
