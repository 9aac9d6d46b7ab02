"""The catalogue: trading. p: net P&L of a trade; n: trades; r: daily returns; A: returns a year."""

from __future__ import annotations

from functools import partial

from domain.metrics.metric import DAYS_BY, Explained, Metric, Section, Unit, explained

_metric = partial(Metric, section=Section.TRADING)
CUTS = ("user_id", "account_id", "strategy", "symbol", "side", "currency", "tag")
CUTS_AND_TIME = (*CUTS, "hour", *DAYS_BY, "entry_hour")
ALL = explained("trading_totals", "total_trades")
PNL = explained("trading_totals", "total_pnl")
COUNT, MONEY, FRACTION, RATIO = Unit.COUNT, Unit.MONEY, Unit.FRACTION, Unit.RATIO
MINUTES, DAYS = Unit.MINUTES, Unit.DAYS


def _total(key: str, title: str, unit: Unit, formula: str, measures: str = "") -> Metric:
    """A metric that sums of closed trades tell."""
    explanation = explained("trading_totals", measures or key)
    return _metric(
        key, title, unit, formula, reads=("trading_totals",), explained=explanation, dimensions=CUTS_AND_TIME
    )


def _trades(
    key: str, title: str, unit: Unit, formula: str, explanations: tuple[Explained, ...] = PNL, version: int = 1
) -> Metric:
    """A metric of the ledger of trades: each of them is looked at; exposure is a share of the whole period."""
    return _metric(
        key,
        title,
        unit,
        formula,
        reads=("trades",),
        explained=explanations,
        dimensions=CUTS if key == "exposure" else CUTS_AND_TIME,
        kpi=False,
        version=version,
    )


# Version 1 took a company's daily series from one account, and 365 days a year.
_daily = partial(
    _metric,
    reads=("trades", "account_days", "account_values"),
    explained=explained("account_days", "pnl"),
    dimensions=CUTS,
    kpi=False,
    version=2,
)


def _table(key: str, title: str, formula: str, told_by: str = "trading_totals") -> Metric:
    made_of = explained("trades", "pnl") if key == "trades" else explained("trading_totals", "total_pnl")
    return _metric(key, title, Unit.TABLE, formula, explained=made_of, kpi=False, told_by=told_by)


TRADING: tuple[Metric, ...] = (
    _total("total_trades", "Trades", COUNT, "n: closed trades"),
    _total("winning_trades", "Winning trades", COUNT, "trades with p > 0"),
    _total("losing_trades", "Losing trades", COUNT, "trades with p < 0; convention platform: p ≤ 0"),
    _total("breakeven_trades", "Breakeven trades", COUNT, "trades with p = 0"),
    _total("win_rate", "Win rate", FRACTION, "winning trades / all trades", "winning_trades total_trades"),
    _total("total_pnl", "Profit and loss", MONEY, "Σp, net of fees"),
    _total("gross_profit", "Gross profit", MONEY, "Σp of winning trades"),
    _total("gross_loss", "Gross loss", MONEY, "−Σp of losing trades, positive"),
    _total("total_fees", "Fees", MONEY, "Σ fees of trades"),
    _total("turnover", "Turnover", MONEY, "Σ quantity × price of both legs"),
    _total("average_win", "Average win", MONEY, "gross profit / winning trades", "gross_profit winning_trades"),
    _total("average_loss", "Average loss", MONEY, "−gross loss / losing trades", "gross_loss losing_trades"),
    _total("largest_win", "Largest win", MONEY, "max p, of winning trades"),
    _total("largest_loss", "Largest loss", MONEY, "min p, of losing trades"),
    _total("payoff_ratio", "Payoff ratio", RATIO, "average win / −average loss", "gross_profit gross_loss"),
    _total("profit_factor", "Profit factor", RATIO, "gross profit / gross loss", "gross_profit gross_loss"),
    _total("expectancy", "Expectancy", MONEY, "mean p", "total_pnl total_trades"),
    _metric(
        "profitable_user_share",
        "Profitable users",
        FRACTION,
        "users whose trades together earned money / users who traded",
        reads=("trading_users",),
        explained=PNL,
    ),
    _metric(
        "trading_users",
        "Users who traded",
        COUNT,
        "users with a closed trade",
        reads=("trading_users",),
        explained=ALL,
    ),
    _trades("expectancy_r", "Expectancy in risks", RATIO, "mean p / initial risk"),
    _trades("sqn", "System quality number", RATIO, "√n × mean p / sd p, ddof 1"),
    _trades("kelly", "Kelly fraction", FRACTION, "W − (1 − W) / payoff ratio, W = win rate"),
    _trades("longest_win_streak", "Longest winning streak", COUNT, "a breakeven ends a streak", version=2),
    _trades("longest_loss_streak", "Longest losing streak", COUNT, "a breakeven ends a streak", version=2),
    _trades("mean_hold_minutes", "Mean holding time", MINUTES, "mean (exit − entry)", ALL),
    _trades("mean_hold_minutes_winners", "Mean holding time of winners", MINUTES, "mean (exit − entry), p > 0", ALL),
    _trades("mean_hold_minutes_losers", "Mean holding time of losers", MINUTES, "mean (exit − entry), p < 0", ALL),
    _trades("median_hold_minutes", "Median holding time", MINUTES, "median (exit − entry)", ALL),
    _trades("longest_hold_minutes", "Longest holding time", MINUTES, "max (exit − entry)", ALL),
    _trades("mae", "Adverse excursion", MONEY, "mean largest loss while a trade was open"),
    _trades("mfe", "Favourable excursion", MONEY, "mean largest profit while a trade was open"),
    _trades("exit_efficiency", "Exit efficiency", RATIO, "p / favourable excursion, mean"),
    _trades("best_trade_return", "Best return of a trade", FRACTION, "max p / (quantity × entry price)"),
    _trades("worst_trade_return", "Worst return of a trade", FRACTION, "min p / (quantity × entry price)"),
    _trades("mean_trade_return", "Mean return of a trade", FRACTION, "mean p / (quantity × entry price)"),
    _trades(
        "realised_drawdown_money", "Realised drawdown in money", MONEY, "deepest fall of Σp below its peak", version=2
    ),  # version 1 of these three was 0 without a trade
    _trades(
        "exposure",
        "Exposure",
        FRACTION,
        "time with an open position / time of the period that is over",
        ALL,
        version=2,  # 1 took the whole period
    ),
    _daily(
        "realised_drawdown",
        "Realised drawdown",
        FRACTION,
        "deepest fall of closed equity below its peak, time-weighted: Π(1 + p / equity before the trade)",
    ),
    _daily("cumulative_return", "Cumulative return", FRACTION, "Π(1 + r) − 1"),
    _daily("max_drawdown", "Maximum drawdown", FRACTION, "deepest fall of equity / its peak, the start included"),
    _daily("omega_ratio", "Omega ratio", RATIO, "Σ max(r, 0) / Σ max(−r, 0)"),
    _daily("ulcer_index", "Ulcer index", FRACTION, "√ mean squared drawdown"),
    _daily("recovery_factor", "Recovery factor", RATIO, "cumulative return / |maximum drawdown|"),
    _daily("var_95", "Value at risk, 95 %", FRACTION, "5 % quantile of r, linear interpolation"),
    _daily("cvar_95", "Conditional value at risk, 95 %", FRACTION, "mean of r ≤ VaR"),
    _daily("tail_ratio", "Tail ratio", RATIO, "|95 % quantile of r| / |5 % quantile|"),
    _daily("skew", "Skew", RATIO, "sample skewness of r"),
    _daily("kurtosis", "Kurtosis", RATIO, "sample excess kurtosis of r"),
    _daily("cagr", "Compound annual growth", FRACTION, "W^(A/n) − 1"),
    _daily("volatility", "Volatility", FRACTION, "sd r × √A, ddof 1"),
    _daily("sharpe_ratio", "Sharpe ratio", RATIO, "mean r / sd r × √A"),
    _daily("sortino_ratio", "Sortino ratio", RATIO, "mean r / downside deviation over all days × √A"),
    _daily("calmar_ratio", "Calmar ratio", RATIO, "CAGR / |maximum drawdown|"),
    _daily("probabilistic_sharpe", "Probabilistic Sharpe", FRACTION, "probability that the true Sharpe is above 0"),
    _daily("longest_underwater_days", "Longest time under water", DAYS, "days from a peak to its recovery"),
    _daily("sharpe_pnl", "Sharpe ratio on P&L", RATIO, "mean daily P&L / sd × √A"),
    _daily("max_drawdown_money", "Maximum drawdown in money", MONEY, "deepest fall of Σ daily P&L below its peak"),
    _daily("recovery_factor_money", "Recovery factor in money", RATIO, "Σ daily P&L / |maximum drawdown in money|"),
    _table("strategy_breakdown", "By strategy", "totals of each strategy"),
    _table("symbol_breakdown", "By symbol", "totals of each symbol"),
    _table("side_breakdown", "By side", "totals of each side"),
    _table("time_analysis", "By time", "totals by hour × weekday and month × year", "trading_time"),
    _table("equity_curve", "Equity curve", "equity of each day", "trading_equity"),
    _table("underwater_curve", "Underwater curve", "equity / its running peak − 1 of each day", "trading_equity"),
    _table("trades", "Trades", "the ledger: one row a trade", "trades"),
)
