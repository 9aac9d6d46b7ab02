"""Users who traded, and those of them who earned: counted in the store, where a query would give a row for each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from domain.metrics.value import Reason
from projections.engine.query.composed import Select
from projections.engine.query.plain import Statement
from projections.engine.query.reporting import NoAmounts

TRADERS = """
SELECT COUNT(*) AS users, COUNT(*) FILTER (WHERE pnl > 0) AS profitable, COUNT(*) FILTER (WHERE several) AS mixed
FROM (SELECT SUM(total_pnl) AS pnl, MIN(NULLIF(currency, '')) <> MAX(NULLIF(currency, '')) AS several
    FROM {trading_by_quarter} WHERE company_id = %s AND quarter >= %s AND quarter < %s GROUP BY user_id) AS users
"""


def traders(company: str, bounds: tuple[datetime, datetime]) -> Select:
    """Their number in the period, of those who earned, and of those who traded in several currencies."""
    return Select("trading", Statement(TRADERS, (company, *bounds)))


def trader_sums(rows: Sequence[dict[str, Any]], _: object) -> dict[str, Any]:
    """Users, and those who earned; the latter not where somebody traded in several currencies."""
    (row,) = rows
    return NoAmounts(row, {"profitable"}, Reason.MIXED_CURRENCIES) if row["mixed"] else row
