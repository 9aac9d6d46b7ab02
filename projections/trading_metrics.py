"""Trading metrics: every statistic of a record, its curves and rolling forms, from the ledger when asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from domain.errors import Invalid
from domain.metrics.value import Reason, Stat, known
from projections.engine.composed import Composed, Rows, Select
from projections.engine.query import Param, Request, Statement, read_choice
from projections.engine.show import money
from projections.trading_record import FILTERS, PERIOD, RECORD, asked, read_record

if TYPE_CHECKING:
    from domain.metrics.trading.catalogue import Answer
    from domain.metrics.trading.daily import Daily
    from domain.metrics.trading.record import TradingRecord

Row = dict[str, Any]
WINDOW = {"win_rate": 20, "sharpe": 63, "sortino": 63, "volatility": 63}
LONGEST_WINDOW = 10_000
FEW_TRADES = 1_000  # every statistic of so many takes one or two milliseconds


def read_convention(text: str) -> Any:
    """One of the conventions."""
    from domain.metrics.trading.catalogue import Convention

    if text not in list(Convention):
        raise ValueError(f"{text!r} is none of {', '.join(Convention)}")
    return Convention(text)


def read_keys(text: str) -> tuple[str, ...]:
    """Keys of statistics."""
    from domain.metrics.trading.catalogue import STATISTICS

    keys = tuple(filter(None, text.split(",")))
    unknown = [key for key in keys if key not in STATISTICS]
    if unknown:
        raise ValueError(f"{', '.join(unknown)} is no trading statistic; there are {', '.join(STATISTICS)}")
    return keys


def read_rate(text: str) -> float:
    """A yearly rate above −1, as a fraction."""
    rate = float(text)
    if not -1 < rate < 100:
        raise ValueError(f"{text!r} is no yearly rate as a fraction, such as 0.02")
    return rate


def read_window(text: str) -> int:
    """How many returns or trades a window has."""
    if not text.isdecimal() or not 2 <= int(text) <= LONGEST_WINDOW:
        raise ValueError(f"{text!r} is no number from 2 to {LONGEST_WINDOW}")
    return int(text)


RISK_FREE = Param(
    "risk_free", "yearly risk-free rate of Sharpe and Sortino ratios as a fraction; 0 by default", read_rate
)


def parts(request: Request) -> Mapping[str, Select]:
    """One statement: the record."""
    return {"record": asked(request)}


def record_of(request: Request, rows: Mapping[str, Rows]) -> TradingRecord:
    """The record out of the statement's row."""
    return read_record(request, rows["record"][0])


def value_of(stat: Stat, unit: str) -> Any:
    """A value as answers show it: money exact in decimal text, whole counts, other measures as numbers."""
    if not known(stat):
        return None
    if unit == "money":
        return amount(stat)
    return int(stat) if unit in ("count", "days") else float(stat)


def amount(millionths: float) -> str:
    """Money as decimal text; a mean, which is no whole number of millionths, with the digits that it has."""
    if millionths == round(millionths):
        return money(round(millionths))
    return format(Decimal(repr(float(millionths))).scaleb(-6), "f")


def valued(key: str, answer: Answer) -> Row:
    """A statistic's row: value, unit, convention, and the reason where there is no value."""
    row = {"key": key, "value": value_of(answer.value, answer.unit), "unit": answer.unit}
    row |= {"convention": answer.convention}
    return row if known(answer.value) else {**row, "reason": answer.value}


def metrics(request: Request, rows: Mapping[str, Rows]) -> Rows:
    """A row a statistic; those of returns say what they are taken of, and whether that is a short sample."""
    from domain.metrics.trading.catalogue import STATISTICS, Convention, Reads, answer

    convention, rate = request.get("convention", Convention.CANONICAL), request.get("risk_free", 0.0)
    if rate and convention not in (Convention.CANONICAL, Convention.PLATFORM):
        raise Invalid(f"convention {convention} has no form with a risk-free rate", code="bad_parameter")
    record = record_of(request, rows)
    sample = _sample(record.daily)
    found = []
    for key in request.get("keys") or STATISTICS:
        given = _with_rate(key, record, rate) if rate and key in _RATED else answer(key, record, convention)
        of_trades = STATISTICS[key].reads is Reads.TRADES
        found.append(valued(key, given) if of_trades else valued(key, given) | sample)
    return found if request.get("keys") else [*found, *_dates(record.daily)]


_RATED = ("sharpe_ratio", "sortino_ratio")


def _with_rate(key: str, record: TradingRecord, rate: float) -> Answer:
    from domain.metrics.trading.catalogue import Answer, Convention, Unit
    from domain.metrics.trading.sharpe_ratio import sharpe_ratio
    from domain.metrics.trading.sortino_ratio import sortino_ratio

    form = sharpe_ratio if key == "sharpe_ratio" else sortino_ratio
    return Answer(form(record.daily.returns, record.daily.annual, rate), Unit.RATIO, Convention.CANONICAL)


def _sample(daily: Daily) -> Row:
    """What a ratio of returns rests on."""
    from domain.metrics.trading.returns import SHORT

    return {"basis": daily.basis, "days": int(daily.pnl.size), "short_sample": bool(daily.pnl.size < SHORT)}


def _dates(daily: Daily) -> Iterator[Row]:
    """When the largest drawdown began, was deepest and was made good."""
    from domain.metrics.trading.drawdown_dates import DrawdownDates, max_drawdown_dates

    dates = max_drawdown_dates(daily.returns, daily.index)
    for name in ("peak", "trough", "recovery"):
        row = {"key": f"max_drawdown_{name}", "value": None, "unit": "date", "convention": "canonical"}
        if not isinstance(dates, DrawdownDates):
            yield {**row, "reason": dates}
        elif (day := getattr(dates, name)) is None:
            yield {**row, "reason": "not_recovered"}
        else:
            yield {**row, "value": day_text(day)}


def day_text(day: int) -> str:
    """A day, by its number since 1970, as answers show it."""
    from datetime import date

    return date.fromordinal(int(day) + date(1970, 1, 1).toordinal()).isoformat()


def equity(request: Request, rows: Mapping[str, Rows]) -> Rows:
    """A row a day, the start first: summed profit and loss, the index of returns and how far it is below its peak."""
    from domain.metrics.trading.equity_curve import equity_curve, pnl_curve, underwater_curve

    daily = record_of(request, rows).daily
    if not daily.index.size:
        return []
    index, below = equity_curve(daily.returns), underwater_curve(daily.returns)
    found = [
        {"day": day_text(day), "pnl": money(int(summed))}
        for day, summed in zip(daily.index.tolist(), pnl_curve(daily.pnl).tolist(), strict=True)
    ]
    if isinstance(index, Reason) or isinstance(below, Reason):
        nothing = {"equity_index": None, "underwater": None, "reasons": {"equity_index": index, "underwater": below}}
        return [row | nothing for row in found]
    levels = zip(found, index.tolist(), below.tolist(), strict=True)
    return [row | {"equity_index": level, "underwater": depth} for row, level, depth in levels]


def rolling(request: Request, rows: Mapping[str, Rows]) -> Rows:
    """A row a window, by the day of its last return, or by the exit of its last trade."""
    from domain.metrics.trading.rolling_win_rate import rolling_win_rate

    record, statistic = record_of(request, rows), request.get("statistic")
    window = request.get("window", WINDOW[statistic])
    if statistic == "win_rate":
        values: list[Stat] = rolling_win_rate(record.trades, window).tolist()
        closed = record.trades.closed_at[window - 1 :].tolist()
        return [{"closed_at": moment_text(at), "win_rate": value} for at, value in zip(closed, values, strict=True)]
    stats = list(_rolled(statistic, record.daily, window, request.get("risk_free", 0.0)))
    days = map(day_text, record.daily.days[window - 1 :].tolist() if stats else ())
    return [{"day": day} | _or_reason(statistic, stat) for day, stat in zip(days, stats, strict=True)]


def _rolled(statistic: str, daily: Daily, window: int, rate: float) -> Any:
    from domain.metrics.trading.rolling import rolling_sharpe, rolling_sortino, rolling_volatility

    if statistic == "volatility":
        return rolling_volatility(daily.returns, daily.annual, window)
    form = rolling_sharpe if statistic == "sharpe" else rolling_sortino
    return form(daily.returns, daily.annual, window, rate)


def _or_reason(name: str, stat: Stat) -> Row:
    return {name: stat} if known(stat) else {name: None, "reasons": {name: stat}}


def moment_text(at: int) -> str:
    """A time, in ms since 1970 UTC, as answers show it."""
    from datetime import UTC, datetime, timedelta

    from projections.engine.query import show_time

    return show_time(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at))


def periods(request: Request, rows: Mapping[str, Rows]) -> Rows:
    """A row a month or year: what its days returned."""
    from domain.metrics.trading.periodic_returns import periodic_returns

    daily, by = record_of(request, rows).daily, request.get("by", "month")
    found = periodic_returns(daily.returns, daily.days, by)
    return [{by: int(key) if by == "year" else key} | _or_reason("return", stat) for key, stat in found.items()]


def users(request: Request) -> Mapping[str, Select]:
    """What each user of the period earned, as the signs of the sums."""
    from projections.engine.packed import integers

    where, params = ["company_id = %s"], list[object]([request.company])
    for name in ("strategy", "symbol", "side"):
        if request.get(name) is not None:
            where.append(f"{name} = %s")
            params.append(request.get(name))
    for bound, operator in (("from", ">="), ("to", "<")):
        if request.get(bound) is not None:
            where.append(f"hour {operator} %s")
            params.append(request.get(bound))
    sql = (
        f"SELECT {integers('sign')} AS signs FROM (SELECT SIGN(SUM(total_pnl))::int AS sign"
        f" FROM {{trading_by_hour}} WHERE {' AND '.join(where)} GROUP BY user_id) AS summed"
    )
    return {"users": Select("trading", Statement(sql, tuple(params)))}


def profitable(request: Request, rows: Mapping[str, Rows]) -> Rows:
    """The share, and of how many."""
    from domain.metrics.trading.profitable_user_share import profitable_user_share
    from projections.engine.packed import read_integers

    signs = read_integers(rows["users"][0]["signs"])
    stat = profitable_user_share(signs)
    row = {"key": "profitable_user_share", "value": value_of(stat, "fraction"), "unit": "fraction"}
    row |= {"convention": "canonical", "users": int(signs.size), "profitable_users": int((signs > 0).sum())}
    return [row if known(stat) else {**row, "reason": stat}]


def _of_record(name: str, summary: str, combine: Callable[..., Rows], *params: Param, kept: bool = False) -> Composed:
    return Composed(name, summary, (*RECORD, *params), parts, combine, slow=_of_many_trades, kept=kept)


def _of_many_trades(rows: Mapping[str, Rows]) -> bool:
    return bool(rows["record"][0]["trades"] > FEW_TRADES)


TRADING_METRICS = _of_record(
    "trading_metrics",
    "Every trading statistic of a tenant, user, account, strategy, symbol, side or tag, in the convention asked for.",
    metrics,
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
)
TRADING_ROLLING = _of_record(
    "trading_rolling",
    "A ratio of the last so many returns, or the win rate of the last so many trades, as it moved.",
    rolling,
    Param("statistic", f"one of {', '.join(WINDOW)}", read_choice(*WINDOW), required=True),
    Param("window", "returns (63 by default) or trades (20) of a window", read_window),
    RISK_FREE,
)
TRADING_RETURNS = _of_record(
    "trading_returns",
    "What each calendar month or year returned.",
    periods,
    Param("by", "month (default) or year", read_choice("month", "year")),
)
PROFITABLE_USERS = Composed(
    "profitable_users",
    "Share of the users who traded whose trades together earned money.",
    (*PERIOD, *(param for param in FILTERS if param.name in ("strategy", "symbol", "side"))),
    users,
    profitable,
    slow=True,
)
