"""Values of every required parameter of a registered query, for tests that ask them all. A new one needs a line."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from projections.engine.query.request import Answerable

NEEDED: Mapping[str, str] = MappingProxyType(
    {
        "by": "symbol",
        "currency": "USD",
        "indicator": "sma",
        "interval": "1d",
        "key": "win_rate",
        "metric": "total_pnl",
        "other": "stripe",
        "statistic": "win_rate",
        "steps": "signup,activated",
        "symbol": "AAPL",
        "what": "total_pnl",
    }
)


def needed_by(query: Answerable) -> dict[str, str]:
    """The parameters without which it has no answer."""
    return {p.name: NEEDED[p.name] for p in query.params if p.required}
