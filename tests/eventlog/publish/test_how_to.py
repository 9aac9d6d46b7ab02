"""The code in docs/how-to/publish-events.md works as written."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path

from adapters.servers.servers import Addresses
from domain.ports import EventLog
from tests.eventlog.publish.samples import logged

ROOT = Path(__file__).parents[3]


async def test_the_example_publishes_an_event(database_url: str, servers: Addresses, log: EventLog) -> None:
    """Run as a program of its own, it prints a receipt of both lanes, and the event is in the log."""
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs/how-to/publish-events.md").read_text(), re.DOTALL)
    environ = os.environ | {"ANALYTICS_DATABASE_URL": database_url, "ANALYTICS_NATS_URL": servers.nats_url}
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, cwd=ROOT, env=environ, stdout=asyncio.subprocess.PIPE
    )
    printed, _ = await program.communicate()
    assert program.returncode == 0
    assert printed.startswith(b"True True Placed(topic='trading-events'")
    assert [envelope.user_id for envelope in await logged(log)] == ["u1"]
