"""The role `alerter`: evaluates alert rules on what is final, and tells people; any number share the work."""

from __future__ import annotations

import asyncio
import os
import socket
from functools import partial
from typing import TYPE_CHECKING

from app import wiring
from app.role import Ready, Role
from app.roles.scheduler import base_url, now
from app.settings import Settings

if TYPE_CHECKING:
    from domain.alerting.notices import Notice


async def serve(settings: Settings, stop: asyncio.Event, ready: Ready) -> None:
    """Serve until `stop`."""
    from adapters.postgres.tables.tiers import PostgresTiers
    from app.read_side.services import read_services
    from read_api.alerts.alerter import Alerter, Evaluator
    from read_api.alerts.values import Reader

    holder = f"{socket.gethostname()}:{os.getpid()}"
    async with (
        read_services(settings) as (side, log),
        wiring.alerts(settings) as store,
        PostgresTiers(settings.database_url).followed() as tiers,
    ):
        reader = Reader(side.questions, tiers)
        evaluator = Evaluator(store, reader, side.statuses.complete_to, holder=holder, now=now)
        alerter = Alerter(
            store,
            evaluator,
            log,
            wiring.deliveries(settings),
            holder=holder,
            now=now,
            lease=settings.lease_seconds,
            link=partial(link, settings),
        )
        ready(0)
        await alerter.run(stop)


def link(settings: Settings, notice: Notice) -> str:
    """The page of a rule, for who may see it."""
    return f"{base_url(settings)}/admin/alerts/{notice.rule_id}?company={notice.company}"


ROLE = Role("alerter", "evaluates alert rules, and tells people", serve, nice=6)
