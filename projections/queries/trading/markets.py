"""Markets: how prices moved, what moves together, and what their series say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import combinations, groupby, pairwise
from typing import TYPE_CHECKING, Any

from msgspec import field

from domain.decimals import ONE
from domain.errors import LimitExceeded
from domain.events.catalogue import INTERVALS
from domain.insights.finding import Kind
from domain.metrics.value import Reason, Stat
from projections.engine.query.answer_row import AnswerRow, Rows, or_reasons
from projections.engine.query.composed import Composed, Select
from projections.engine.query.formatting import money
from projections.engine.query.packed_columns import bounded
from projections.engine.query.params import FROM, LISTED, TO, Param, read_choice, read_names
from projections.engine.query.plain import Statement
from projections.engine.query.request import Request
from projections.engine.worker_process import MODELS
from projections.market_bars import EPOCH, length, preference
from projections.queries.insights.daily_series import FROM as FROM_DAY
from projections.queries.insights.daily_series import TO as TO_DAY
from projections.queries.insights.daily_series import window
from projections.queries.insights.series import findings_in
from projections.queries.insights.shape import Insight
from projections.queries.trading import record

if TYPE_CHECKING:
    from domain.metrics.trading.returns import Returns

MOST_BARS = 200_000
MOST_NAMES = 100  # correlated with each other: 4,950 pairs
YEAR = timedelta(days=365)
KINDS = (Kind.TREND, Kind.CHANGE_POINTS, Kind.ANOMALIES)  # kinds that say something of a price
MOST_MARKETS = 20  # that are looked into at once

# As `market_bars` rolls them up, of many symbols: of each cell the most preferred interval counts.
CLOSES = """
SELECT symbol, bar AS start, (array_agg(close ORDER BY start DESC))[1] AS close, SUM(volume) AS volume
FROM (
    SELECT *, CASE WHEN rank = 1 THEN start ELSE cell END AS bar, MIN(rank) OVER (PARTITION BY symbol, cell) AS best
    FROM (
        SELECT *, date_bin(%s, start, %s) AS cell, array_position(%s::text[], interval) AS rank
        FROM {{market_bar}} WHERE company_id = %s AND interval = ANY(%s) AND start >= %s AND start < %s{of_symbols}
    ) AS placed
) AS ranked
WHERE rank = best GROUP BY symbol, bar ORDER BY symbol, bar LIMIT {limit}
"""


class Market(AnswerRow, kw_only=True):
    """A market: last price, change and deepest fall as fractions, annualised volatility, units traded, bars seen."""

    symbol: str
    last: str
    volume: str
    bars: int
    change: float | None
    volatility: float | None
    max_drawdown: float | None
    reasons: dict[str, str] = field(default_factory=dict)


class Pair(AnswerRow, kw_only=True):
    """Two that are compared, how many moves both have, and the correlation of these."""

    first: str
    second: str
    observations: int
    correlation: float | None
    reason: str = ""
    reasons: dict[str, str] = field(default_factory=dict)


def closes(company: str, interval: str, begin: datetime, end: datetime, symbols: Sequence[str]) -> Select:
    """The last price and the volume of each bar that begins in the period, of these symbols or of all."""
    intervals = preference(interval)
    params: list[object] = [length(interval), EPOCH, intervals, company, intervals, begin, end]
    of_symbols = " AND symbol = ANY(%s)" if symbols else ""
    sql = CLOSES.format(of_symbols=of_symbols, limit=MOST_BARS + 1)
    return Select("market_bars", Statement(sql, (*params, *([list(symbols)] if symbols else []))))


def _markets(rows: Rows) -> Iterator[tuple[str, Rows]]:
    """The bars of each symbol. Raises LimitExceeded for too many."""
    bounded(len(rows), MOST_BARS, "bars")
    return ((symbol, list(bars)) for symbol, bars in groupby(rows, key=lambda row: str(row["symbol"])))


def _bars(request: Request) -> Mapping[str, Select]:
    begin = request.get("from", EPOCH)
    end = request.get("to") or request.asked_at.exact
    return {"closes": closes(request.company, _interval(request), begin, end, request.get("symbols", ()))}


def _interval(request: Request) -> str:
    return str(request.get("interval", "1d"))


def _returns(bars: Rows) -> Returns:
    """From bar to bar; a price that was nothing gives none."""
    import numpy as np

    prices = np.array([float(bar["close"]) for bar in bars])
    before = np.where(prices[:-1] > 0, prices[:-1], np.nan)
    returns = prices[1:] / before - 1
    return np.asarray(returns[np.isfinite(returns)], dtype=np.float64)


def market(request: Request, answers: Mapping[str, Rows]) -> list[Market]:
    """A row a market: last price, change, volatility, volume, deepest fall."""
    from domain.metrics.trading.max_drawdown import max_drawdown
    from domain.metrics.trading.volatility import volatility

    a_year = 252 if _interval(request) == "1d" else round(YEAR / length(_interval(request)))
    rows = []
    for symbol, bars in _markets(answers["closes"]):
        returns = _returns(bars)
        stats = or_reasons(
            change=_change(bars), volatility=volatility(returns, a_year), max_drawdown=max_drawdown(returns)
        )
        volume = sum(int(bar["volume"]) for bar in bars)
        rows.append(Market(symbol=symbol, last=money(bars[-1]["close"]), volume=money(volume), bars=len(bars), **stats))
    return rows


def _change(bars: Rows) -> Stat:
    first, last = int(bars[0]["close"]), int(bars[-1]["close"])
    if len(bars) < 2:
        return Reason.TOO_FEW
    return (last - first) / first if first > 0 else Reason.ZERO_DENOMINATOR


INTERVAL = Param("interval", f"length of a bar: {', '.join(INTERVALS)}; 1d without it", read_choice(*INTERVALS))
MARKETS = Composed(
    "markets",
    "How markets moved in a period: last price, change, annualised volatility, volume and deepest fall of each symbol.",
    (Param("symbols", f"only these, {LISTED}; all without it", read_names), INTERVAL, FROM, TO),
    _bars,
    market,
    Market,
    slow=True,
    open_to_members=True,
)

# ---- what moves together

Moves = Mapping[Any, float]  # by moment or day
OF = ("symbols", "strategies", "accounts")
CUT = {"strategies": "strategy", "accounts": "account_id"}


def _correlated(request: Request) -> Mapping[str, Select]:
    of, names = request.get("of", OF[0]), request.get("names", ())
    if of == OF[0]:
        begin, end = request.get("from", EPOCH), request.get("to") or request.asked_at.exact
        return {"closes": closes(request.company, _interval(request), begin, end, names)}
    return {"record": record.select_record(_scope(request))}


def _scope(request: Request) -> record.Scope:
    by = CUT[request.get("of")]
    return record.Scope(
        request.company, request.get("from"), request.get("to"), request.asked_at, by=(by,), calendar=request.calendar
    )


def pairs(request: Request, answers: Mapping[str, Rows]) -> list[Pair]:
    """Every pair once: the correlation of the moves that both have. Raises LimitExceeded for too many names."""
    import numpy as np

    from domain.metrics.trading.correlation import correlation

    moves = dict(MOVES[request.get("of", OF[0])](request, answers))
    names = request.get("names") or sorted(moves)
    if len(names) > MOST_NAMES:
        raise LimitExceeded(f"{len(names)} names are more than {MOST_NAMES}", suggested_actions=("Name fewer.",))
    rows = []
    for first, second in combinations(sorted(names), 2):
        one, other = moves.get(first, {}), moves.get(second, {})
        both = sorted(one.keys() & other.keys())
        stat = correlation(np.array([one[at] for at in both]), np.array([other[at] for at in both]))
        reason = str(stat) if isinstance(stat, Reason) else ""
        rows.append(
            Pair(first=first, second=second, observations=len(both), reason=reason, **or_reasons(correlation=stat))
        )
    return rows


def _of_symbols(_request: Request, answers: Mapping[str, Rows]) -> Iterator[tuple[str, Moves]]:
    for symbol, bars in _markets(answers["closes"]):
        yield (
            symbol,
            {
                after["start"]: int(after["close"]) / int(before["close"]) - 1
                for before, after in pairwise(bars)
                if int(before["close"]) > 0
            },
        )


def _of_strategies(request: Request, answers: Mapping[str, Rows]) -> Iterator[tuple[str, Moves]]:
    for (name,), each in record.read_records(_scope(request), answers["record"]):
        of = record.of_one_currency(each)
        yield str(name), dict(zip(of.daily.days.tolist(), map(float, of.daily.pnl.tolist()), strict=True))


def _of_accounts(request: Request, answers: Mapping[str, Rows]) -> Iterator[tuple[str, Moves]]:
    for (name,), each in record.read_records(_scope(request), answers["record"]):
        of = record.of_one_currency(each)
        if not isinstance(of.daily.returns, Reason):
            yield str(name), dict(zip(of.daily.days.tolist(), of.daily.returns.tolist(), strict=True))
        else:
            yield str(name), {}


MOVES: Mapping[str, Callable[[Request, Mapping[str, Rows]], Iterator[tuple[str, Moves]]]] = {
    "symbols": _of_symbols,
    "strategies": _of_strategies,
    "accounts": _of_accounts,
}
CORRELATIONS = Composed(
    "correlations",
    "What moves together: the correlation of returns of symbols or accounts, or of what strategies earned each day.",
    (
        Param("of", f"one of {', '.join(OF)}; {OF[0]} without it", read_choice(*OF)),
        Param("names", f"only these, {LISTED}; all without it", read_names),
        INTERVAL,
        FROM,
        TO,
    ),
    _correlated,
    pairs,
    Pair,
    slow=True,
    any_zone=True,
)

# ---- what their series say


def _daily_closes(request: Request) -> Mapping[str, Select]:
    begin, end = (datetime(day.year, day.month, day.day, tzinfo=UTC) for day in window(request))
    return {"closes": closes(request.company, "1d", begin, end, request.get("symbols", ()))}


def said(request: Request, answers: Mapping[str, Rows]) -> list[Insight]:
    """A row for each symbol and kind. Raises LimitExceeded for too many symbols."""
    from domain.insights.daily import Fill, daily

    begin, end = window(request)
    markets = list(_markets(answers["closes"]))
    if len(markets) > MOST_MARKETS:
        raise LimitExceeded(f"{len(markets)} markets are more than {MOST_MARKETS}", suggested_actions=("Name some.",))
    rows: list[Insight] = []
    for symbol, bars in markets:
        observed: dict[date, float] = {bar["start"].astimezone(UTC).date(): int(bar["close"]) / ONE for bar in bars}
        params = {"symbol": symbol, "interval": "1d", "from": begin.isoformat(), "to": end.isoformat()}
        evidence = {"query": "market_bars", "params": params, "measure": "close", "days": len(observed)}
        about = {"metric": "close", "symbol": symbol, "unit": "price", "evidence": evidence}
        rows += MODELS.run(findings_in, request.company, KINDS, daily(observed, end, Fill.PREVIOUS), about)
    return rows


MARKET_INSIGHTS = Composed(
    "market_insights",
    f"What the daily closes of markets say: {', '.join(KINDS)} of each symbol, as `insights` says it of metrics.",
    (Param("symbols", f"only these, {LISTED}; all without it", read_names), FROM_DAY, TO_DAY),
    _daily_closes,
    said,
    Insight,
    apart=True,
    open_to_members=True,
)
