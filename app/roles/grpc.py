"""The role `grpc`: all RPCs: the read side's and the write side's handlers behind one port."""

from __future__ import annotations

import asyncio

from app.read_side.services import read_services
from app.role import Ready, Role
from app.settings import Settings


async def serve(settings: Settings, stop: asyncio.Event, ready: Ready) -> None:
    """Serve until `stop`."""
    from app.evidence import evidence
    from app.publisher import ingest
    from app.serving.gate import Gate
    from app.serving.grpc_server import Tls, grpc_server
    from app.serving.tls import certificate_files
    from command_api.grpc_publish import publishing
    from read_api.answers.verification import LogVerification
    from read_api.grpc import handlers
    from read_api.grpc.verify import verifying

    files = certificate_files(settings)
    async with read_services(settings) as (side, log), ingest(settings) as doors, evidence(settings) as kept:
        reading = handlers(side)
        server = grpc_server(
            [reading, {"VerifyLog": verifying(LogVerification(log, kept))}, {"Publish": publishing(doors, side.rates)}],
            Gate(side.authenticate, side.trail, side.rates),
            address=f"{settings.host}:{settings.grpc_port}",
            tls=Tls(*files.read()) if files else None,
        )
        await server.start()
        ready(server.port)
        await stop.wait()
        await server.stop(2.0)


ROLE = Role("grpc", "all RPCs", serve, "ANALYTICS_GRPC_PORT")
