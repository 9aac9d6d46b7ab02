"""How far an answer reaches: the period that it is about, and what kept it from being more. Said in every answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from projections.engine.query.formatting import show_time

LIMIT = "limit"  # more rows than were asked for: the first ones are shown
TIER = "tier"  # the tier sees no more of the past
Bound = date | datetime | None  # None: open


class Extent:
    """Noted while one question is answered: its period where that is not `from` and `to`, and what cut its rows."""

    __slots__ = ("_period", "limits")

    def __init__(self) -> None:
        self._period: tuple[Bound, Bound] | None = None
        self.limits: set[str] = set()

    def reaches(self, begin: Bound, end: Bound) -> None:
        """The answer is about this period, which the question left open."""
        self._period = begin, end

    def members(self, params: Mapping[str, Any], limits: Iterable[str]) -> dict[str, Any]:
        """What an answer says: `period`, whose bounds are null where they are open, and by what it is `limited`."""
        begin, end = self._period or (params.get("from"), params.get("to"))
        return {"period": {"from": _shown(begin), "to": _shown(end)}, "limited": sorted({*self.limits, *limits})}


def _shown(at: Bound) -> str | None:
    if at is None:
        return None
    return show_time(at if isinstance(at, datetime) else datetime(at.year, at.month, at.day, tzinfo=UTC))
