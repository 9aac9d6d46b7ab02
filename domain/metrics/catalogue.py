"""The catalogue: every metric there is, each once, by its key."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from domain.errors import NotFound
from domain.metrics.catalogue_acquisition import ACQUISITION
from domain.metrics.catalogue_engagement import ENGAGEMENT
from domain.metrics.catalogue_operations import SATISFACTION, SYSTEM
from domain.metrics.catalogue_revenue import REVENUE
from domain.metrics.catalogue_trading import TRADING
from domain.metrics.metric import Metric, by_key
from domain.suggestion import LONGEST, did_you_mean

METRICS: Mapping[str, Metric] = MappingProxyType(
    by_key((*REVENUE, *ACQUISITION, *ENGAGEMENT, *TRADING, *SYSTEM, *SATISFACTION))
)


def metric(key: str) -> Metric:
    """The entry of that key. Raises NotFound."""
    if key not in METRICS:
        raise NotFound(
            f"no metric is called {key[:LONGEST]!r}{did_you_mean(key, METRICS)}",
            code="unknown_metric",
            suggested_actions=("List them with `analytics metrics` or GET /api/v1/metrics.",),
        )
    return METRICS[key]
