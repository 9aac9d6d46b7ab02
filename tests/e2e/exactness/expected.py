"""What the queries must answer, told from the recount alone: for each query some questions, with all their rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Context, Decimal
from fractions import Fraction
from typing import Any, NamedTuple, TypeVar

from tests.e2e.exactness.recount import (
    DAY,
    HOUR,
    MINUTE,
    ONE,
    Action,
    Books,
    Measured,
    Trade,
    half_even,
    trillionths,
    utc,
)

Row = dict[str, Any]
Item = TypeVar("Item")
Dimensions = Mapping[str, Callable[[Any], Any]]


class Near(NamedTuple):
    """A quantile: the answer may be at most 1 % off the exact value."""

    exact: float

    def admits(self, answer: object) -> bool:
        """Whether the answer is near enough; a little more is for values near 0."""
        return isinstance(answer, int | float) and abs(answer - self.exact) <= abs(self.exact) * 0.01 + 1e-6


class Question(NamedTuple):
    """A question of one company with the rows of its answer. `counts`: the measure that counts events, if any."""

    query: str
    params: dict[str, str]
    keys: tuple[str, ...]
    rows: list[Row]
    counts: str = ""


def money(trillionths: int) -> str:
    """A decimal text, trailing zeros trimmed."""
    text = f"{Decimal(trillionths).scaleb(-12, Context(prec=60)):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def money_of(exact: Fraction) -> str:
    """A fraction of trillionths as money."""
    return money(half_even(exact))


def time(ms: int) -> str:
    """ISO 8601 with Z."""
    moment = utc(ms)
    return moment.isoformat(timespec="milliseconds" if ms % 1000 else "seconds").replace("+00:00", "Z")


def day(ms: int) -> str:
    """The UTC day."""
    return utc(ms).date().isoformat()


def calendar(at: Callable[[Any], int]) -> Dimensions:
    """The dimensions of a time."""
    return {
        "hour": lambda item: time(at(item) // HOUR * HOUR),
        "day": lambda item: day(at(item)),
        "weekday": lambda item: utc(at(item)).weekday(),
        "month": lambda item: day(at(item))[:7],
        "year": lambda item: int(day(at(item))[:4]),
    }


def grouped(items: Iterable[Item], by: Sequence[str], dimensions: Dimensions) -> Iterator[tuple[Row, list[Item]]]:
    """The items of each group with the group's dimensions; without dimensions one group, also of nothing."""
    groups: defaultdict[tuple[Any, ...], list[Item]] = defaultdict(list)
    if not by:
        groups[()] = []
    for item in items:
        groups[tuple([dimensions[name](item) for name in by])].append(item)
    for key in sorted(groups):
        yield dict(zip(by, key, strict=True)), groups[key]


def totals(
    query: str,
    items: Sequence[Any],
    bys: Sequence[str],
    dimensions: Dimensions,
    measure: Callable[[Any], Row],
    counts: str,
) -> Iterator[Question]:
    """One question for each list of dimensions."""
    for by in bys:
        names = tuple(filter(None, by.split(",")))
        rows = [key | measure(group) for key, group in grouped(items, names, dimensions)]
        yield Question(query, {"by": by} if by else {}, names, rows, counts)


def attribute(name: str) -> Callable[[Any], Any]:
    """A dimension that is an attribute of the item."""
    return lambda item: getattr(item, name)


TRADING: Dimensions = {
    **{name: attribute(name) for name in ("user_id", "account_id", "strategy", "symbol", "side")},
    **calendar(attribute("closed_at")),
    "entry_hour": lambda trade: trade.opened_at % DAY // HOUR if trade.opened_at else -1,
}


def trade_totals(trades: Sequence[Trade]) -> Row:
    """Totals of closed trades with the ratios that follow."""
    won = [trade.pnl for trade in trades if trade.pnl > 0]
    lost = [-trade.pnl for trade in trades if trade.pnl < 0]
    profit, loss = sum(won), sum(lost)
    mean_win = Fraction(profit, len(won)) if won else None
    mean_loss = Fraction(loss, len(lost)) if lost else None
    return {
        "total_trades": len(trades),
        "winning_trades": len(won),
        "losing_trades": len(lost),
        "breakeven_trades": len(trades) - len(won) - len(lost),
        "total_pnl": money(profit - loss),
        "gross_profit": money(profit),
        "gross_loss": money(loss),
        "total_fees": money(sum(trade.fees for trade in trades)),
        "turnover": money(sum(trade.turnover for trade in trades)),
        "largest_win": money(max(won)) if won else None,
        "largest_loss": money(-max(lost)) if lost else None,
        "win_rate": len(won) / len(trades) if trades else None,
        "average_win": money_of(mean_win) if mean_win is not None else None,
        "average_loss": money_of(-mean_loss) if mean_loss is not None else None,
        "profit_factor": profit / loss if lost else None,
        "payoff_ratio": float(mean_win / mean_loss) if mean_win is not None and mean_loss is not None else None,
        "expectancy": money_of(Fraction(profit - loss, len(trades))) if trades else None,
    }


def trading(books: Books) -> Iterator[Question]:
    """Totals, the ledger, booked days and marked values."""
    bys = (
        "",
        "user_id,day",
        "account_id,side",
        "strategy,symbol,weekday",
        "hour",
        "month,symbol",
        "year",
        "entry_hour",
    )
    yield from totals("trading_totals", books.trades, bys, TRADING, trade_totals, "total_trades")
    symbol = [trade for trade in books.trades if trade.symbol == "BTC" and trade.side == "short"]
    rows = [key | trade_totals(group) for key, group in grouped(symbol, ("user_id",), TRADING)]
    yield Question("trading_totals", {"by": "user_id", "symbol": "BTC", "side": "short"}, ("user_id",), rows)
    yield Question("trades", {}, ("trade_id",), sorted(map(_ledger, books.trades), key=lambda row: row["trade_id"]))
    yield Question(
        "account_days", {}, ("user_id", "account_id", "day", "currency"), list(_account_days(books)), "trades"
    )
    yield Question("account_values", {}, ("user_id", "account_id", "day", "currency"), list(_account_values(books)))


def _ledger(trade: Trade) -> Row:
    row: Row = trade._asdict()
    del row["turnover"]
    for name in ("quantity", "entry_price", "exit_price", "pnl", "fees"):
        row[name] = money(row[name])
    for name in ("max_adverse_excursion", "max_favourable_excursion"):
        row[name] = money(row[name]) if row[name] is not None else None
    return row | {"opened_at": time(trade.opened_at) if trade.opened_at else None, "closed_at": time(trade.closed_at)}


def _account_days(books: Books) -> Iterator[Row]:
    booked: defaultdict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for trade in books.trades:
        entry = booked[trade.user_id, trade.account_id, day(trade.closed_at)]
        entry[:3] = entry[0] + 1, entry[1] + trade.pnl, entry[2] + trade.fees
    for flow in books.flows:
        booked[flow.user_id, flow.account_id, day(flow.at)][3] += flow.amount
    for (user, account, on), (trades, pnl, fees, flows) in sorted(booked.items()):
        row = {"user_id": user, "account_id": account, "day": on, "currency": "USD", "trades": trades}
        yield row | {"pnl": money(pnl), "fees": money(fees), "flows": money(flows)}


def _account_values(books: Books) -> Iterator[Row]:
    for (user, account, on), report in sorted(books.values.items()):
        value = report.payload
        row = {"user_id": user, "account_id": account, "day": day(on * DAY), "at": time(value["at"])}
        amounts = {name: money(trillionths(value[name])) for name in ("equity", "balance")}
        yield row | amounts | {"currency": value["currency"]}


def activity(books: Books) -> Iterator[Question]:
    """What users did, features, sessions, and who was seen when."""
    first: dict[str, int] = {}
    for action in books.actions:
        first[action.user_id] = min(first.get(action.user_id, action.at), action.at)

    visits = list(_visits(books.actions))
    begin = {id(visit[0]) for visit in visits}

    def all_users(done: Sequence[Action]) -> Row:
        return _done(done) | {"sessions": sum(id(action) in begin for action in done)}

    def users(done: Sequence[Action]) -> Row:
        new = {action.user_id for action in done if day(action.at) == day(first[action.user_id])}
        return all_users(done) | {"active_users": len({a.user_id for a in done}), "new_users": len(new)}

    by_time = {"user_id": attribute("user_id"), "feature": attribute("feature"), **calendar(attribute("at"))}
    yield from totals("user_activity", books.actions, ("", "user_id,day", "day", "month"), by_time, users, "events")
    yield from totals("activity_totals", books.actions, ("", "day", "month"), by_time, all_users, "events")
    uses = [action for action in books.actions if action.name == "feature_used"]
    bys = ("feature", "feature,user_id,day", "month")
    yield from totals("feature_usage", uses, bys, by_time, _uses, "uses")
    yield Question("sessions", {}, ("user_id", "session_id", "started"), list(_sessions(visits)), "events")
    seen = [
        {"user_id": key["user_id"], "first_seen": time(min(a.at for a in of)), "last_seen": time(max(a.at for a in of))}
        for key, of in grouped(books.actions, ("user_id",), by_time)
    ]
    yield Question("users_seen", {}, ("user_id",), seen)


def _done(done: Sequence[Action]) -> Row:
    names = [action.name for action in done]
    counted = {"page_views": "page_view", "impressions": "impression", "clicks": "click"}
    counted |= {"feature_uses": "feature_used", "conversions": "conversion"}
    return {"events": len(done), **{measured: names.count(name) for measured, name in counted.items()}}


def _uses(done: Sequence[Action]) -> Row:
    return {"uses": len(done), "users": len({action.user_id for action in done})}


def _visits(actions: Sequence[Action]) -> Iterator[list[Action]]:
    """The actions of each session in their order; those that name none are cut where a pause exceeds half an hour."""
    by = {"user_id": attribute("user_id"), "session_id": attribute("session_id")}
    for key, done in grouped(actions, tuple(by), by):
        visit: list[Action] = []
        for action in sorted(done, key=attribute("at")):
            if visit and not key["session_id"] and action.at - visit[-1].at > HOUR // 2:
                yield visit
                visit = []
            visit.append(action)
        yield visit


def _sessions(visits: Iterable[list[Action]]) -> Iterator[Row]:
    for visit in visits:
        key = {"user_id": visit[0].user_id, "session_id": visit[0].session_id, "started": time(visit[0].at)}
        yield key | {"ended": time(visit[-1].at), "events": len(visit)}


def _quantiles(values: Sequence[int]) -> Row:
    ordered = sorted(values)
    ranks = {name: -(-len(ordered) * percent // 100) for name, percent in (("p50", 50), ("p95", 95), ("p99", 99))}
    return {name: Near(ordered[rank - 1] / ONE) if ordered else None for name, rank in ranks.items()}


def _measured(found: Sequence[Measured]) -> Row:
    values = [one.value for one in found]
    extremes = {"min": min(values) / ONE, "max": max(values) / ONE} if values else {"min": None, "max": None}
    return {"count": len(values), "sum": sum(values) / ONE, **extremes, **_quantiles(values)}


def _performed(found: Sequence[Measured]) -> Row:
    row = _measured(found)
    errors = sum(one.outcome == "error" for one in found)
    renamed = {f"duration_{name}": row.pop(name) for name in ("sum", "min", "max")}
    return row | renamed | {"errors": errors, "error_rate": errors / len(found) if found else None}


def system(books: Books) -> Iterator[Question]:
    """Measured values and operations."""
    by: dict[str, Callable[[Any], Any]] = {name: attribute(name) for name in ("service", "metric", "outcome")}
    by |= {**calendar(attribute("at")), "operation": attribute("metric")}
    by["minute"] = lambda one: time(one.at // MINUTE * MINUTE)
    bys = ("", "service,metric,day", "metric", "service,hour")
    yield from totals("system_metrics", books.metrics, bys, by, _measured, "count")
    some_hour = [one for one in books.metrics if BEGIN_OF_DAY_3 <= one.at < BEGIN_OF_DAY_3 + 6 * HOUR]
    rows = [key | _measured(of) for key, of in grouped(some_hour, ("metric", "minute"), by)]
    period = {"from": time(BEGIN_OF_DAY_3), "to": time(BEGIN_OF_DAY_3 + 6 * HOUR)}
    yield Question("system_metrics", {"by": "metric,minute", **period}, ("metric", "minute"), rows)
    bys = ("", "service,operation,outcome,day", "outcome", "operation,hour")
    yield from totals("operations", books.operations, bys, by, _performed, "count")


BEGIN_OF_DAY_3 = 1_759_536_000_000  # 2025-10-04, UTC
