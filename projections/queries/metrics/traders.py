"""Users who traded, and those of them who earned: counted in the store, where a query would give a row for each.

Who traded in several currencies earned what that comes to in the company's own, at the rates of its days.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from typing import Any

from domain.metrics.value import Reason
from domain.ports import ReadStore
from projections.engine.query.answer_row import CURRENCY
from projections.engine.query.asked_at import AskedAt
from projections.engine.query.composed import Select
from projections.engine.query.no_amount import NoAmount, NoAmounts
from projections.engine.query.plain import Converted, Statement
from projections.engine.query.rates_used import rate_policy
from projections.engine.query.reporting import Need
from projections.engine.query.request import Request
from projections.exchange_rates import REPORTING

PROFITABLE = "profitable"
TRADERS = """
WITH traders AS (
    SELECT user_id, SUM(total_pnl) AS pnl,
        COALESCE(MIN(NULLIF(currency, '')) <> MAX(NULLIF(currency, '')), false) AS several
    FROM {{trading_by_quarter}} WHERE {where} GROUP BY user_id
)
"""
COUNTED = """
SELECT COUNT(*) AS users, COUNT(*) FILTER (WHERE pnl > 0 AND NOT several) AS profitable,
    COUNT(*) FILTER (WHERE several) AS mixed
FROM traders
"""
OF_SEVERAL = """
SELECT user_id, currency, quarter::date AS day, SUM(total_pnl) AS pnl
FROM {{trading_by_quarter}} WHERE {where} AND user_id IN (SELECT user_id FROM traders WHERE several) GROUP BY 1, 2, 3
"""


def traders(
    company: str,
    span: tuple[datetime | None, datetime | None],
    asked_at: AskedAt,
    rates: Mapping[str, str],
    **only: str,
) -> Select:
    """Their number in the period, and that of those who earned, of trades that have these values of columns."""
    bounds = {
        condition: at for condition, at in zip(("quarter >= %s", "quarter < %s"), span, strict=True) if at is not None
    }
    conditions = ["company_id = %s", *bounds, *(f'"{name}" = %s' for name in only)]
    where, params = " AND ".join(conditions), (company, *bounds.values(), *only.values())
    begun = TRADERS.format(where=where)

    async def converts(_request: Request, store: ReadStore, projection: str, rows: list[dict[str, Any]]) -> Converted:
        (row,) = rows
        if not row["mixed"]:
            return rows, {}
        answer = await store.ask(company, projection, begun + OF_SEVERAL.format(where=where), (*params, *params))
        parts: list[dict[str, Any]] = [dict(zip(answer.columns, part, strict=True)) for part in answer.rows]
        currencies, days = {part[CURRENCY] for part in parts}, [part["day"] for part in parts]
        common = await REPORTING.common(company, store, currencies)
        if common.currency is None:
            return [NoAmounts(row, {PROFITABLE}, Reason.NO_REPORTING_CURRENCY)], {CURRENCY: None}
        policy = rate_policy(rates, span, days, asked_at)
        converter = await REPORTING.converter(company, store, Need(common.currency, currencies, days), policy)
        earned = defaultdict[str, Fraction](Fraction)
        try:
            for part in parts:
                earned[part["user_id"]] += converter.exactly(part[CURRENCY], part["day"], int(part["pnl"]))
        except NoAmount as missing:
            return [NoAmounts(row, {PROFITABLE}, missing.reason)], {CURRENCY: common.currency}
        more = sum(pnl > 0 for pnl in earned.values())
        return [{**row, PROFITABLE: int(row[PROFITABLE]) + more}], converter.said()

    return Select("trading", Statement(begun + COUNTED.format(), params), converts)


def trader_sums(rows: Sequence[dict[str, Any]], _: object) -> dict[str, Any]:
    """Users, and those who earned."""
    return rows[0]
