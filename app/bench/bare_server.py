"""A bare server as a process: our HTTP server with an application that answers the same bytes to everybody.

As a program it says its port: `python -m app.bench.bare_server [BYTES]`.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from app.bench.child import child, first_line

USUAL = 600  # bytes, as a row of totals takes
BODY = b"x" * int(sys.argv[1] if __name__ == "__main__" and sys.argv[1:] else USUAL)
START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(BODY))],
}


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Answer the bytes."""
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    await send(dict(START))
    await send({"type": "http.response.body", "body": BODY})


@asynccontextmanager
async def bare_server(size: int = USUAL) -> AsyncIterator[int]:
    """The port of one that runs for as long as this lasts, and answers so many bytes."""
    async with child("app.bench.bare_server", str(size)) as output:
        yield int(await first_line(output, "the bare server did not start"))


def _main() -> None:
    from app.cli.frame import run
    from app.serving.http_server import serve_http

    run(serve_http(application, "127.0.0.1", 0, asyncio.Event(), _say))


def _say(port: int) -> None:
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    _main()
