"""Burn rates: how fast the error budget is used up, in a long window and a short one together, and whether to act."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from msgspec import field

from domain.metrics.operations.service import WINDOWS, Window, burn_rate, burns
from domain.metrics.value import Stat
from projections.engine.query.answer_row import AnswerRow, Rows, or_reasons
from projections.engine.query.composed import Composed, Part
from projections.engine.query.formatting import show_time
from projections.engine.query.params import Param, read_time
from projections.engine.query.request import Request
from projections.queries.metrics.assumptions import OBJECTIVE

FILTERS = tuple(Param(name, f"only operations of this {name}") for name in ("service", "operation"))


class BurnRate(AnswerRow, kw_only=True):
    """How many times faster than allowed the error budget is used up in a window and in its short one, and whether
    both are above the threshold.
    """

    window: str
    long_seconds: int
    short_seconds: int
    long: float | None
    short: float | None
    threshold: float
    burning: bool
    reasons: dict[str, str] = field(default_factory=dict)


def _parts(request: Request) -> Mapping[str, Part]:
    """Operations of the last seconds of each window, up to the last minute that is over."""
    at: datetime = request.get("at") or request.asked_at.exact
    end = at.replace(second=0, microsecond=0)
    filters = {param.name: request.get(param.name) for param in FILTERS if request.get(param.name) is not None}
    spans = dict.fromkeys(seconds for window in WINDOWS.values() for seconds in window[:2])
    return {
        str(seconds): Part(
            "operations", {"from": show_time(end - timedelta(seconds=seconds)), "to": show_time(end), **filters}
        )
        for seconds in spans
    }


def _combine(request: Request, rows: Mapping[str, Rows]) -> list[BurnRate]:
    objective = request.get(OBJECTIVE.name, 0.999)

    def rate(seconds: int) -> Stat:
        (row,) = rows[str(seconds)]
        return burn_rate(row["errors"], row["count"], objective)

    return [_row(name, window, rate(window.long), rate(window.short)) for name, window in WINDOWS.items()]


def _row(name: str, window: Window, long: Stat, short: Stat) -> BurnRate:
    return BurnRate(
        window=name,
        long_seconds=window.long,
        short_seconds=window.short,
        **or_reasons(long=long, short=short),
        threshold=window.threshold,
        burning=burns(long, short, window),
    )


BURN_RATES = Composed(
    "burn_rates",
    "How fast the error budget is used up, in 1 h with 5 m, 6 h with 30 m and 3 d with 6 h, and where to act.",
    (Param("at", "the end of all windows; now without it", read_time), OBJECTIVE, *FILTERS),
    _parts,
    _combine,
    BurnRate,
    any_zone=True,
)
