"""The catalogue: acquisition and efficiency."""

from __future__ import annotations

from functools import partial

from domain.metrics.metric import DAYS_BY, Metric, Section, Unit, explained

_metric = partial(Metric, section=Section.ACQUISITION)
SIGNUPS = explained("user_firsts", "times")
COSTS = explained("acquisition_costs", "cost")
NEW = explained("mrr_movements", "new_count")
TRIALS = explained("subscriptions", "trial_started_at")

ACQUISITION: tuple[Metric, ...] = (
    _metric(
        "signups",
        "Signups",
        Unit.COUNT,
        "users whose first event `signup` lies in the period",
        reads=("user_firsts",),
        explained=SIGNUPS,
    ),
    _metric(
        "signup_growth",
        "Growth of signups",
        Unit.FRACTION,
        "signups / signups of the period before − 1",
        reads=("user_firsts", "user_firsts_before"),
        explained=SIGNUPS,
    ),
    _metric(
        "visitor_to_signup_rate",
        "Visitors who sign up",
        Unit.FRACTION,
        "signups / users seen in the period",
        reads=("user_firsts", "user_lifecycle"),
        explained=(*SIGNUPS, *explained("user_activity", "events")),
    ),
    _metric(
        "activation_rate",
        "Activation",
        Unit.FRACTION,
        "of those who signed up in the period, activated within 7 days, as far as that is decided",
        reads=("user_firsts",),
        explained=SIGNUPS,
    ),
    _metric(
        "time_to_value",
        "Time to value",
        Unit.MILLISECONDS,
        "median time from signup to activation, of those who were activated",
        reads=("user_firsts",),
        explained=SIGNUPS,
    ),
    _metric(
        "trial_conversion_rate",
        "Trial conversion",
        Unit.FRACTION,
        "trials begun in the period that became paying, whenever / trials begun",
        reads=("trials",),
        explained=TRIALS,
    ),
    _metric(
        "trial_conversion_rolling_30d",
        "Trial conversion, rolling",
        Unit.FRACTION,
        "trials that became paying in the last 30 days / trials begun in them",
        reads=("trials",),
        explained=TRIALS,
    ),
    _metric(
        "acquisition_cost",
        "Acquisition cost",
        Unit.MONEY,
        "money spent to win customers; null where none was ever reported",
        reads=("acquisition_costs", "acquisition_ever"),
        explained=COSTS,
        version=2,  # 1 was 0 where no cost had ever been reported
        dimensions=("channel", "campaign", "currency", *DAYS_BY),
    ),
    _metric(
        "cac",
        "Customer acquisition cost",
        Unit.MONEY,
        "acquisition cost / new paying customers",
        reads=("acquisition_costs", "acquisition_ever", "mrr_movements"),
        version=2,  # as acquisition_cost
        explained=(*COSTS, *NEW),
    ),
    _metric(
        "cac_payback_months",
        "Months to earn back CAC",
        Unit.MONTHS,
        "CAC / (ARPA × margin)",
        reads=("acquisition_costs", "acquisition_ever", "mrr_movements", "mrr_retained"),
        version=2,  # as acquisition_cost
        explained=(*COSTS, *NEW),
    ),
    _metric(
        "ltv_to_cac",
        "Lifetime value to CAC",
        Unit.RATIO,
        "LTV at margin / CAC",
        reads=("acquisition_costs", "acquisition_ever", "mrr_movements", "mrr_retained"),
        version=2,  # as acquisition_cost and customer_ltv
        explained=(*COSTS, *NEW),
    ),
    _metric(
        "magic_number",
        "Magic number",
        Unit.RATIO,
        "12 × net new MRR / acquisition cost of the period before",
        reads=("mrr_movements", "acquisition_costs_before", "acquisition_ever_before"),
        version=2,  # as acquisition_cost
        explained=(*COSTS, *NEW),
    ),
    _metric(
        "burn_multiple",
        "Burn multiple",
        Unit.RATIO,
        "net burn (parameter burn) / net new ARR",
        reads=("mrr_movements",),
        explained=NEW,
    ),
    _metric(
        "rule_of_40",
        "Rule of 40",
        Unit.FRACTION,
        "growth of MRR over a year + profit margin (parameter profit_margin)",
        reads=("mrr_year",),
        explained=NEW,
    ),
    _metric(
        "viral_factor",
        "Viral factor",
        Unit.RATIO,
        "users invited who signed up / users",
        absent="No event says who invited whom.",
    ),
)
