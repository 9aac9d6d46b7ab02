"""How old an answer may be, as callers of every door say it: in texts named `max_staleness` and `force_refresh`."""

from __future__ import annotations

from domain.errors import Invalid
from domain.whole_number import whole_number
from read_api.answers.cache import Freshness

MAX_STALENESS, FORCE_REFRESH = "max_staleness", "force_refresh"
LONGEST_STALENESS = 3_600  # seconds


def read_freshness(staleness: str, force: str) -> Freshness:
    """What the two texts say. Raises Invalid for others than they may have."""
    try:
        seconds = whole_number(staleness, 0, LONGEST_STALENESS)
    except ValueError:
        raise Invalid(f"{MAX_STALENESS} is 0 to {LONGEST_STALENESS} whole seconds", code="bad_parameter") from None
    if force not in ("true", "false"):
        raise Invalid(f"{FORCE_REFRESH} is true or false", code="bad_parameter")
    return Freshness(float(seconds), force == "true")
