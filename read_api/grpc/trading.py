"""Trading over gRPC: totals, leagues, grids, curves and the ledger, in protobuf."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from services.trading_pb2 import GetEquityCurveRequest, GetTimeAnalysisRequest

from domain.metrics.catalogue import METRICS
from read_api.grpc.rpc import Answer, Answers, Rpc, one
from read_api.grpc.scope import QueryCall, about, names, page

Row = Mapping[str, Any]
OF_RETURNS = ("sharpe_ratio", "sortino_ratio", "max_drawdown", "calmar_ratio")  # what totals do not have
CUT = frozenset(METRICS[OF_RETURNS[0]].dimensions)
BY_TIME = "no_daily_series"  # the reason where trades are split by times of the day or week
FEW = 30


def _totals(request: Any) -> Mapping[str, QueryCall]:
    """The totals; statistics of the daily series, too, where whole days are looked at."""
    by = names(request.by)
    asked = {"totals": about("trading_totals", request.scope, by=by)}
    if {*request.by, *request.scope.filters} <= CUT:
        asked["returns"] = about("metrics", request.scope, by=by, keys=",".join(OF_RETURNS))
    return asked


def _trading(request: Any, answers: Answers) -> Row:
    returns: dict[tuple[Any, ...], dict[str, Row]] = {}
    for row in answers["returns"]["rows"] if "returns" in answers else ():
        returns.setdefault(tuple(row[name] for name in request.by), {})[row["key"]] = row
    return {"groups": [_group(request.by, row, returns) for row in answers["totals"]["rows"]]}


def _group(by: Any, row: Row, returns: Mapping[tuple[Any, ...], Mapping[str, Row]]) -> Row:
    of = returns.get(tuple(row[name] for name in by), {})
    known = {key: of[key]["value"] for key in of}
    reasons = {key: of[key]["reason"] if key in of else BY_TIME for key in OF_RETURNS if known.get(key) is None}
    return {
        "dimensions": {name: row[name] for name in by},
        "metrics": {**row, **known, "reasons": {**row.get("reasons", {}), **reasons}},
        "short_sample": row["total_trades"] < FEW,
    }


def _league(by: str) -> Callable[[Any], QueryCall]:
    return lambda request: about("trading_league", request.scope, by=by, rank_by=request.order_by)


def _ranked(by: str, member: str) -> Callable[[Any, Answer], Row]:
    def fill(request: Any, answer: Answer) -> Row:
        rows = answer["rows"][: request.limit or None]
        return {
            member: [{"dimensions": {by: row[by]}, "metrics": row, "short_sample": row["short_sample"]} for row in rows]
        }

    return fill


def _by_month(request: Any) -> bool:
    return bool(request.grid == GetTimeAnalysisRequest.MONTH_BY_YEAR)


def _cells(request: Any, answer: Answer) -> Row:
    place = _month if _by_month(request) else _hour
    return {"cells": [{**place(row), "metrics": row, "short_sample": row["short_sample"]} for row in answer["rows"]]}


def _hour(row: Row) -> Row:
    return {"row": max(0, row["entry_hour"]), "column": row["weekday"], "row_unknown": row["entry_hour"] < 0}


def _month(row: Row) -> Row:
    return {"row": int(row["month"][-2:]), "column": row["year"]}


def _curve(request: Any) -> QueryCall:
    basis = GetEquityCurveRequest.Basis.Name(request.basis).lower() if request.basis else ""
    return about("trading_equity", request.scope, basis=basis)


def _points(_request: Any, answer: Answer) -> Row:
    rows = answer["rows"]
    renamed = {"day_return": "return", "drawdown": "underwater"}
    points = [
        {**row, **{name: row[of] for name, of in renamed.items()}, "reasons": _renamed(row, renamed)} for row in rows
    ]
    head = {"basis": rows[0]["basis"], "reason": rows[0].get("reasons", {}).get("return", "")} if rows else {}
    return {"points": points, **head}


def _renamed(row: Row, renamed: Mapping[str, str]) -> Row:
    names_of = {of: name for name, of in renamed.items()}
    return {names_of.get(name, name): reason for name, reason in row.get("reasons", {}).items()}


RPCS = (
    Rpc("GetTradingMetrics", _totals, _trading, members=True),
    one("GetStrategyBreakdown", _league("strategy"), _ranked("strategy", "strategies"), members=True),
    one("GetSymbolBreakdown", _league("symbol"), _ranked("symbol", "symbols"), members=True),
    one(
        "GetTimeAnalysis",
        lambda request: about("trading_time", request.scope, by="month_year" if _by_month(request) else ""),
        _cells,
        members=True,
    ),
    one("GetEquityCurve", _curve, _points, members=True),
    one(
        "ListTrades",
        lambda request: about("trades", request.scope, **page(request.page)),
        lambda _request, answer: {"trades": answer["rows"], "next_cursor": answer["next_cursor"]},
        members=True,
    ),
)
