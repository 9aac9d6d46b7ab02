"""The process of the caretaker: looks whether anybody works with the servers, and stops them once nobody does."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

from adapters.servers.users import locked, users_lock
from domain.errors import AnalyticsError

LOOK = 1.0  # seconds between two looks
PATIENCE = 6  # looks at which nobody uses the servers: whoever was killed leaves children that drain, or comes back


def _watch(directory: Path) -> None:
    """Look until nobody uses the servers for a while, and stop them; end also when the folder is gone."""
    unused = 0
    while (directory / "run").is_dir():
        time.sleep(LOOK)
        with users_lock(directory) as users:
            unused = unused + 1 if locked(users) else 0
        if unused >= PATIENCE and _stopped(directory):
            return


def _stopped(directory: Path) -> bool:
    from adapters.servers.servers import Servers  # with a driver, which this process does without until then

    try:
        return asyncio.run(Servers(directory).stop_unused())
    except AnalyticsError as error:
        sys.stderr.write(f"cannot stop the servers, trying again: {error}\n")
        return False


if __name__ == "__main__":
    _watch(Path(sys.argv[1]))
