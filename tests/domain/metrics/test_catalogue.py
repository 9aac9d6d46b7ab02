"""The catalogue holds every metric that was promised, each once, and each can be computed or says why not."""

from __future__ import annotations

from domain.metrics.catalogue import METRICS
from domain.metrics.formulas import FORMULAS
from domain.metrics.metric import Section
from domain.metrics.trading.catalogue import STATISTICS
from projections.engine.declare.registry import all_registered
from projections.queries.metrics.sources import SOURCES
from projections.queries.trading.record import RECORDS

PROMISED = """
mrr new_mrr expansion_mrr contraction_mrr churned_mrr reactivated_mrr net_new_mrr cmrr arr mrr_growth_rate
gross_mrr_churn_rate net_mrr_churn_rate grr nrr quick_ratio arpa arpu average_sale_price gross_revenue net_revenue
refund_rate customer_churn_rate customer_ltv ltv_margin cohort_cumulative_ltv mean_customer_life failed_charge_rate
dunning_recovery_rate revenue_at_risk mrr_at_risk deferred_revenue top10_concentration revenue_hhi plan_mix
tier_breakdown upgrade_rate downgrade_rate signups signup_growth visitor_to_signup_rate activation_rate time_to_value
trial_conversion_rate trial_conversion_rolling_30d cac cac_payback_months ltv_to_cac magic_number burn_multiple
rule_of_40 viral_factor customer_retention_rate retention dau wau mau stickiness new_users returning_users
resurrected_users dormant_users pulse feature_adoption_rate feature_depth sessions_per_user median_session_minutes
page_views click_through_rate conversion_rate funnel user_journey user_segment churn_probability predicted_ltv
total_trades winning_trades losing_trades breakeven_trades win_rate total_pnl gross_profit gross_loss total_fees
average_win average_loss largest_win largest_loss payoff_ratio profit_factor expectancy expectancy_r sqn kelly
longest_win_streak longest_loss_streak mean_hold_minutes mae mfe exit_efficiency turnover exposure
profitable_user_share cumulative_return cagr volatility sharpe_pnl sharpe_ratio sortino_ratio max_drawdown
max_drawdown_money longest_underwater_days calmar_ratio omega_ratio ulcer_index recovery_factor var_95 cvar_95
tail_ratio skew kurtosis probabilistic_sharpe strategy_breakdown symbol_breakdown side_breakdown time_analysis
equity_curve underwater_curve trades throughput error_rate latency_p50 latency_p95 latency_p99 saturation availability
error_budget_left burn_rate apdex freshness_p99 consumer_lag late_share duplicate_share quarantine_rate mtta mttr nps
csat ces first_response_minutes resolution_hours first_contact_resolution_rate tickets_per_100_users
""".split()  # noqa: SIM905  # easier to read


def test_every_promised_metric_is_there() -> None:
    """More than a hundred, in every section."""
    assert [key for key in PROMISED if key not in METRICS] == []
    assert {entry.section for entry in METRICS.values()} == set(Section)


def test_every_metric_is_computed_or_says_why_not() -> None:
    """By a formula of sums or of trading records, by a query that answers with a table, or never with the reason."""
    for key, entry in METRICS.items():
        ways = (bool(entry.absent), bool(entry.told_by), key in FORMULAS, "trades" in entry.reads)
        assert sum(ways) == 1, (key, ways)
        assert key in STATISTICS or "trades" not in entry.reads
        assert bool(entry.reads) == (key in FORMULAS or key in STATISTICS), key


def test_every_entry_leads_somewhere() -> None:
    """Its sources are there, its explanations name queries, its dimensions are parameters of the query `metric`."""
    parameters = {param.name for param in all_registered()["metric"].params}
    for entry in METRICS.values():
        assert set(entry.reads) <= {*SOURCES, *RECORDS}, entry.key
        assert {each.query for each in entry.explained} <= set(all_registered()), entry.key
        assert entry.explained or entry.absent, entry.key
        assert entry.told_by in {"", *all_registered()}, entry.key
        assert set(entry.dimensions) <= parameters, entry.key
        assert "" not in (entry.title, entry.formula), entry.key
