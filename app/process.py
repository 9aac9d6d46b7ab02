"""One process: the roles that it serves."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from app import wiring
from app.role import Role
from app.roles import alerter, command_api, demo, grpc, indexer, live, projector, read_api, relay, scheduler, sealer
from app.settings import Settings
from domain.events import upcasting

ROLES: Mapping[str, Role] = MappingProxyType(
    {
        module.ROLE.name: module.ROLE
        for module in (read_api, command_api, grpc, projector, live, relay, sealer, indexer, scheduler, alerter, demo)
    }
)


async def serve(names: list[str], settings: Settings, stop: asyncio.Event, ready: Callable[[str, int], None]) -> None:
    """Serve these roles in this process until `stop`; the first that fails stops the others and is raised."""

    upcasting.check()
    os.setpriority(os.PRIO_PROCESS, 0, max(os.getpriority(os.PRIO_PROCESS, 0), min(ROLES[name].nice for name in names)))

    async def one(name: str) -> Any:
        try:
            await ROLES[name].serve(settings, stop, lambda port: ready(name, port))
        finally:
            stop.set()

    with wiring.spans(settings, "+".join(names)):
        outcomes = await asyncio.gather(*(one(name) for name in names), return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
