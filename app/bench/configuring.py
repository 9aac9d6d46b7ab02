"""From a command that was accepted to its effect in a read: event store → relay → log → projector → read API.

One client commands and reads what it has written, with the command's position token, again and again.
"""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import closing

from app.bench.environment import Ground
from app.bench.http import Connection
from app.bench.instance import Instance
from domain.access.rights import Role

DASHBOARDS = "/api/v1/dashboard/config"
QUERY = "?company=bench"
JSON = "application/json"


async def measure(ground: Ground, instance: Instance) -> None:
    """Report the times from accepted to visible, beside those of the bare read."""
    await asyncio.to_thread(_measure, ground, instance)


def _measure(ground: Ground, instance: Instance) -> None:
    token = instance.token(Role.ADMIN)
    with (
        closing(Connection(instance.address("command_api"), token)) as commands,
        closing(Connection(instance.address("read_api"), token)) as reads,
    ):
        created = json.loads(commands.post(f"{DASHBOARDS}{QUERY}", b'{"name": "first"}', JSON))
        path = f"{DASHBOARDS}/{created['id']}"
        times, floor = [], []
        for number in range(max(20, ground.scale.reads // 5)):
            renamed = commands.post(f"{path}/rename{QUERY}", json.dumps({"name": f"n{number}"}).encode(), JSON)
            accepted = time.perf_counter()
            position = json.loads(renamed)["position"]
            shown = json.loads(reads.get(f"{path}{QUERY}", {"X-Min-Position": position}))
            seen = time.perf_counter()
            assert shown["name"] == f"n{number}", "an older answer was passed off as the new one"
            reads.get(f"{path}{QUERY}")
            times.append(1000 * (seen - accepted))
            floor.append(1000 * (time.perf_counter() - seen))
    note = "from a command's answer to a read that has its effect (floor: the read alone)"
    ground.report_times("own_write", times, floor, note)
