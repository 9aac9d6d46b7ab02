"""Trading over gRPC: totals, leagues, grids, curves and the ledger, in protobuf."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
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
    return {"totals": about("trading_totals", request.scope, by=by), **returns_of(request.scope, request.by)}


def returns_of(scope: Any, by: Sequence[str]) -> Mapping[str, QueryCall]:
    """The question of the daily series, where trades are split by nothing that it cannot be split by."""
    if not {*by, *scope.filters} <= CUT:
        return {}
    return {"returns": about("metrics", scope, by=names(by), keys=",".join(OF_RETURNS))}


def _trading(request: Any, answers: Answers) -> Row:
    rows = answers["totals"]["rows"]
    return {
        "groups": [
            {**_group(request.by, row), "metrics": figures, "short_sample": row["total_trades"] < FEW}
            for row, figures in zip(rows, with_returns(request.by, rows, answers), strict=True)
        ]
    }


def _group(by: Sequence[str], row: Row) -> Row:
    return {"dimensions": {name: row[name] for name in by}}


def with_returns(by: Sequence[str], rows: Sequence[Row], answers: Answers) -> Iterator[Row]:
    """The members of TradingMetrics: totals with the statistics of the daily series of their group, or the reason."""
    found: dict[tuple[Any, ...], dict[str, Row]] = {}
    for row in answers["returns"]["rows"] if "returns" in answers else ():
        found.setdefault(tuple(row[name] for name in by), {})[row["key"]] = row
    for row in rows:
        of = found.get(tuple(row[name] for name in by), {})
        known = {key: of[key]["value"] for key in of}
        reasons = {key: of[key]["reason"] if key in of else BY_TIME for key in OF_RETURNS if known.get(key) is None}
        yield {**row, **known, "reasons": {**row.get("reasons", {}), **reasons}}


def _league(by: str) -> Callable[[Any], Mapping[str, QueryCall]]:
    return lambda request: {
        "league": about("trading_league", request.scope, by=by, rank_by=request.order_by),
        **returns_of(request.scope, (by,)),
    }


def _ranked(by: str, member: str) -> Callable[[Any, Answers], Row]:
    def fill(request: Any, answers: Answers) -> Row:
        rows = answers["league"]["rows"][: request.limit or None]
        figures = with_returns((by,), rows, answers)
        return {
            member: [
                {**_group((by,), row), "metrics": each, "short_sample": row["short_sample"]}
                for row, each in zip(rows, figures, strict=True)
            ]
        }

    return fill


def _by_month(request: Any) -> bool:
    return bool(request.grid == GetTimeAnalysisRequest.MONTH_BY_YEAR)


def _cells(request: Any, answer: Answer) -> Row:
    place = _month if _by_month(request) else _hour
    rows = answer["rows"]
    figures = with_returns((), rows, {})
    return {
        "cells": [
            {**place(row), "metrics": each, "short_sample": row["short_sample"]}
            for row, each in zip(rows, figures, strict=True)
        ]
    }


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
    Rpc("GetStrategyBreakdown", _league("strategy"), _ranked("strategy", "strategies"), members=True),
    Rpc("GetSymbolBreakdown", _league("symbol"), _ranked("symbol", "symbols"), members=True),
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
