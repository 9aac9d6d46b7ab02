"""What could be done: rules over metrics, each with the numbers that it rests on and what it is expected to change.

A rule is data: which metrics it reads, how many observations it wants, when it holds, what it advises. Its thresholds
and the share of a gap that it expects to close are common practice and stated as assumptions; whoever records the
expected effect as a prediction finds out how good they are here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import msgspec

from domain.insights.finding import Basis, Finding, Kind
from domain.metrics.value import Reason, Stat

METHOD = "rule over metrics"


class Measured(msgspec.Struct, frozen=True):
    """A metric's value, and how many observations it comes from."""

    value: Stat
    sample: int


class Condition(msgspec.Struct, frozen=True):
    """A metric that is strictly above or below a bound, or that share of another metric."""

    metric: str
    relation: str  # above or below
    bound: float
    of: str = ""

    def limit(self, values: Mapping[str, float]) -> float:
        """The bound in the unit of the metric."""
        return self.bound * values[self.of] if self.of else self.bound

    def holds(self, values: Mapping[str, float]) -> bool:
        """With these values by key."""
        value, limit = values[self.metric], self.limit(values)
        return value > limit if self.relation == "above" else value < limit


class Evidence(msgspec.Struct, frozen=True):
    """A bound and the value that met the condition; the metric's key is the link to the number and its explanation."""

    metric: str
    value: float
    relation: str
    bound: float
    sample: int


class Effect(msgspec.Struct, frozen=True):
    """Which metric should change, by how much, within how many days, and what was assumed."""

    metric: str
    change: float  # in the unit of the metric
    within_days: int
    assumption: str


class Rule(msgspec.Struct, frozen=True):
    """When to advise what. `change` computes the expected change of `metric` from the values that the rule reads."""

    key: str
    advice: str
    conditions: tuple[Condition, ...]
    metric: str
    change: Callable[[Mapping[str, float]], float]
    assumption: str
    also_reads: tuple[str, ...] = ()
    minimum: int = 30
    within_days: int = 90

    @property
    def reads(self) -> tuple[str, ...]:
        """Keys of the metrics that the rule needs."""
        conditions = (key for condition in self.conditions for key in (condition.metric, condition.of) if key)
        return tuple(dict.fromkeys((*conditions, *self.also_reads)))


class Recommendation(Finding, frozen=True, tag=Kind.RECOMMENDATION.value):
    """One piece of advice for one subject."""

    rule: str
    subject: str  # tenant, strategy, symbol … whose metrics were read
    advice: str
    evidence: tuple[Evidence, ...]
    effect: Effect
    links: tuple[str, ...]  # keys of all metrics that it was made of


def _above(metric: str, bound: float) -> Condition:
    return Condition(metric, "above", bound)


def _below(metric: str, bound: float) -> Condition:
    return Condition(metric, "below", bound)


RULES: tuple[Rule, ...] = (
    Rule(
        key="recover_failed_charges",
        advice="Retry failed charges over two weeks and ask for a new card before the subscription ends.",
        conditions=(_above("failed_charge_rate", 0.05), _below("dunning_recovery_rate", 0.5)),
        also_reads=("mrr_at_risk",),
        metric="mrr",
        change=lambda v: v["mrr_at_risk"] * (0.5 - v["dunning_recovery_rate"]),
        assumption="half of failed charges can be recovered",
    ),
    Rule(
        key="win_back_leaving_customers",
        advice="Talk to the customers with the highest churn probability; their drivers say about what.",
        conditions=(_above("customer_churn_rate", 0.05),),
        also_reads=("mrr",),
        metric="mrr",
        change=lambda v: v["mrr"] * (v["customer_churn_rate"] - 0.05) / 2,
        assumption="half of the churn above 5 % a period can be kept, at average revenue",
    ),
    Rule(
        key="shorten_the_way_to_value",
        advice="Remove steps before the first useful action, and lead new users to it.",
        conditions=(_below("activation_rate", 0.4),),
        also_reads=("signups",),
        metric="activation_rate",
        change=lambda v: (0.4 - v["activation_rate"]) / 2,
        assumption="half of the gap to 40 % can be closed",
    ),
    Rule(
        key="turn_trials_into_customers",
        advice="Ask trial users for payment when they have got value, not when time is up.",
        conditions=(_below("trial_conversion_rate", 0.15),),
        metric="trial_conversion_rate",
        change=lambda v: (0.15 - v["trial_conversion_rate"]) / 2,
        assumption="half of the gap to 15 % can be closed",
    ),
    Rule(
        key="spend_less_on_acquisition",
        advice="Move spending to the channels whose customers pay back first, or stop the last one.",
        conditions=(_below("ltv_to_cac", 3.0),),
        also_reads=("customer_ltv", "cac"),
        metric="cac",
        change=lambda v: min(0.0, v["customer_ltv"] / 3 - v["cac"]),
        assumption="a customer should bring three times what winning him costs",
    ),
    Rule(
        key="spread_revenue",
        advice="Agree longer terms with the largest customers and win more of the middle size.",
        conditions=(_above("top10_concentration", 0.5),),
        also_reads=("mrr",),
        metric="top10_concentration",
        change=lambda v: (0.5 - v["top10_concentration"]) / 2,
        assumption="half of the excess over 50 % can be worked off within a year",
        within_days=365,
    ),
    Rule(
        key="stop_a_losing_strategy",
        advice="Pause the strategy or trade it at the smallest size until it earns more than it loses.",
        conditions=(_below("profit_factor", 1.0), _below("total_pnl", 0.0)),
        metric="total_pnl",
        change=lambda v: -v["total_pnl"],
        assumption="the next period would lose as much as this one",
        within_days=30,
    ),
    Rule(
        key="trade_less_for_fees",
        advice="Trade less often, or with orders that rest in the book: fees take much of the profit.",
        conditions=(_above("gross_profit", 0.0), Condition("total_fees", "above", 0.3, of="gross_profit")),
        metric="total_pnl",
        change=lambda v: v["total_fees"] - 0.3 * v["gross_profit"],
        assumption="fees can be brought to 30 % of gross profit without losing it",
        within_days=30,
    ),
    Rule(
        key="cut_losses_earlier",
        advice="Close losing trades earlier: winners are frequent, but a loser costs more than they bring.",
        conditions=(_above("win_rate", 0.5), _below("payoff_ratio", 1.0), _below("expectancy", 0.0)),
        also_reads=("average_win", "average_loss", "total_trades"),
        metric="total_pnl",
        change=lambda v: -v["expectancy"] * v["total_trades"],
        assumption="losers can be cut to the size at which trades break even on average",
        within_days=30,
    ),
)


def recommendations(subject: str, measured: Mapping[str, Measured]) -> tuple[Recommendation, ...]:
    """What the rules advise, in their order, from metrics by key; a rule that misses one of its metrics is mute."""
    results = (_recommendation(rule, subject, measured) for rule in RULES)
    return tuple(advice for advice in results if advice is not None)


def _recommendation(rule: Rule, subject: str, measured: Mapping[str, Measured]) -> Recommendation | None:
    values = {key: measured[key].value for key in rule.reads if key in measured}
    defined = {key: value for key, value in values.items() if not isinstance(value, Reason) and math.isfinite(value)}
    if len(defined) < len(rule.reads):
        return None
    sample = min(measured[condition.metric].sample for condition in rule.conditions)
    if sample < rule.minimum or not all(condition.holds(defined) for condition in rule.conditions):
        return None
    change = rule.change(defined)
    if not math.isfinite(change):
        return None
    evidence = (
        Evidence(c.metric, defined[c.metric], c.relation, c.limit(defined), measured[c.metric].sample)
        for c in rule.conditions
    )
    return Recommendation(
        basis=Basis(f"{METHOD}: {rule.key}", 1, sample, rule.minimum),
        rule=rule.key,
        subject=subject,
        advice=rule.advice,
        evidence=tuple(evidence),
        effect=Effect(rule.metric, change, rule.within_days, rule.assumption),
        links=rule.reads,
    )
