"""Every statistic of a record."""

from __future__ import annotations

from collections.abc import Mapping

from domain.metrics.trading.catalogue import STATISTICS, Answer, Convention, answer
from domain.metrics.trading.record import TradingRecord


def answers(record: TradingRecord, convention: Convention = Convention.CANONICAL) -> Mapping[str, Answer]:
    """By key."""
    return {key: answer(key, record, convention) for key in STATISTICS}
