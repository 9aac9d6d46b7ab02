"""Health of the command API: whether it lives, whether what it needs answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from importlib.metadata import PackageNotFoundError, version

from domain.errors import AnalyticsError
from eventlog.shared_call import SharedCall

Check = Callable[[], Awaitable[object]]
PATIENCE = 1.0  # seconds for each check


class Health:
    """Asks each component; `needed` are those without which no event can be taken.

    `checks`: name (log, bus, event-store) → a call that raises when the component does not answer.
    """

    def __init__(self, checks: Mapping[str, Check], needed: frozenset[str] = frozenset({"log"})) -> None:
        self._checks = {name: SharedCall(check, "it", PATIENCE) for name, check in checks.items()}
        self._needed = needed
        self._started = time.monotonic()

    async def __call__(self) -> dict[str, object]:
        """The answer of `GET /api/v1/health`."""
        details = await asyncio.gather(*(_detail(check) for check in self._checks.values()))
        components = [
            {"name": name, "status": "down" if detail else "ok", "detail": detail}
            for name, detail in zip(self._checks, details, strict=True)
        ]
        ready = not any(c["status"] == "down" and c["name"] in self._needed for c in components)
        return {
            "live": True,
            "ready": ready,
            "version": _version(),
            "uptime_seconds": round(time.monotonic() - self._started, 1),
            "components": components,
        }


async def _detail(check: Check) -> str:
    try:
        await check()
    except (AnalyticsError, OSError) as error:
        return str(error) or type(error).__name__
    return ""


def _version() -> str:
    try:
        return version("trading-analytics-service")
    except PackageNotFoundError:
        return "unknown"
