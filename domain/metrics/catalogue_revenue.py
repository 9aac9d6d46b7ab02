"""The catalogue: revenue. S, E: MRR at the period's start and end; N, X, C, K, R: its flows."""

from __future__ import annotations

from functools import partial

from domain.access.rights import Feature
from domain.metrics.metric import DAYS_BY, Metric, Section, Unit, explained

_metric = partial(Metric, section=Section.REVENUE)
FLOWS = "new_mrr expansion_mrr contraction_mrr churned_mrr reactivated_mrr"
MRR_BY = ("day", "week", "month", "quarter", "year", "plan", "tier", "currency")
PAYMENTS_BY = ("customer_id", "currency", *DAYS_BY)


def _moved(key: str, title: str, unit: Unit, formula: str, measures: str = FLOWS) -> Metric:
    """A metric of MRR's movements alone, which can be split by what these can be split by.

    Whoever reads all of them reads MRR itself too, to which every change of a customer's has added.
    """
    level = explained("customer_mrr", "change") if measures == FLOWS else ()
    return _metric(
        key,
        title,
        unit,
        formula,
        reads=("mrr_movements",),
        explained=(*explained("mrr_movements", measures), *level),
        dimensions=MRR_BY,
    )


# of those who were customers at the start and at the end
_customers = partial(
    _metric, reads=("mrr_retained",), explained=explained("mrr_retained", "change"), dimensions=("currency",)
)


def _paid(key: str, title: str, unit: Unit, formula: str, measures: str = "amount") -> Metric:
    return _metric(
        key,
        title,
        unit,
        formula,
        reads=("payment_totals",),
        explained=explained("payment_totals", measures),
        dimensions=PAYMENTS_BY,
    )


# version 1 of what is made of it took the churn of the whole period
MONTHLY = "m: customer churn c as that of a month, 1 − (1 − c)^(1/n), n: months of the period"
_table = partial(_metric, unit=Unit.TABLE, kpi=False)
MIX = partial(_table, explained=explained("mrr_movements", FLOWS), told_by="mrr_mix")


MONEY, FRACTION, RATIO, COUNT = Unit.MONEY, Unit.FRACTION, Unit.RATIO, Unit.COUNT

REVENUE: tuple[Metric, ...] = (
    _moved("mrr", "Monthly recurring revenue", MONEY, "Σ price per month after recurring discounts, at the end"),
    _moved("new_mrr", "New MRR", MONEY, "N: customers who pay for the first time", "new_mrr"),
    _moved("expansion_mrr", "Expansion MRR", MONEY, "X: customers whose MRR rose", "expansion_mrr"),
    _moved("contraction_mrr", "Contraction MRR", MONEY, "C: customers whose MRR fell, above zero", "contraction_mrr"),
    _moved("churned_mrr", "Churned MRR", MONEY, "K: customers whose MRR fell to zero", "churned_mrr"),
    _moved("reactivated_mrr", "Reactivated MRR", MONEY, "R: customers who pay again", "reactivated_mrr"),
    _moved("net_new_mrr", "Net new MRR", MONEY, "N + X + R − C − K"),
    _moved("currency_mrr", "Currency moves", MONEY, "E − S − (N + X + R − C − K): what rates of exchange moved"),
    _moved("arr", "Annual recurring revenue", MONEY, "12 × MRR"),
    _moved("mrr_growth_rate", "MRR growth", FRACTION, "E / S − 1"),
    _moved("gross_mrr_churn_rate", "Gross MRR churn", FRACTION, "(K + C) / S", "churned_mrr contraction_mrr"),
    _moved("net_mrr_churn_rate", "Net MRR churn", FRACTION, "(K + C − X − R) / S"),
    _moved("quick_ratio", "Quick ratio", RATIO, "(N + X) / (C + K)"),
    _moved("average_sale_price", "Average sale price", MONEY, "N / new customers", "new_mrr new_count"),
    _moved("new_customers", "New paying customers", COUNT, "customers who pay for the first time", "new_count"),
    _metric(
        "cmrr",
        "Committed MRR",
        MONEY,
        "MRR + starts and upgrades − cancels and downgrades that were scheduled by the end",
        version=2,  # 1 took as scheduled whatever is known today
        reads=("mrr_movements", "mrr_scheduled"),
        explained=explained("mrr_movements", FLOWS),
        dimensions=("plan", "tier", "currency"),
    ),
    _customers("grr", "Gross revenue retention", FRACTION, "Σ min(S, E) / S of the customers of S"),
    _customers("nrr", "Net revenue retention", FRACTION, "E / S of the customers of S"),
    _customers("arpa", "Average revenue per account", MONEY, "MRR / paying customers, at the end"),
    _customers("customers", "Paying customers", COUNT, "customers with MRR at the end"),
    _customers("churned_customers", "Churned customers", COUNT, "customers at the start who do not pay at the end"),
    _customers("customer_churn_rate", "Customer churn", FRACTION, "churned / customers at the start"),
    _customers("customer_retention_rate", "Customer retention", FRACTION, "1 − customer churn"),
    _customers("mean_customer_life", "Mean customer life", Unit.MONTHS, f"1 / m, {MONTHLY}", version=2),
    _customers("customer_ltv", "Customer lifetime value", MONEY, f"ARPA / m, {MONTHLY}", version=2),
    _customers("ltv_margin", "Lifetime value at margin", MONEY, "LTV × gross margin (parameter margin)", version=2),
    _customers("revenue_at_risk", "Revenue at risk", MONEY, "MRR × customer churn: the platform's form"),
    _customers("top10_concentration", "Concentration of the ten largest", FRACTION, "MRR of the ten largest / MRR"),
    _customers("revenue_hhi", "Concentration of revenue", RATIO, "Σ share², Herfindahl–Hirschman"),
    _customers("upgrade_rate", "Upgrade rate", FRACTION, "customers of S with more MRR at the end / customers of S"),
    _customers("downgrade_rate", "Downgrade rate", FRACTION, "customers of S with less MRR, above zero / those of S"),
    _metric(
        "arpu",
        "Average revenue per user",
        MONEY,
        "MRR / active users of the period",
        reads=("mrr_movements", "user_lifecycle"),
        explained=(*explained("mrr_movements", FLOWS), *explained("user_activity", "events")),
    ),
    _metric(
        "mrr_at_risk",
        "MRR at risk",
        MONEY,
        "MRR of customers who owe + what the others are scheduled to lose, as of the end",
        version=3,  # 2 took who owes today, 1 also as scheduled whatever is known today
        reads=("customer_mrr", "customers_scheduled", "owing_customers"),
        explained=explained("customer_mrr", "change"),
        kpi=False,
    ),
    _metric(
        "deferred_revenue",
        "Deferred revenue",
        MONEY,
        "Σ charge × time left / time of the service period of each active subscription, at the end",
        version=2,  # 1 took the subscriptions that are active today, at today's terms
        reads=("subscriptions",),
        explained=explained("subscriptions", "charge"),
        kpi=False,
    ),
    _paid("gross_revenue", "Gross revenue", MONEY, "money taken: succeeded + recovered"),
    _paid("net_revenue", "Net revenue", MONEY, "gross − refunds − fees of the provider", "amount fees"),
    _paid("refund_rate", "Refund rate", FRACTION, "refunded / gross revenue"),
    _metric(
        "failed_charge_rate",
        "Failed charges",
        FRACTION,
        "invoices of which a charge failed / invoices charged in the period",
        reads=("invoices",),
        explained=explained("invoices", "failures"),
    ),
    _metric(
        "dunning_recovery_rate",
        "Recovered by dunning",
        FRACTION,
        "paid within 30 days of the first failure / failed in the period, as far as that is decided",
        reads=("invoices",),
        explained=explained("invoices", "failures"),
    ),
    _table(
        "cohort_cumulative_ltv",
        "Cumulative lifetime value by cohort",
        formula="what the customers of a cohort have paid up to each age / their number",
        told_by="cohort_ltv",
        explained=explained("payment_totals", "amount"),
        feature=Feature.RETENTION,
    ),
    MIX("plan_mix", "Plan mix", formula="share of each plan in MRR"),
    MIX("tier_breakdown", "MRR by tier", formula="share of each tier in MRR"),
)
