"""Corrections: which minute a report was of that another one replaces, or takes back, a little later."""

from __future__ import annotations

from collections import OrderedDict

from projections.engine.live.folding import Report

MOST = 200_000  # reports that are remembered, of all tenants together: some 20 MB
TAKEN_BACK = -1


class Corrections:
    """The last reports of what can be reported again."""

    def __init__(self) -> None:
        self._minutes: OrderedDict[int, int] = OrderedDict()

    def minutes(self, report: Report) -> list[int] | None:
        """The minutes that a report changes beyond adding to its own; None where that may be any."""
        key = hash((report.window.name, report.company, report.identity))
        before = self._minutes.pop(key, None)
        self._minutes[key] = TAKEN_BACK if report.minute is None else report.minute
        if len(self._minutes) > MOST:
            self._minutes.popitem(last=False)
        if before is None:
            return None if report.minute is None else []
        return [minute for minute in (before, report.minute) if minute not in (None, TAKEN_BACK)]
