"""The role `sealer`: seals the log and signs checkpoints; a second one in the same data folder stands by."""

from __future__ import annotations

import asyncio

from app import wiring
from app.role import Ready, Role
from app.settings import Settings

STAND_BY = 2.0  # seconds between two looks of a role that another process has at the moment


async def serve(settings: Settings, stop: asyncio.Event, ready: Ready) -> None:
    """Serve until `stop`."""
    from adapters.files.checkpoint_key import key_id, signing_key
    from app.evidence import checkpoint_files, only_sealer
    from domain.events.catalogue import STREAMS
    from eventlog.seals.sealer import Sealer, waited

    key = signing_key(wiring.keys(settings))
    ready(0)
    while not stop.is_set():
        with only_sealer(settings) as alone:
            if not alone:
                await waited(stop, STAND_BY)
                continue
            async with wiring.event_log(settings) as log, wiring.seals(settings) as seals:
                files, name = checkpoint_files(settings), key_id(key.public_key())
                await Sealer(log, seals, files, name, key.sign, settings.seal_seconds).run(STREAMS, stop)


ROLE = Role("sealer", "seals the log against tampering and signs checkpoints", serve, nice=10)
