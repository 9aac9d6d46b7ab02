"""Key figures over gRPC: `kpis`, `metrics`, `mrr_movements` and `system_metrics` in protobuf."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby, product
from typing import Any

from domain.errors import Invalid
from domain.metrics.catalogue import METRICS, metric
from domain.metrics.metric import Section
from read_api.grpc.answers import goes_on
from read_api.grpc.rpc import Answer, Answers, Rpc, one
from read_api.grpc.scope import QueryCall, about, moment, names

Row = Mapping[str, Any]
MOVEMENTS = ("new", "expansion", "contraction", "churned", "reactivated")
MOVED_BY = ("month", "day", "plan", "tier", "currency")
RETENTION = (
    *("gross_mrr_churn_rate", "net_mrr_churn_rate", "grr", "nrr", "churned_customers", "customer_churn_rate"),
    *("customer_retention_rate", "mean_customer_life", "upgrade_rate", "downgrade_rate", "dunning_recovery_rate"),
    *("returning_users", "resurrected_users", "dormant_users", "pulse", "stickiness"),
)
PERIODS = ("day", "week", "month", "quarter", "year")  # dimensions that are a beginning of a time as answers show it
MOST_COMBINATIONS = 50
MOST_HISTORIES = 20


def metric_value(row: Row, value: str = "value") -> dict[str, Any]:
    """The members of a MetricValue out of a value object; `value`: which column of it."""
    reason = row.get("reasons", {}).get(value) or (row.get("reason", "") if value == "value" else "")
    return {
        **{name: row[name] for name in ("key", "unit", "convention", "definition_version")},
        "title": row.get("title") or METRICS[row["key"]].title,
        "value": row[value],
        "reason": reason,
        "basis": row.get("basis", ""),
        "currency": row.get("currency") or "" if (row["unit"], value) == ("money", "value") else "",
    }


def of_catalogue(key: str) -> dict[str, Any]:
    """The members of a MetricValue that the catalogue knows; its key is the title of what is no metric of it."""
    entry = METRICS.get(key)
    if entry is None:
        return {"key": key, "title": key}
    known = {"title": entry.title, "convention": entry.convention, "definition_version": entry.version}
    return {"key": key, "unit": str(entry.unit), **known}


def groups(by: Sequence[str], answer: Answer) -> Iterator[dict[str, Any]]:
    """The members of MetricGroups out of value objects that are sorted by their groups."""
    for key, of in groupby(answer["rows"], key=lambda row: {name: row[name] for name in by}):
        metrics = [metric_value(row) for row in of]
        yield {"dimensions": key, "metrics": metrics, "unfinished": _unfinished(key, answer)}


def _unfinished(dimensions: Row, answer: Answer) -> bool:
    """Whether the group's period goes on beyond the moment that the answer is of."""
    return any(goes_on(name, dimensions[name], answer) for name in PERIODS if name in dimensions)


def _kpis(section: str = "") -> Any:
    def asks(request: Any) -> Mapping[str, QueryCall]:
        if request.history:
            return _with_history(request)
        compared = {}
        if request.compare_to:
            compared = {"compare_from": moment(request.compare_from), "compare_to": moment(request.compare_to)}
        return {"": about("kpis", request.scope, keys=names(request.metrics), section=section, **compared)}

    return asks


def _with_history(request: Any) -> Mapping[str, QueryCall]:
    """A question a metric: each has its own periods."""
    if request.compare_to or not 0 < len(request.metrics) <= MOST_HISTORIES:
        raise Invalid(
            f"a history is told of 1 to {MOST_HISTORIES} metrics that are named, and compares with no other period",
            code="bad_parameter",
        )
    history = str(request.history)
    return {key: about("key_figure", request.scope, key=key, history=history) for key in request.metrics}


def _key_figures(request: Any, answers: Answers) -> Row:
    compared = bool(request.compare_to or request.history)
    return {"kpis": [key_figure(row, compared) for answer in answers.values() for row in answer["rows"]]}


def key_figure(row: Row, compared: bool = True) -> dict[str, Any]:
    """The members of KPIMetrics out of a row of `kpis` or `key_figure`; there is no target: nothing sets one."""
    if not compared:
        return {"current": metric_value(row)}
    shown = {"current": metric_value(row), "previous": metric_value(row, "previous"), "change": row["change_rate"]}
    if "history" not in row:
        return shown
    points = [{"time": point["from"], **point} for point in row["history"]]
    return shown | {"history": {"key": row["key"], "title": row["title"], "unit": row["unit"], "points": points}}


def _metrics(request: Any, section: Section, keys: Sequence[str] = ()) -> QueryCall:
    """The metrics that are named, or those of the section."""
    chosen = tuple(request.metrics) or _split_alike(keys, request.by)
    own = {"keys": names(chosen)} if chosen else {"section": section.value}
    return about("metrics", request.scope, by=names(request.by), **own)


def _split_alike(keys: Sequence[str], by: Sequence[str]) -> tuple[str, ...]:
    """Those that can be split so; all, for the error that says why not, where none can."""
    return tuple(key for key in keys if set(by) <= set(metric(key).dimensions)) or tuple(keys)


def _area(name: str, section: Section, keys: Sequence[str] = ()) -> Rpc:
    return one(
        name,
        lambda request: _metrics(request, section, keys),
        lambda request, answer: {"groups": groups(request.by, answer)},
    )


def _revenue(request: Any) -> Mapping[str, QueryCall]:
    asked = {"groups": _metrics(request, Section.REVENUE)}
    if set(request.by) <= set(MOVED_BY):
        asked["movements"] = about("mrr_movements", request.scope, by=names(request.by))
    return asked


def _revenue_figures(request: Any, answers: Answers) -> Row:
    moved = answers["movements"]["rows"] if "movements" in answers else ()
    return {
        "groups": groups(request.by, answers["groups"]),
        "movements": [
            {
                **row,
                "dimensions": {name: row[name] for name in request.by},
                "counts": {name: row[f"{name}_count"] for name in MOVEMENTS},
            }
            for row in moved
        ],
    }


def _system(request: Any) -> Mapping[str, QueryCall]:
    """One question for each service and measure that is named: what is of several together is no sum of theirs."""
    named = {"service": list(request.services), "metric": list(request.measures)}
    if vague := [name for name, of in named.items() if len(of) > 1 and name not in request.by]:
        raise Invalid(f"group by {vague[0]} where several are named", code="bad_parameter")
    chosen = list(product(*(of or [""] for of in named.values())))
    if len(chosen) > MOST_COMBINATIONS:
        raise Invalid(f"at most {MOST_COMBINATIONS} services and measures can be named", code="bad_parameter")
    return {
        f"{service} {name}": about("system_metrics", request.scope, by=names(request.by), service=service, metric=name)
        for service, name in chosen
    }


def _measures(request: Any, answers: Answers) -> Row:
    rows = [row for answer in answers.values() for row in answer["rows"]]
    rows.sort(key=lambda row: [str(row[name]) for name in request.by])
    return {"measures": [{**row, "dimensions": {name: row[name] for name in request.by}} for row in rows]}


RPCS = (
    Rpc("GetKPIs", _kpis(), _key_figures),
    Rpc("GetTradingKPIs", _kpis("trading"), _key_figures),
    Rpc("GetRevenueMetrics", _revenue, _revenue_figures),
    _area("GetAcquisitionMetrics", Section.ACQUISITION),
    _area("GetRetentionMetrics", Section.REVENUE, RETENTION),
    _area("GetSatisfactionMetrics", Section.SATISFACTION),
    Rpc("GetSystemMetrics", _system, _measures),
)
