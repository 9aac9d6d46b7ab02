"""The value of each metric of the catalogue, from sums that its sources give.

Sums are whole numbers: money in trillionths, MRR in twelfths of a trillionth. A value is whole, an exact fraction, a
number, or the reason why there is none. Imports numpy: whoever answers with it imports it then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from types import MappingProxyType
from typing import Any

from domain.decimals import ONE
from domain.metrics.acquisition import efficiency
from domain.metrics.acquisition.efficiency import visitor_to_signup_rate
from domain.metrics.engagement import usage
from domain.metrics.engagement.activity import stickiness
from domain.metrics.engagement.lifecycle import pulse
from domain.metrics.operations import service
from domain.metrics.revenue import outlook, rates
from domain.metrics.revenue.flows import Flows
from domain.metrics.revenue.payments import Takings
from domain.metrics.revenue.retained import Retained
from domain.metrics.satisfaction import support, surveys
from domain.metrics.trading.profitable_user_share import profitable_user_share
from domain.metrics.value import Reason, Stat, has_value, ratio

Value = Stat | Fraction
Sums = Mapping[str, Any]
NOTHING: Sums = MappingProxyType({})
KINDS_OF_USERS = ("new", "returning", "resurrected", "dormant")
KINDS = ("new", "expansion", "contraction", "churned", "reactivated")


@dataclass(frozen=True)
class Assumptions:
    """What whoever asks may say: gross margin, net burn in units of money, profit margin, objective, T of apdex."""

    margin: float = 1.0
    burn: float | None = None
    profit_margin: float | None = None
    objective: float = 0.999
    threshold_ms: float = 500.0


@dataclass(frozen=True)
class MetricInputs:
    """What the sources gave for one period; `seconds` and `months` say how much of it is over, None of an open one.

    The seconds are counted when they are asked for: an answer that rests on them is right for a moment alone.
    """

    sums: Mapping[str, Sums]
    seconds: Callable[[], float | None] = lambda: None
    assumptions: Assumptions = field(default_factory=Assumptions)
    months: float | None = None

    def __getitem__(self, source: str) -> Sums:
        return self.sums.get(source, NOTHING)

    def whole(self, source: str, name: str) -> int:
        """One sum, in the units of its source; 0 where there is nothing."""
        return int(self[source].get(name) or 0)

    def flows(self, source: str = "mrr_movements") -> Flows:
        """MRR at the start and what moved."""
        sums = [self.whole(source, f"{kind}_{of}") for of in ("mrr", "count") for kind in KINDS]
        return Flows(self.whole(source, "start_mrr"), *sums)._replace(currency=self.whole(source, "currency_mrr"))

    @property
    def retained(self) -> Retained:
        """What became of those who were customers at the start."""
        names = ("start_mrr", "retained_mrr", "kept_mrr", "start_customers", "churned_customers")
        return Retained(*(self.whole("mrr_retained", name) for name in names))

    @property
    def takings(self) -> Takings:
        """Payments of the period."""
        return Takings(**{name: self.whole("payment_totals", name) for name in Takings._fields})

    @property
    def churn_rate(self) -> Stat:
        """Customer churn."""
        return rates.customer_churn_rate(self.retained.churned, self.retained.customers)

    @property
    def monthly_churn_rate(self) -> Stat:
        """Customer churn as that of a month."""
        return rates.monthly_churn_rate(self.churn_rate, self.months)

    @property
    def ltv(self) -> Stat:
        """Lifetime value at margin, in trillionths."""
        return rates.customer_ltv(self.arpa, self.monthly_churn_rate, self.assumptions.margin)

    @property
    def arpa(self) -> Stat:
        """MRR over paying customers, in trillionths."""
        end, customers = (self.whole("mrr_retained", f"end_{of}") for of in ("mrr", "customers"))
        return rates.arpa(end, 12 * customers)

    @property
    def cac(self) -> Stat:
        """Cost over new customers."""
        cost = self.cost()
        return efficiency.cac(cost, self.flows().new_count) if has_value(cost) else cost

    def cost(self, period: str = "") -> Stat:
        """What was spent to win customers, in trillionths; NOT_REPORTED where nobody has ever said it."""
        costs, ever = f"acquisition_costs{period}", f"acquisition_ever{period}"
        amount = self.whole(costs, "costs") or self.whole(ever, "ever")
        return self.whole(costs, "cost") if amount else Reason.NOT_REPORTED

    @property
    def scores(self) -> Mapping[str, Mapping[float, int]]:
        """How many answers by survey and score."""
        answers: Mapping[str, Mapping[float, int]] = self["survey_answers"]
        return answers


Formula = Callable[[MetricInputs], Value]


def money(twelfths: int) -> Fraction:
    """Twelfths of a trillionth as trillionths."""
    return Fraction(twelfths, 12)


def mean(total: int, count: int, reason: Reason) -> Value:
    """An exact mean."""
    return Fraction(total, count) if count else reason


def in_trillionths(stat: Stat) -> Stat:
    """A number of twelfths of a trillionth as trillionths."""
    return stat / 12 if has_value(stat) else stat


def _standing(inputs: MetricInputs) -> list[outlook.Standing]:
    owing = frozenset(inputs["owing_customers"].get("owing", ()) or ())
    customers = inputs["customer_mrr"].get("customers", ())
    later = {row["customer_id"]: int(row["scheduled"]) for row in inputs["customers_scheduled"].get("customers", ())}
    mrr = {row["customer_id"]: int(row["start_mrr"]) for row in customers}
    return [outlook.Standing(now, now + later.get(name, 0), name in owing) for name, now in mrr.items()]


REVENUE: Mapping[str, Formula] = {
    "mrr": lambda f: money(f.flows().end),
    **{f"{kind}_mrr": lambda f, kind=kind: money(getattr(f.flows(), kind)) for kind in KINDS},  # type: ignore[misc]  # bound now
    "net_new_mrr": lambda f: money(f.flows().net_new),
    "currency_mrr": lambda f: money(f.flows().currency),
    "arr": lambda f: money(rates.arr(f.flows().end)),
    "mrr_growth_rate": lambda f: rates.mrr_growth_rate(f.flows()),
    "gross_mrr_churn_rate": lambda f: rates.gross_mrr_churn_rate(f.flows()),
    "net_mrr_churn_rate": lambda f: rates.net_mrr_churn_rate(f.flows()),
    "quick_ratio": lambda f: rates.quick_ratio(f.flows()),
    "average_sale_price": lambda f: in_trillionths(rates.average_sale_price(f.flows())),
    "new_customers": lambda f: f.flows().new_count,
    "cmrr": lambda f: money(f.flows().end + f.whole("mrr_scheduled", "scheduled")),
    "grr": lambda f: f.retained.grr,
    "nrr": lambda f: f.retained.nrr,
    "arpa": lambda f: f.arpa,
    "customers": lambda f: f.whole("mrr_retained", "end_customers"),
    "churned_customers": lambda f: f.retained.churned,
    "customer_churn_rate": lambda f: f.churn_rate,
    "customer_retention_rate": lambda f: rates.customer_retention_rate(f.retained.churned, f.retained.customers),
    "mean_customer_life": lambda f: rates.mean_customer_life(f.monthly_churn_rate),
    "customer_ltv": lambda f: rates.customer_ltv(f.arpa, f.monthly_churn_rate),
    "ltv_margin": lambda f: f.ltv,
    "revenue_at_risk": lambda f: in_trillionths(
        outlook.revenue_at_risk(f.whole("mrr_retained", "end_mrr"), f.churn_rate)
    ),
    "top10_concentration": lambda f: ratio(
        f.whole("mrr_retained", "top10_mrr"), f.whole("mrr_retained", "end_mrr"), Reason.NO_DATA
    ),
    "revenue_hhi": lambda f: ratio(
        f.whole("mrr_retained", "squares"), f.whole("mrr_retained", "end_mrr") ** 2, Reason.NO_DATA
    ),
    **{
        f"{way}grade_rate": lambda f, way=way: ratio(  # type: ignore[misc]  # bound now
            f.whole("mrr_retained", f"{way}graded_customers"), f.retained.customers, Reason.NO_DATA
        )
        for way in ("up", "down")
    },
    "arpu": lambda f: rates.arpa(f.flows().end, 12 * f.whole("user_lifecycle", "active")),
    "mrr_at_risk": lambda f: money(outlook.mrr_at_risk(_standing(f))),
    "deferred_revenue": lambda f: f.whole("subscriptions", "deferred"),
    "gross_revenue": lambda f: f.takings.gross_revenue,
    "net_revenue": lambda f: f.takings.net_revenue,
    "refund_rate": lambda f: f.takings.refund_rate,
    "failed_charge_rate": lambda f: ratio(
        f.whole("invoices", "failed"), f.whole("invoices", "charged"), Reason.NO_DATA
    ),
    "dunning_recovery_rate": lambda f: ratio(
        f.whole("invoices", "recovered"), f.whole("invoices", "decided"), Reason.NO_DATA
    ),
}


def _year_growth(inputs: MetricInputs) -> Value:
    margin = inputs.assumptions.profit_margin
    growth = rates.mrr_growth_rate(inputs.flows("mrr_year"))
    return efficiency.rule_of_40(growth, Reason.NOT_REPORTED if margin is None else margin)


def _burn_multiple(inputs: MetricInputs) -> Value:
    if inputs.assumptions.burn is None:
        return Reason.NOT_REPORTED
    return efficiency.burn_multiple(inputs.assumptions.burn, float(money(inputs.flows().net_new)) / ONE)


ACQUISITION: Mapping[str, Formula] = {
    "signups": lambda f: f.whole("user_firsts", "signups"),
    "signup_growth": lambda f: rates.growth(
        f.whole("user_firsts", "signups"), f.whole("user_firsts_before", "signups")
    ),
    "visitor_to_signup_rate": lambda f: visitor_to_signup_rate(
        f.whole("user_firsts", "signups"), f.whole("user_lifecycle", "active")
    ),
    "activation_rate": lambda f: ratio(
        f.whole("user_firsts", "activated"), f.whole("user_firsts", "decided"), Reason.NO_DATA
    ),
    "time_to_value": lambda f: _number(f["user_firsts"].get("time_to_value")),
    "trial_conversion_rate": lambda f: ratio(
        f.whole("trials", "converted"), f.whole("trials", "begun"), Reason.NO_DATA
    ),
    "trial_conversion_rolling_30d": lambda f: ratio(
        f.whole("trials", "converted_30d"), f.whole("trials", "begun_30d"), Reason.NO_DATA
    ),
    "acquisition_cost": lambda f: f.cost(),
    "cac": lambda f: f.cac,
    "cac_payback_months": lambda f: efficiency.cac_payback_months(f.cac, f.arpa, f.assumptions.margin),
    "ltv_to_cac": lambda f: efficiency.ltv_to_cac(f.ltv, f.cac),
    "magic_number": lambda f: efficiency.magic_number(float(money(f.flows().net_new)), f.cost("_before")),
    "burn_multiple": _burn_multiple,
    "rule_of_40": _year_growth,
}


def _number(value: Any) -> Stat:
    return Reason.NO_DATA if value is None else float(value)


ENGAGEMENT: Mapping[str, Formula] = {
    "active_users": lambda f: f.whole("user_lifecycle", "active"),
    **{w: lambda f, w=w: f.whole("user_windows", w) for w in ("dau", "wau", "mau")},  # type: ignore[misc]  # bound now
    "stickiness": lambda f: stickiness(f.whole("user_windows", "dau"), f.whole("user_windows", "mau")),
    **{
        f"{kind}_users": lambda f, kind=kind: f.whole("user_lifecycle", kind)  # type: ignore[misc]  # bound now
        for kind in KINDS_OF_USERS
    },
    "pulse": lambda f: pulse(*(f.whole("user_lifecycle", kind) for kind in KINDS_OF_USERS)),
    **{
        name: lambda f, name=name: f.whole("activity", name)  # type: ignore[misc]  # bound now
        for name in ("sessions", "page_views", "impressions", "clicks", "feature_uses", "conversions")
    },
    "click_through_rate": lambda f: usage.click_through_rate(
        f.whole("activity", "clicks"), f.whole("activity", "impressions")
    ),
    "conversion_rate": lambda f: usage.conversion_rate(
        f.whole("activity", "conversions"), f.whole("activity", "sessions")
    ),
    "sessions_per_user": lambda f: usage.sessions_per_user(
        f.whole("activity", "sessions"), f.whole("user_lifecycle", "active")
    ),
    "median_session_minutes": lambda f: _number(f["sessions"].get("median_minutes")),
    "feature_adoption_rate": lambda f: ratio(
        f.whole("feature_usage", "users"), f.whole("user_lifecycle", "active"), Reason.NO_DATA
    ),
    "feature_depth": lambda f: ratio(
        f.whole("feature_usage", "features"), f.whole("feature_usage", "users"), Reason.NO_DATA
    ),
}


def _trades(inputs: MetricInputs, name: str) -> int:
    return inputs.whole("trading_totals", name)


def _extreme(inputs: MetricInputs, name: str, reason: Reason) -> Value:
    value = inputs["trading_totals"].get(name)
    return reason if value is None else int(value)


def _of_all(inputs: MetricInputs, top: str, bottom: str, reason: Reason) -> Stat:
    """A ratio of two sums of trades; NO_TRADES where there is no trade at all."""
    missing = reason if _trades(inputs, "total_trades") else Reason.NO_TRADES
    return ratio(_trades(inputs, top), _trades(inputs, bottom), missing)


def _average(inputs: MetricInputs, total: str, count: str, reason: Reason) -> Value:
    return mean(
        _trades(inputs, total), _trades(inputs, count), reason if _trades(inputs, "total_trades") else Reason.NO_TRADES
    )


def _average_loss(inputs: MetricInputs) -> Value:
    average = _average(inputs, "gross_loss", "losing_trades", Reason.NO_LOSSES)
    return average if isinstance(average, Reason) else -average


def _payoff_ratio(inputs: MetricInputs) -> Value:
    won = _average(inputs, "gross_profit", "winning_trades", Reason.NO_WINS)
    lost = _average(inputs, "gross_loss", "losing_trades", Reason.NO_LOSSES)
    if isinstance(won, Reason) or isinstance(lost, Reason):
        return won if isinstance(won, Reason) else lost
    return float(Fraction(won) / Fraction(lost)) if lost else Reason.ZERO_DENOMINATOR


TRADING: Mapping[str, Formula] = {
    **{
        name: partial(_trades, name=name)
        for name in (
            *("total_trades", "winning_trades", "losing_trades", "breakeven_trades", "total_pnl"),
            *("gross_profit", "gross_loss", "total_fees", "turnover"),
        )
    },
    "win_rate": lambda f: _of_all(f, "winning_trades", "total_trades", Reason.NO_TRADES),
    "average_win": lambda f: _average(f, "gross_profit", "winning_trades", Reason.NO_WINS),
    "average_loss": _average_loss,
    "largest_win": lambda f: _extreme(
        f, "largest_win", Reason.NO_WINS if _trades(f, "total_trades") else Reason.NO_TRADES
    ),
    "largest_loss": lambda f: _extreme(
        f, "largest_loss", Reason.NO_LOSSES if _trades(f, "total_trades") else Reason.NO_TRADES
    ),
    "payoff_ratio": _payoff_ratio,
    "profit_factor": lambda f: _of_all(f, "gross_profit", "gross_loss", Reason.NO_LOSSES),
    "expectancy": lambda f: _average(f, "total_pnl", "total_trades", Reason.NO_TRADES),
    "trading_users": lambda f: f.whole("trading_users", "users"),
    "profitable_user_share": lambda f: profitable_user_share(
        f.whole("trading_users", "profitable"), f.whole("trading_users", "users")
    ),
}


def _operations(inputs: MetricInputs) -> tuple[int, int]:
    return inputs.whole("operations", "errors"), inputs.whole("operations", "count")


def _throughput(inputs: MetricInputs) -> Stat:
    count = inputs.whole("operations", "count")
    operations = count or inputs.whole("operations_ever", "ever")
    return service.throughput(count, inputs.seconds() or 0) if operations else Reason.NO_DATA


SYSTEM: Mapping[str, Formula] = {
    "operation_count": lambda f: f.whole("operations", "count"),
    "throughput": _throughput,
    "error_rate": lambda f: service.error_rate(*_operations(f)),
    "availability": lambda f: service.availability(*_operations(f)),
    "error_budget_left": lambda f: service.error_budget_left(*_operations(f), f.assumptions.objective),
    "burn_rate": lambda f: service.burn_rate(*_operations(f), f.assumptions.objective),
    **{f"latency_{q}": lambda f, q=q: _number(f["operations"].get(q)) for q in ("p50", "p95", "p99")},  # type: ignore[misc]  # bound now
    "apdex": lambda f: service.apdex(
        f["operation_buckets"].get("ok", ()), f.whole("operation_buckets", "failures"), f.assumptions.threshold_ms
    ),
}

SATISFACTION: Mapping[str, Formula] = {
    "nps": lambda f: surveys.nps(f.scores.get("nps", {})).value,
    "nps_low": lambda f: surveys.nps(f.scores.get("nps", {})).low,
    "nps_high": lambda f: surveys.nps(f.scores.get("nps", {})).high,
    "csat": lambda f: surveys.csat(f.scores.get("csat", {})),
    "ces": lambda f: surveys.ces(f.scores.get("ces", {})),
    "tickets_opened": lambda f: len(f["tickets"].get("tickets", ())),
    "first_response_minutes": lambda f: support.first_response_minutes(f["tickets"].get("tickets", ())),
    "resolution_hours": lambda f: support.resolution_hours(f["tickets"].get("tickets", ())),
    "first_contact_resolution_rate": lambda f: support.first_contact_resolution_rate(f["tickets"].get("tickets", ())),
    "tickets_per_100_users": lambda f: support.tickets_per_100_users(
        len(f["tickets"].get("tickets", ())), f.whole("user_lifecycle", "active")
    ),
}

FORMULAS: Mapping[str, Formula] = MappingProxyType(
    {**REVENUE, **ACQUISITION, **ENGAGEMENT, **TRADING, **SYSTEM, **SATISFACTION}
)
