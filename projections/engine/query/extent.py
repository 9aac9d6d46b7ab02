"""How far an answer reaches: the period that it is about, and what kept it from being more. Said in every answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from domain.company_calendar import begin_of
from domain.configuration.company import Calendar
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

    def members(self, params: Mapping[str, Any], limits: Iterable[str], by: Calendar) -> dict[str, Any]:
        """What an answer says: `period`, whose bounds are null where they are open, and by what it is `limited`.

        A bound that is a day begins with it, `by` the calendar.
        """
        begin, end = self._period or (params.get("from"), params.get("to"))
        period = {"from": _shown(begin, by), "to": _shown(end, by)}
        return {"period": period, "limited": sorted({*self.limits, *limits})}


def _shown(at: Bound, by: Calendar) -> str | None:
    if at is None:
        return None
    return show_time(at if isinstance(at, datetime) else begin_of(at, by))
