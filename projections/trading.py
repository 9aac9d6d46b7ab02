"""Trading: closed trades by quarter of an hour and minute of exit, bookings of accounts, and the ledger of trades.

Additive: every measure is a sum or an extreme of whole trillionths, so any order of batches gives the same rows.
A breakeven trade (p = 0) is neither won nor lost and stays in the denominator of win_rate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from domain.decimals import ONE
from projections.engine.declare.live_window import live_window
from projections.engine.declare.merge_rules import (
    Count,
    Day,
    Key,
    Labels,
    Max,
    Min,
    Minute,
    Moment,
    Money,
    Newest,
    Quarter,
    Sum,
    Text,
)
from projections.engine.declare.projection import Delta, Projection
from projections.engine.declare.rows import Columns, Row
from projections.engine.query.listing import Condition, Made, listing
from projections.engine.query.params import Param
from projections.engine.query.plain import Statement
from projections.engine.query.ratios import Measures, Ratios
from projections.engine.query.request import Request
from projections.engine.query.restated import restatements
from projections.engine.query.totals import calendar, days, entry_hour, plain, totals
from projections.engine.query.zones import day_of
from projections.exchange_rates import REPORTING

if TYPE_CHECKING:
    import polars as pl

trading = Projection("trading", version=8)
REVISIONS = 2**20  # of one account value; more are one


class Results:
    """What closed trades came to."""

    total_trades: Sum[Count]
    winning_trades: Sum[Count]
    losing_trades: Sum[Count]
    breakeven_trades: Sum[Count]
    total_pnl: Sum[Money]  # net of fees
    gross_profit: Sum[Money]
    gross_loss: Sum[Money]  # positive
    total_fees: Sum[Money]
    turnover: Sum[Money]  # quantity × multiplier × magnitude of the price, of both legs
    largest_win: Max[Money]
    largest_loss: Min[Money]


class TradingByQuarter(Results, Row, counted=True):
    """What each account earned, by quarter of an hour of exit and of entry, strategy, symbol and side."""

    company_id: Key[Text]
    quarter: Key[Quarter]  # of the exit
    user_id: Key[Text]
    account_id: Key[Text]
    strategy: Key[Text]
    symbol: Key[Text]
    side: Key[Text]
    currency: Key[Text]  # '' where the trade says none
    entry: Key[Quarter]  # of the entry; 1970-01-01 where its time is unknown


class TradingByMinute(Results, Row, counted=True):
    """The same by minute of exit, for what is shown live."""

    company_id: Key[Text]
    minute: Key[Minute]  # of the exit, UTC
    strategy: Key[Text]
    symbol: Key[Text]
    currency: Key[Text]


class Bookings:
    """What was booked on an account: profit and loss of trades closed, and money that flowed."""

    trades: Sum[Count]
    pnl: Sum[Money]
    fees: Sum[Money]
    flows: Sum[Money]


class Mark:
    """What an account was worth, and when."""

    at: Newest[Moment]
    equity: Newest[Money]
    balance: Newest[Money]


class AccountQuarter(Bookings, Row, counted=True):
    """What was booked on an account in a quarter of an hour."""

    company_id: Key[Text]
    user_id: Key[Text]
    account_id: Key[Text]
    quarter: Key[Quarter]
    currency: Key[Text]


class AccountDay(Bookings, Row):
    """One account's booked day."""

    company_id: Key[Text]
    user_id: Key[Text]
    account_id: Key[Text]
    day: Key[Day]
    currency: Key[Text]


class AccountValue(Mark, Row):
    """The last marked value of an account in each quarter of an hour, as it was last reported."""

    company_id: Key[Text]
    user_id: Key[Text]
    account_id: Key[Text]
    quarter: Key[Quarter]
    currency: Key[Text]


class AccountDayValue(Mark, Row):
    """The last marked value of an account on a day."""

    company_id: Key[Text]
    user_id: Key[Text]
    account_id: Key[Text]
    day: Key[Day]
    currency: Key[Text]


class Trade(Row, indexed=("user_id", "closed_at"), ledger=True):
    """The ledger: each trade as it was last reported."""

    company_id: Key[Text]
    trade_id: Key[Text]
    user_id: Newest[Text]
    account_id: Newest[Text]
    symbol: Newest[Text]
    strategy: Newest[Text]
    side: Newest[Text]
    quantity: Newest[Money]
    multiplier: Newest[Money]  # 1 where none is reported
    entry_price: Newest[Money]
    exit_price: Newest[Money]
    pnl: Newest[Money]
    fees: Newest[Money]
    currency: Newest[Text]
    opened_at: Newest[Moment]
    closed_at: Newest[Moment]
    max_adverse_excursion: Newest[Money]
    max_favourable_excursion: Newest[Money]
    exit_reason: Newest[Text]
    initial_risk: Newest[Money]
    tags: Newest[Labels]
    event_id: Newest[Text]  # of the report


class Flow(Row, ledger=True):
    """Each flow that has a name, as it was last reported."""

    company_id: Key[Text]
    flow_id: Key[Text]
    user_id: Newest[Text]
    account_id: Newest[Text]
    amount: Newest[Money]
    currency: Newest[Text]
    timestamp: Newest[Moment]
    event_id: Newest[Text]


def net_pnl(trade: Columns) -> pl.Expr:
    """Profit or loss net of fees: as reported, or else from prices, side, quantity, multiplier and fees."""
    sign = (trade.side == "long").cast(_whole_type()) * 2 - 1
    return trade.pnl.fill_null(sign * trade.price_gain - trade.fees)


def _whole_type() -> Any:
    import polars as pl

    return pl.Int128


def with_net_pnl(trade: Columns) -> dict[str, pl.Expr]:
    """What several measures have in common."""
    return {"net_pnl": net_pnl(trade)}


@trading.folds("trading_result", into=TradingByMinute, beforehand=with_net_pnl)
@trading.folds("trading_result", into=TradingByQuarter, beforehand=with_net_pnl)
def by_quarter(trade: Columns) -> Delta:
    """Each trade counts in the quarter of an hour, and the minute, of its exit."""
    pnl, won, lost = trade.net_pnl, trade.net_pnl > 0, trade.net_pnl < 0
    return {
        "quarter": trade.closed_at,
        "minute": trade.closed_at,
        "entry": trade.opened_at.clip(0),
        "total_trades": 1,
        "winning_trades": won,
        "losing_trades": lost,
        "breakeven_trades": pnl == 0,
        "total_pnl": pnl,
        "gross_profit": pnl * won,
        "gross_loss": pnl * lost * -1,
        "total_fees": trade.fees,
        "turnover": trade.turnover,
        "largest_win": _only(pnl, won),
        "largest_loss": _only(pnl, lost),
    }


def _only(value: pl.Expr, condition: pl.Expr) -> pl.Expr:
    import polars as pl

    return pl.when(condition).then(value)


@trading.folds("trading_result", into=AccountQuarter)
def booked_trades(trade: Columns) -> Delta:
    """Each trade is booked when it is closed."""
    return {"quarter": trade.closed_at, "trades": 1, "pnl": net_pnl(trade), "flows": 0}


@trading.folds("account_flow", into=Flow, where=lambda flow: flow.flow_id != "")
def reported_flows(_flow: Columns) -> Delta:
    """A flow reported again replaces what was known of it."""
    return {}


@trading.folds("account_flow", into=AccountQuarter)
def booked_flows(flow: Columns) -> Delta:
    """Deposits are positive, withdrawals negative."""
    return {"quarter": flow.timestamp, "trades": 0, "pnl": 0, "fees": 0, "flows": flow.amount}


@trading.folds("account_equity", into=AccountValue)
def marked_values(value: Columns) -> Delta:
    """The last value of a quarter of an hour stands for it."""
    at = _only(value.at, value.at > 0).fill_null(value.timestamp)
    return {"quarter": at, "at": at, "_rank": at * REVISIONS + value.revision.cast(int).clip(0, REVISIONS - 1)}


@trading.folds("trading_result", into=Trade)
def ledger(trade: Columns) -> Delta:
    """A trade reported again (another event with its trade_id) replaces what was known of it."""
    return {
        "pnl": net_pnl(trade),
        "multiplier": trade.multiplier.fill_null(ONE),
        "opened_at": _only(trade.opened_at, trade.opened_at > 0),
        "tags": join_labels(trade.tags),
    }


def join_labels(labels: pl.Expr) -> pl.Expr:
    """A list of texts as one text, as `Labels` says."""
    import polars as pl

    text = pl.element().str.replace_all("\x1e", "\x1e0", literal=True).str.replace_all("\x1f", "\x1e1", literal=True)
    return labels.list.eval(pl.lit("\x1f") + text).list.join("")


def ratios(raw: Measures) -> tuple[dict[str, Any], dict[str, str]]:
    """What follows from the sums; a field without a value has its reason."""
    trades, won, lost = raw["total_trades"], raw["winning_trades"], raw["losing_trades"]
    profit, loss = raw["gross_profit"], raw["gross_loss"]
    collected = Ratios()
    collected.ratio("win_rate", won, trades, "no_trades")
    no_wins, no_losses = ("no_wins", "no_losses") if trades else ("no_trades", "no_trades")
    collected.money("average_win", profit, won, no_wins)
    collected.money("average_loss", None if loss is None else -loss, lost, no_losses)
    collected.ratio("profit_factor", profit, loss, no_losses)
    collected.ratio_of_means("payoff_ratio", (profit, won, no_wins), (loss, lost, no_losses))
    collected.money("expectancy", raw["total_pnl"], trades, "no_trades")
    for extreme, reason in (("largest_win", no_wins), ("largest_loss", no_losses)):
        collected.needs(extreme, raw[extreme], reason)
    return collected.fields, collected.reasons


trading.windows += [
    live_window(
        "trading",
        of=TradingByMinute,
        time="minute",
        derive=ratios,
        summary="Closed trades by minute of exit: counts, profit and loss, win rate.",
    )
]

DIMENSIONS = {
    **{name: plain(name) for name in ("user_id", "account_id", "strategy", "symbol", "side", "currency")},
    **calendar("quarter"),
    "entry_hour": entry_hour("entry"),
}

# Of a trade in the ledger, as the totals count it: so that the trades of a cell of their table can be listed.
WHEN = {
    "entry_hour": entry_hour("opened_at"),
    "weekday": days("closed_at")["weekday"],
}


def at_hours(request: Request) -> Condition | None:
    """Trades of one hour of entry, of one weekday of exit, or of both."""
    only = {name: request.get(name) for name in WHEN if request.get(name) is not None}
    return (
        (" AND ".join(f"{WHEN[name].sql_in(request.calendar)} = %s" for name in only), tuple(only.values()))
        if only
        else None
    )


ACCOUNT = "company_id, user_id, account_id"


def booked_days(request: Request) -> Statement:
    """SELECT of what was booked on each day."""
    sums = ", ".join(f"SUM({name}) AS {name}" for name in ("trades", "pnl", "fees", "flows"))
    day = f"{day_of('quarter', request.calendar)} AS day"
    return Statement(
        f"SELECT {ACCOUNT}, {day}, currency, {sums} FROM {{account_quarter}} GROUP BY {ACCOUNT}, 4, currency", ()
    )


def last_values(request: Request) -> Statement:
    """SELECT of the last value of each day."""
    days = f"SELECT *, {day_of('quarter', request.calendar)} AS day FROM {{account_value}}"
    return Statement(
        f"SELECT DISTINCT ON ({ACCOUNT}, day, currency) {ACCOUNT}, day, currency, at, equity, balance"
        f" FROM ({days}) AS valued ORDER BY {ACCOUNT}, day, currency, quarter DESC",
        (),
    )


trading.queries += [
    totals(
        "trading_totals",
        of=TradingByQuarter,
        by=DIMENSIONS,
        time="quarter",
        derive=ratios,
        reporting=REPORTING,
        summary="Totals of closed trades, net of fees, in one currency, by time of exit.",
    ),
    listing(
        "trades",
        of=Trade,
        filters=("trade_id", "user_id", "account_id", "strategy", "symbol", "side", "currency"),
        time="closed_at",
        summary="The ledger: one row a trade, as last reported.",
        also=(
            Param("entry_hour", "only trades entered in this hour of the day; -1: unknown", WHEN["entry_hour"].read),
            Param("weekday", "only trades closed on this weekday (0 = Monday)", WHEN["weekday"].read),
        ),
        narrowed=at_hours,
    ),
    restatements(
        "restated_flows",
        of=Flow,
        summary="Flows reported again or taken back: from what to what, and when that was known; the newest first.",
    ),
    restatements(
        "restated_trades",
        of=Trade,
        summary="Trades reported again or taken back: from what to what, and when that was known; the newest first.",
    ),
    listing(
        "account_days",
        of=AccountDay,
        made=Made(lambda _: (AccountQuarter.table, "quarter"), booked_days),
        filters=("user_id", "account_id", "currency"),
        time="day",
        summary="Booked profit, fees and flows of each account, day and currency.",
    ),
    listing(
        "account_values",
        of=AccountDayValue,
        made=Made(lambda _: (AccountValue.table, "quarter"), last_values),
        filters=("user_id", "account_id", "currency"),
        time="day",
        summary="The last marked value of each account and currency on each day.",
    ),
]
