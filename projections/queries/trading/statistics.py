"""Trading metrics: every statistic of a record, its curves and rolling forms, from the ledger when asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from msgspec import UNSET

from domain.errors import Invalid
from domain.metrics.metric import Unit
from domain.metrics.value import Reason, Stat, has_value
from projections.engine.query.answer_row import Rows, or_reasons
from projections.engine.query.composed import AnyRow, Composed, Select
from projections.engine.query.formatting import measure, money, show_time
from projections.engine.query.params import Param, read_choice, read_members, read_time, read_whole
from projections.engine.query.rates_used import LIST_RATES, RATES, rates_of
from projections.engine.query.request import Request
from projections.queries.metrics.traders import traders
from projections.queries.trading.record import (
    BASES,
    SERIES,
    Scope,
    many,
    of_one_currency,
    read_records,
    rests_on,
    select_record,
)
from projections.queries.trading.statistic_rows import EquityRow, ReturnRow, RollingRow, Statistic, UserShare

if TYPE_CHECKING:
    from domain.metrics.trading.catalogue import Answer
    from domain.metrics.trading.daily import Daily
    from domain.metrics.trading.record import TradingRecord

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


PERIOD = (
    Param("from", "first day of exit (inclusive)", read_time),
    Param("to", "end (exclusive): a day", read_time),
)
FILTERS = (
    *(
        Param(name, f"only trades with this {name}")
        for name in ("user_id", "account_id", "strategy", "symbol", "side", "currency")
    ),
    Param("tag", "only trades that carry this tag"),
)
RECORD = (*PERIOD, *FILTERS, *SERIES, RATES, LIST_RATES)
WINDOW = {"win_rate": 20, "sharpe": 63, "sortino": 63, "volatility": 63}
LONGEST_WINDOW = 10_000


def read_convention(text: str) -> Any:
    """One of the conventions. Raises ValueError for anything else."""
    from domain.metrics.trading.catalogue import Convention

    if text not in list(Convention):
        raise ValueError(f"{text!r} is none of {', '.join(Convention)}")
    return Convention(text)


def read_keys(text: str) -> tuple[str, ...]:
    """Keys of statistics, comma-separated. Raises ValueError for one that there is not."""
    from domain.metrics.trading.catalogue import STATISTICS

    return read_members(STATISTICS, "trading statistic")(text)


def read_rate(text: str) -> float:
    """A yearly rate above −1 and below 100, as a fraction. Raises ValueError for anything else."""
    rate = float(text)
    if not -1 < rate < 100:
        raise ValueError(f"{text!r} is no yearly rate as a fraction, such as 0.02")
    return rate


RISK_FREE = Param(
    "risk_free", "yearly risk-free rate of Sharpe and Sortino ratios as a fraction; 0 by default", read_rate
)


def scope(request: Request) -> Scope:
    """Whose record a question is about."""
    return Scope(
        request.company,
        request.get("from"),
        request.get("to"),
        request.asked_at,
        {param.name: request.get(param.name) for param in FILTERS if request.get(param.name) is not None},
        calendar=request.calendar,
        basis=request.get("basis", BASES[0]),
        rates=rates_of(request),
    )


def parts(request: Request) -> Mapping[str, Select]:
    """One statement: the record."""
    return {"record": select_record(scope(request))}


def record_of(request: Request, rows: Mapping[str, Rows]) -> TradingRecord:
    """The record out of the statement's row. Raises LimitExceeded for more than is read, NoAmount as it says."""
    ((_, record),) = read_records(scope(request), rows["record"])
    return of_one_currency(record)


def _statistic(key: str, answer: Answer, record: TradingRecord) -> Statistic:
    return Statistic(
        key=key,
        value=measure(answer.value, answer.unit),
        unit=answer.unit,
        convention=answer.convention,
        reason=_reason(answer.value),
        currency=record.currency if answer.unit is Unit.MONEY else UNSET,
        **rests_on(key, record),
    )


def _reason(stat: Stat) -> str:
    return "" if has_value(stat) else str(stat)


def metrics(request: Request, rows: Mapping[str, Rows]) -> list[Statistic]:
    """A row a statistic; those of returns say what they are taken of, and whether that is a short sample.

    Raises Invalid for a risk-free rate with a convention that has no form with one.
    """
    from domain.metrics.trading.catalogue import STATISTICS, Convention, reported

    convention, rate = request.get("convention", Convention.CANONICAL), request.get("risk_free", 0.0)
    if rate and convention not in (Convention.CANONICAL, Convention.PLATFORM):
        raise Invalid(f"convention {convention} has no form with a risk-free rate", code="bad_parameter")
    record = record_of(request, rows)
    statistics = []
    for key in request.get("keys") or STATISTICS:
        answer = reported(key, record, convention)
        if rate and key in _RATED and answer.value is not Reason.NO_TRADES:
            answer = _with_rate(key, record, rate)
        statistics.append(_statistic(key, answer, record))
    return statistics if request.get("keys") else [*statistics, *_dates(record.daily)]


_RATED = ("sharpe_ratio", "sortino_ratio")


def _with_rate(key: str, record: TradingRecord, rate: float) -> Answer:
    from domain.metrics.trading.catalogue import Answer, Convention, Unit
    from domain.metrics.trading.sharpe_ratio import sharpe_ratio
    from domain.metrics.trading.sortino_ratio import sortino_ratio

    form = sharpe_ratio if key == "sharpe_ratio" else sortino_ratio
    return Answer(form(record.daily.returns, record.daily.annual, rate), Unit.RATIO, Convention.CANONICAL)


def _dates(daily: Daily) -> Iterator[Statistic]:
    """When the largest drawdown began, was deepest and was made good."""
    from domain.metrics.trading.drawdown_dates import DrawdownDates, max_drawdown_dates

    dates = max_drawdown_dates(daily.returns, daily.index)
    for name in ("peak", "trough", "recovery"):
        day = getattr(dates, name) if isinstance(dates, DrawdownDates) else None
        reason = "not_recovered" if isinstance(dates, DrawdownDates) else str(dates)
        yield Statistic(
            key=f"max_drawdown_{name}",
            value=None if day is None else _day(day).isoformat(),
            unit="date",
            convention="canonical",
            reason=reason if day is None else "",
        )


def _day(number: int) -> date:
    """The day of a number since 1970."""
    return EPOCH.date() + timedelta(days=int(number))


def equity(request: Request, rows: Mapping[str, Rows]) -> list[EquityRow]:
    """A row a day, the start first. `equity` of closed trades alone begins at 0."""
    from domain.metrics.trading.equity_curve import equity_curve, pnl_curve, underwater_curve

    daily = record_of(request, rows).daily
    if not daily.index.size:
        return []
    pnl = pnl_curve(daily.pnl).tolist()
    index, below = equity_curve(daily.returns), underwater_curve(daily.returns)
    amounts = _in_money(daily, pnl)
    if isinstance(index, Reason) or isinstance(below, Reason) or isinstance(daily.returns, Reason):
        reasons = {"equity_index": str(index), "underwater": str(below), "return": str(index)}
        return [EquityRow(**row, equity_index=None, underwater=None, returned=None, reasons=reasons) for row in amounts]
    levels = zip(amounts, index.tolist(), below.tolist(), [None, *daily.returns.tolist()], strict=True)
    return [EquityRow(**row, equity_index=level, underwater=at, returned=day) for row, level, at, day in levels]


def _in_money(daily: Daily, pnl: Sequence[int]) -> Iterator[dict[str, Any]]:
    """What the curve is in money: whole trillionths as decimal text. A flow counts on the next day that there is."""
    import numpy as np

    from domain.metrics.trading.whole import running, sums_by

    days = daily.index.size
    places = np.searchsorted(daily.index, daily.flows.days, side="left").clip(0, days - 1)
    flows = sums_by(places, daily.flows.amounts, days)
    peak = 0
    for day, flow, flowed, earned in zip(daily.index, flows.tolist(), running(flows).tolist(), pnl, strict=True):
        peak = max(peak, earned)
        shown = {"pnl": earned, "equity": daily.starting_equity + flowed + earned, "flows": flow}
        shown["drawdown_money"] = earned - peak
        yield {"day": _day(day), "basis": daily.basis} | {name: money(each) for name, each in shown.items()}


def rolling(request: Request, rows: Mapping[str, Rows]) -> list[RollingRow]:
    """A row a window, by the day of its last return, or by the exit of its last trade."""
    from domain.metrics.trading.rolling_win_rate import rolling_win_rate

    record, statistic = record_of(request, rows), request.get("statistic")
    daily = record.daily
    window = request.get("window", WINDOW[statistic])
    if statistic == "win_rate":
        values: list[float] = rolling_win_rate(record.trades, window).tolist()
        closed = record.trades.closed_at[window - 1 :].tolist()
        exits = (show_time(EPOCH + timedelta(milliseconds=at)) for at in closed)
        return [RollingRow(closed_at=at, win_rate=value) for at, value in zip(exits, values, strict=True)]
    stats = list(_rolled(statistic, daily, window, request.get("risk_free", 0.0)))
    days = map(_day, daily.days[window - 1 :].tolist() if stats else ())
    return [
        RollingRow(day=day, basis=daily.basis, **or_reasons(**{statistic: stat}))
        for day, stat in zip(days, stats, strict=True)
    ]


def _rolled(statistic: str, daily: Daily, window: int, rate: float) -> Any:
    from domain.metrics.trading.rolling import rolling_sharpe, rolling_sortino, rolling_volatility

    if statistic == "volatility":
        return rolling_volatility(daily.returns, daily.annual, window)
    form = rolling_sharpe if statistic == "sharpe" else rolling_sortino
    return form(daily.returns, daily.annual, window, rate)


def periods(request: Request, rows: Mapping[str, Rows]) -> list[ReturnRow]:
    """A row a month or year: what its days returned."""
    from domain.metrics.trading.periodic_returns import periodic_returns

    daily, by = record_of(request, rows).daily, request.get("by", "month")
    returns = periodic_returns(daily.returns, daily.days, by, request.calendar.fiscal_year_starts)
    return [
        ReturnRow(
            **dict[str, Any]({by: int(key) if by == "year" else key}),
            returned=stat if has_value(stat) else None,
            basis=daily.basis,
            reasons={} if has_value(stat) else {"return": str(stat)},
        )
        for key, stat in returns.items()
    ]


def users(request: Request) -> Mapping[str, Select]:
    """How many users traded in the period, and how many of them earned money."""
    only = {name: str(request.get(name)) for name in OF_USERS if request.get(name) is not None}
    span = request.get("from"), request.get("to")
    return {"users": traders(request.company, span, request.asked_at, rates_of(request), **only)}


OF_USERS = ("strategy", "symbol", "side", "currency")


def profitable(_request: Request, rows: Mapping[str, Rows]) -> list[UserShare]:
    """The share, and of how many. Raises NoAmount where what somebody earned is of several currencies and is none."""
    from domain.metrics.trading.profitable_user_share import profitable_user_share

    (row,) = rows["users"]
    stat = profitable_user_share(int(row["profitable"]), int(row["users"]))
    return [
        UserShare(
            key="profitable_user_share",
            value=measure(stat, Unit.FRACTION),
            unit="fraction",
            convention="canonical",
            reason=_reason(stat),
            users=int(row["users"]),
            profitable_users=int(row["profitable"]),
        )
    ]


def _of_record(
    name: str, summary: str, combine: Callable[..., list[AnyRow]], row: type[AnyRow], *params: Param, kept: bool = False
) -> Composed[AnyRow]:
    return Composed(
        name, summary, (*RECORD, *params), parts, combine, row, version=2, slow=many, kept=kept, any_zone=True
    )


TRADING_METRICS = _of_record(
    "trading_metrics",
    "Every trading statistic of a tenant, user, account, strategy, symbol, side or tag, in the convention asked for.",
    metrics,
    Statistic,
    Param("keys", "only these statistics, comma-separated", read_keys),
    Param(
        "convention",
        "canonical (default), quantstats, tradingview, freqtrade, backtesting or platform; each row says which it has",
        read_convention,
    ),
    RISK_FREE,
    kept=True,
)
TRADING_EQUITY = _of_record(
    "trading_equity",
    "The equity and underwater curves by day: summed profit and loss, index of returns, distance below its peak.",
    equity,
    EquityRow,
)
TRADING_ROLLING = _of_record(
    "trading_rolling",
    "A ratio of the last so many returns, or the win rate of the last so many trades, as it moved.",
    rolling,
    RollingRow,
    Param("statistic", f"one of {', '.join(WINDOW)}", read_choice(*WINDOW), required=True),
    Param("window", "returns (63 by default) or trades (20) of a window", read_whole(2, LONGEST_WINDOW)),
    RISK_FREE,
)
TRADING_RETURNS = _of_record(
    "trading_returns",
    "What each calendar month or year returned.",
    periods,
    ReturnRow,
    Param("by", "month (default) or year", read_choice("month", "year")),
)
PROFITABLE_USERS = Composed(
    "profitable_users",
    "Share of the users who traded whose trades together earned money.",
    (*PERIOD, *(param for param in FILTERS if param.name in OF_USERS), RATES, LIST_RATES),
    users,
    profitable,
    UserShare,
    any_zone=True,
)
