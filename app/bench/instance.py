"""A whole instance to be measured from outside: `analytics up` in a folder of its own, on free ports."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from app.instance.instance import with_addresses
from app.settings import Settings
from app.wiring import token_issuer
from domain.access.rights import EVERY_COMPANY, Role, Tier
from domain.errors import Unavailable

READY_SECONDS = 90.0


@dataclass(slots=True)
class Instance:
    """A running instance."""

    settings: Settings
    addresses: dict[str, str]
    process: asyncio.subprocess.Process

    def token(self, role: Role) -> str:
        """A bearer token for every company."""
        return token_issuer(self.settings).issue("bench", [role], EVERY_COMPANY, Tier.ENTERPRISE, 3_600)

    def address(self, name: str) -> tuple[str, int]:
        """Host and port of an HTTP API."""
        parts = urlsplit(self.addresses[name])
        return str(parts.hostname), int(parts.port or 80)

    def resident(self) -> dict[str, float]:
        """Megabytes of memory that each measured process holds; empty where the system has no /proc."""
        page = os.sysconf("SC_PAGE_SIZE") / 2**20
        return {role: page * int(self._read(folder, "statm").split()[1]) for role, folder in self._processes()}

    def cpu_seconds(self, role: str) -> float:
        """Seconds of processor time that a role's processes have taken so far; 0 where the system has no /proc."""
        stats = [self._read(folder, "stat") for name, folder in self._processes() if name == role]
        ticks = sum(int(field) for stat in stats for field in stat.rpartition(")")[2].split()[11:13])
        return ticks / os.sysconf("SC_CLK_TCK")

    def _processes(self) -> Iterator[tuple[str, Path]]:
        """The roles' processes by role, with their folders of /proc."""
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                parent = int(self._read(folder, "stat").rpartition(")")[2].split()[1])
                command = (folder / "cmdline").read_bytes().split(b"\0")
            except (OSError, IndexError):  # it has ended meanwhile
                continue
            if parent == self.process.pid and b"serve" in command:
                yield command[command.index(b"serve") + 1].decode(), folder

    @staticmethod
    def _read(folder: Path, name: str) -> str:
        return (folder / name).read_text()


@asynccontextmanager
async def running_instance(folder: Path) -> AsyncIterator[tuple[Instance, float]]:
    """An instance in this folder, and the seconds until it was ready; it has drained when this ends."""
    ports = {f"ANALYTICS_{name}_PORT": "0" for name in ("READ", "COMMAND", "GRPC", "NATS")}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ANALYTICS_")}
    began = time.perf_counter()
    command = [sys.executable, "-m", "app.cli", "up", "--data", str(folder)]
    with (folder.parent / "up.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *command, env={**kept, **ports, "ANALYTICS_LOG_LEVEL": "WARNING"}, stdout=log, stderr=log
        )
    try:
        addresses = await _ready(folder, process)
        seconds = time.perf_counter() - began
        yield Instance(with_addresses(Settings(data=folder), addresses), addresses, process), seconds
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


async def _ready(folder: Path, process: asyncio.subprocess.Process) -> dict[str, str]:
    deadline = time.perf_counter() + READY_SECONDS
    told = folder / "addresses.json"
    while not told.exists():
        if process.returncode is not None or time.perf_counter() > deadline:
            text = (folder.parent / "up.log").read_text(errors="replace")
            raise Unavailable(f"the instance to be measured did not start: {text[-2000:]}")
        await asyncio.sleep(0.02)
    found: dict[str, str] = json.loads(told.read_text())
    return found
