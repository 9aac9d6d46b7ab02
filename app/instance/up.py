"""`analytics up`: everything in one command, under one supervisor, until SIGTERM or Ctrl-C.

Order of work: be the only instance → servers → tables and topics → sample data, if asked for → processes → say where →
wait → drain.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import fields, replace
from functools import partial
from pathlib import Path

from app.cli.audit import on_record
from app.instance.instance import (
    embedded_servers,
    only_instance,
    prepare,
    publish_addresses,
    with_servers,
    withdraw_addresses,
)
from app.instance.logs import log_file
from app.instance.stopping import stop_requested
from app.instance.supervisor import Child, child_environment, supervise
from app.process import ROLES
from app.serving.http_server import listen
from app.serving.tls import certificate_files
from app.settings import Settings, redacted, variable
from app.wiring import token_issuer
from domain.access.rights import EVERY_COMPANY, Role, Tier
from eventlog.tasks import end, keep, start

Print = Callable[[str], None]

PEOPLE: Mapping[str, tuple[Role, str]] = {
    "dashboards": (Role.VIEWER, "a viewer of every company"),
    "admin": (Role.ADMIN, "commands of every company"),
    "auditor": (Role.AUDITOR, "history and verification"),
    "engineer": (Role.ENGINEER, "projections and quarantine"),
}

logger = logging.getLogger(__name__)


async def up(settings: Settings, say: Print, *, demo: bool = False) -> None:
    """Run the instance of the data folder until it is told to stop; returns once all has drained.

    Raises Conflict while another instance of the folder runs, Invalid for certificate files that are none, Unavailable.
    """
    certificate_files(settings)  # what is wrong with them is said before anything starts
    stop = stop_requested()
    with only_instance(settings.data):
        for port in filter(None, (settings.read_port, settings.command_port, settings.grpc_port)):
            listen(settings.host, port).close()  # a port that is taken is said before anything starts
        servers = embedded_servers(settings)
        started = await servers.start()
        watching = start(keep(lambda: servers.watch(logger.warning), "the watch over the servers"), "servers")
        try:
            complete = with_servers(settings, started)
            await prepare(complete)
            async with on_record(complete):
                pass  # from here on: what it does is to run, until it is told to stop
            if demo and not await _load_sample(complete, stop, say):
                return
            tcp = settings.database_url or started.writer_tcp_url
            await _run(complete, tcp, stop, say, demo=demo)
        finally:
            await end(watching)
            await servers.stop()


async def _load_sample(settings: Settings, stop: asyncio.Event, say: Print) -> bool:
    """Say what is real in the sample and load it where that was not done; False if it was told to stop before the end.

    It is in the log before the projectors start: they would only take the processor from each other.
    """
    from app.demo.load import load
    from app.demo.sample import WHAT_IS_REAL

    say(WHAT_IS_REAL)
    return await load(settings, stop)


async def _run(settings: Settings, database: str, stop: asyncio.Event, say: Print, *, demo: bool) -> None:
    """Run the processes; the addresses are there from when all are ready until it stops."""
    children = _children(settings, demo=demo)
    ready = asyncio.Event()
    announcing = start(_announce(settings, database, children, ready, say, demo=demo), "announcing")
    try:
        await supervise(children, stop, ready)
    finally:
        await end(announcing)
        withdraw_addresses(settings.data)


def _children(settings: Settings, *, demo: bool) -> list[Child]:
    settings = replace(settings, database_owner_url="")  # tables are migrated, and no child has to
    values = {variable(setting): getattr(settings, setting.name) for setting in fields(settings)}
    environment = child_environment(values)

    def make(role: str, name: str, port_variable: str | None = None) -> Child:
        options = ("--log-file", str(log_file(settings.data, name)))
        return Child(role, name, environment, port_variable, stuck_seconds=settings.stuck_seconds, options=options)

    children = [make(r.name, r.name, r.port_variable) for r in ROLES.values() if r.port_variable]
    for number in range(1, settings.projectors + 1):
        children.append(make("projector", f"projector-{number}"))
    children += [make(role, role) for role in ("live", "relay", "sealer", "indexer", "scheduler", "alerter")]
    if demo:
        children.append(make("demo", "demo"))
    return children


async def _announce(
    settings: Settings, database: str, children: list[Child], ready: asyncio.Event, say: Print, *, demo: bool
) -> None:
    await ready.wait()
    ports = {child.role: child.port for child in children}
    scheme = "https" if settings.tls_certificate else "http"
    http = {role: f"{scheme}://{settings.host}:{ports[role]}" for role in ("read-api", "command-api")}
    where: dict[str, str | int] = {
        "read_api": http["read-api"],
        "command_api": http["command-api"],
        "pages": http["read-api"],
        "grpc": f"{settings.host}:{ports['grpc']}",
        "nats": settings.nats_url,
        "database": database,
        "pid": os.getpid(),
    }
    if settings.kafka_bootstrap_servers:
        where["kafka"] = settings.kafka_bootstrap_servers
    people = _sign_in(settings, str(where["pages"]), "acme" if demo else "")  # before anybody counts on the addresses
    await keep(partial(_publish, settings.data, where), "writing addresses.json")
    with suppress(OSError):  # nobody reads it any more
        say(f"read API and pages  {where['read_api']}\ncommand API         {where['command_api']}")
        say(f"gRPC                {where['grpc']}\nNATS                {redacted(settings.nats_url)}")
        say(f"data folder         {settings.data}   (other addresses: addresses.json in it)\n\nSign in:")
        for line in people:
            say(line)
        say("\nReady. Ctrl-C stops everything.")


async def _publish(folder: Path, where: Mapping[str, str | int]) -> None:
    publish_addresses(folder, where)


def _sign_in(settings: Settings, pages: str, company: str) -> list[str]:
    """How people sign in. Links hold tokens, which are for a terminal: what goes elsewhere is kept, and read by others.

    `company`: whose figures the page shows at first.
    """
    if sys.stdout.isatty():
        return sign_in_links(settings, pages, company)
    roles = ", ".join(role.value for role, _ in PEOPLE.values())
    return [f"  analytics token --role ROLE --company COMPANY   prints a token (roles {roles}; * is every company)"]


def sign_in_links(settings: Settings, pages: str, company: str = "") -> list[str]:
    """One link for each kind of person. The token is in the fragment, which a browser never sends to a server."""
    issuer = token_issuer(settings)
    first = f"&company={company}" if company else ""
    lines = []
    for name, (role, meaning) in PEOPLE.items():
        token = issuer.issue(name, [role], EVERY_COMPANY, Tier.ENTERPRISE, 3600 * settings.token_hours)
        lines.append(f"  {name:<11} {meaning}\n    {pages}/#token={token}{first}")
    return lines
