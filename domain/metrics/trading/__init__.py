"""Trading statistics: what closed trades and daily returns say, exact in money, null with a reason where undefined.

The way from facts to answers:

- `whole`: columns of whole numbers, exact sums · `trades`: closed trades as columns · `calendars`, `daily`: one return
  per day of the account, on the best basis that is known · `returns`: the guard of return statistics (too few,
  overflow, no dispersion), drawdown paths.
- `record`: trades and daily series of one account, user, strategy or symbol · `catalogue`: every statistic by key with
  its unit and form; `answer(key, record, convention)` · `conventions/`: how quantstats,
  TradingView, freqtrade and backtesting.py compute what they name alike; the platform's own form is in `catalogue`.

One statistic a file, named like its key:

- of the trade list: total_trades, winning_trades, losing_trades, breakeven_trades, win_rate, total_pnl, gross_profit,
  gross_loss, total_fees, average_win, average_loss, largest_win, largest_loss, payoff_ratio, profit_factor, expectancy,
  expectancy_r, sqn, kelly, longest_win_streak, longest_loss_streak, mean_hold_minutes (winners, losers),
  median_hold_minutes, longest_hold_minutes, mae, mfe, exit_efficiency, turnover, exposure, best_trade_return,
  worst_trade_return, mean_trade_return, realised_drawdown, realised_drawdown_money, rolling_win_rate
- of users: profitable_user_share
- of daily returns: cumulative_return, cagr, volatility, sharpe_ratio, sortino_ratio, max_drawdown, drawdown_dates (and
  longest_underwater_days), calmar_ratio, omega_ratio, ulcer_index, recovery_factor, var_95, cvar_95, tail_ratio, skew,
  kurtosis (moments), probabilistic_sharpe, rolling (volatility, Sharpe, Sortino), periodic_returns (months, years),
  equity_curve (index, underwater, money)
- of daily P&L, where no equity is known: sharpe_pnl, max_drawdown_money, recovery_factor_money (in recovery_factor)
"""
