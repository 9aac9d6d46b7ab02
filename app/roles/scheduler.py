"""The role `scheduler`: makes the reports of schedules when they are due, and sends them; any number share the work."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from functools import partial

from app import wiring
from app.role import Ready, Role
from app.settings import Settings
from domain.reports.report import StoredReport


async def serve(settings: Settings, stop: asyncio.Event, ready: Ready) -> None:
    """Serve until `stop`."""
    from adapters.postgres.tables.tiers import PostgresTiers
    from app.read_side.services import read_services
    from read_api.schedules.running import Runner
    from read_api.schedules.scheduler import Scheduler

    holder, lease = f"{socket.gethostname()}:{os.getpid()}", settings.lease_seconds
    async with (
        read_services(settings) as (side, _),
        wiring.schedule_runs(settings) as store,
        PostgresTiers(settings.database_url).followed() as tiers,
    ):
        runner = Runner(
            store,
            side.reports,
            wiring.deliveries(settings),
            tiers,
            holder=holder,
            now=now,
            link=partial(link, settings),
        )
        ready(0)
        await Scheduler(store, runner, holder, now, lease).run(stop)


def now() -> int:
    """Ms since 1970 UTC."""
    return time.time_ns() // 1_000_000


def link(settings: Settings, report: StoredReport) -> str:
    """The page of a report, for who may see it."""
    return f"{base_url(settings)}/reports/{report.report_id}?company={report.company_id}"


def base_url(settings: Settings) -> str:
    """Where people reach the pages."""
    scheme = "https" if settings.tls_certificate else "http"
    return settings.public_url.rstrip("/") or f"{scheme}://{settings.host}:{settings.read_port}"


ROLE = Role("scheduler", "makes and sends the reports of schedules", serve, nice=8)
