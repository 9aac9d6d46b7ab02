"""Predictions as they were made, and how good they were: scored by what came, for each method and version.

Additive: a prediction is a row. What a forecast or a risk states about days that are still to come is recorded when it
is answered (`stated`); its outcome is read from the same series or activity as it was made from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from msgspec import field

from domain.access.rights import Feature
from domain.company_calendar import begin_of, day_at
from domain.insights.predictions import Expected, Interval, Prediction, Probability, score
from projections.engine.declare.merge_rules import Count, Key, Last, Moment, Number, Text
from projections.engine.declare.projection import Delta, Projection
from projections.engine.declare.rows import Columns, Row
from projections.engine.query.answer_row import AnswerRow, Rows
from projections.engine.query.composed import Composed, Part, Select
from projections.engine.query.listing import listing
from projections.engine.query.params import Param, read_choice
from projections.engine.query.plain import Statement
from projections.engine.query.request import Request
from projections.engine.query.zones import day_of
from projections.queries.insights.daily_series import FILTERS, FROM, SERIES, SPAN, TO, end_of, read_filters
from projections.queries.insights.shape import plain

if TYPE_CHECKING:
    from analytics.control_events_pb2 import Prediction as PredictionFact


predictions = Projection("predictions", version=2)

CHURN = "churn"
LEVELS = (80, 95)
LONGEST_HORIZON = timedelta(days=90)


class PredictionScore(AnswerRow, kw_only=True):
    """How good predictions of one method and version were: how many there are, how many outcomes are known, the errors
    of probabilities (Brier, log loss, calibration curve) and of values (in their unit; MASE below 1 beats naive).
    """

    what: str
    method: str
    method_version: int
    predictions: int
    scored: int
    brier: float | None
    base_brier: float | None
    log_loss: float | None
    curve: list[dict[str, Any]]
    mae: float | None
    bias: float | None
    mape: float | None
    mase: float | None
    coverage: list[dict[str, float]]
    reasons: dict[str, str] = field(default_factory=dict)


class MadePrediction(Row):
    """One prediction; what was not stated is null."""

    company_id: Key[Text]
    what: Key[Text]
    due_at: Key[Moment]
    event_id: Key[Text]
    made_at: Last[Moment]
    subject: Last[Text]
    filters: Last[Text]
    method: Last[Text]
    method_version: Last[Count]
    horizon_days: Last[Count]
    probability: Last[Number]
    value: Last[Number]
    low_80: Last[Number]
    high_80: Last[Number]
    low_95: Last[Number]
    high_95: Last[Number]
    naive_error: Last[Number]


@predictions.folds("prediction", into=MadePrediction)
def made(event: Columns) -> Delta:
    """Every prediction, when it can be known what came."""
    return {"made_at": event.timestamp}


predictions.queries += [
    listing(
        "predictions",
        of=MadePrediction,
        filters=("what", "subject", "filters", "method"),
        time="due_at",
        summary="What was predicted, by whom it is about and when it can be known; from and to cut by that moment.",
    ),
]


def filters_text(filters: Mapping[str, str]) -> str:
    """Filters as predictions carry them."""
    return urlencode(sorted(filters.items()))


def _of_forecast(row: Mapping[str, Any]) -> list[PredictionFact]:
    from analytics.control_events_pb2 import Prediction as PredictionFact

    back_test = row["finding"]["back_test"] or {}
    series = SERIES[row["metric"]]
    filters = {name: text for name, text in row["evidence"]["params"].items() if name in series.filters}
    return [
        PredictionFact(
            what=row["metric"],
            filters=filters_text(filters),
            method=row["method"],
            method_version=row["method_version"],
            due_at=_ms(date.fromisoformat(step["day"]) + timedelta(days=1)),
            horizon_days=number,
            value=step["value"],
            naive_error=back_test.get("naive_mae"),
            **{f"{end}_{band['level']}": band[end] for band in step["bands"] for end in ("low", "high")},
        )
        for number, step in enumerate(row["finding"]["steps"], start=1)
    ]


def _of_churn(row: Mapping[str, Any]) -> list[PredictionFact]:
    from analytics.control_events_pb2 import Prediction as PredictionFact

    end = date.fromisoformat(row["evidence"]["params"]["to"])
    return [
        PredictionFact(
            what=CHURN,
            subject=risk["user_id"],
            method=row["method"],
            method_version=row["method_version"],
            due_at=_ms(end + timedelta(days=row["horizon_days"])),
            horizon_days=row["horizon_days"],
            probability=risk["probability"],
        )
        for risk in row["finding"]["at_risk"]
    ]


STATING: Mapping[str, Callable[[Mapping[str, Any]], list[PredictionFact]]] = MappingProxyType(
    {"forecast": _of_forecast, "churn_risks": _of_churn}
)


def stated(query: str, rows: Sequence[Mapping[str, Any]]) -> list[PredictionFact]:
    """What the answer of a query predicts; nothing, where it is no predicting query or found nothing."""
    of_row = STATING.get(query)
    return [fact for row in rows if row["finding"] is not None for fact in of_row(row)] if of_row else []


def _ms(day: date) -> int:
    return (day - date(1970, 1, 1)).days * 86_400_000


# the days of activity of every user, because silence is an outcome, too
ACTIVE = """
SELECT user_id, array_agg(DISTINCT {day}) AS days FROM {{user_quarter}}
WHERE company_id = %s AND quarter >= %s AND quarter < %s GROUP BY user_id
"""


def _window(request: Request) -> tuple[date, date]:
    """First day and end of the moments at which outcomes are known."""
    end = end_of(request)
    return request.get("from") or end - SPAN, end


def _parts(request: Request) -> Mapping[str, Part | Select]:
    begin, end = _window(request)
    what, last = request.get("what"), end + timedelta(days=1)  # at its first moment what came before is known
    params = {"what": what, "from": begin.isoformat(), "to": last.isoformat()}
    if what == CHURN:
        by = request.calendar
        moments = begin_of(begin - LONGEST_HORIZON, by), begin_of(end, by)
        statement = Statement(ACTIVE.format(day=day_of("quarter", by)), (request.company, *moments))
        return {"predictions": Part("predictions", params), "outcomes": Select("user_activity", statement)}
    filters = read_filters(request, SERIES[what].filters)
    return {
        "predictions": Part("predictions", {**params, "filters": filters_text(filters)}),
        "outcomes": SERIES[what].part(begin - timedelta(days=1), end, filters),
    }


def _combine(request: Request, rows: Mapping[str, Rows]) -> list[PredictionScore]:
    _, end = _window(request)
    due = [row for row in rows["predictions"] if _day_of(request, row["due_at"]) <= end]
    came = (
        _churned(request, due, rows["outcomes"])
        if request.get("what") == CHURN
        else _values(request, due, rows["outcomes"])
    )
    scores = score([_prediction(request, row) for row in due], came)
    return [
        PredictionScore(**plain(each) | {"coverage": [{"level": at, "share": share} for at, share in each.coverage]})
        for each in scores
    ]


def _values(request: Request, due: Sequence[Mapping[str, Any]], rows: Rows) -> dict[str, float]:
    """The value of the day before the outcome is known; of a day before the series nothing is known."""
    begin, end = _window(request)
    series = SERIES[request.get("what")].read(rows, begin - timedelta(days=1), end)
    indices = {row["event_id"]: (_day_of(request, row["due_at"]) - series.first).days - 1 for row in due}
    return {key: series.values[index] for key, index in indices.items() if 0 <= index < len(series.values)}


def _churned(request: Request, due: Sequence[Mapping[str, Any]], rows: Rows) -> dict[str, float]:
    """1 for those who did nothing on the days before, 0 for the others."""
    active: Mapping[str, Sequence[date]] = {row["user_id"]: row["days"] for row in rows}
    outcomes = {}
    for row in due:
        end = _day_of(request, row["due_at"])
        begin = end - timedelta(days=row["horizon_days"])
        outcomes[row["event_id"]] = float(not any(begin <= day < end for day in active.get(row["subject"], ())))
    return outcomes


def _prediction(request: Request, row: Mapping[str, Any]) -> Prediction:
    return Prediction(
        key=row["event_id"],
        company_id=request.company,
        what=row["what"],
        subject=row["subject"],
        made_at=_micros(row["made_at"]),
        due_at=_micros(row["due_at"]),
        method=row["method"],
        method_version=row["method_version"],
        stated=Probability(row["probability"]) if row["probability"] is not None else _expected(row),
    )


def _expected(row: Mapping[str, Any]) -> Expected:
    intervals = (Interval(level, row[f"low_{level}"], row[f"high_{level}"]) for level in LEVELS)
    stated = tuple(i for i in intervals if i.low is not None and i.high is not None)
    return Expected(row["value"], stated, row["naive_error"])


def _micros(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1_000_000)


def _day_of(request: Request, text: str) -> date:
    return day_at(datetime.fromisoformat(text), request.calendar)


prediction_scores = Composed(
    "prediction_scores",
    "How good predictions were whose outcome is known, for each method and version: Brier, coverage, MASE and others.",
    (
        Param("what", f"{CHURN}, or one out of {', '.join(SERIES)}", read_choice(CHURN, *SERIES), required=True),
        Param("from", "outcomes known from this day on; a year before the end without it", FROM.read),
        TO,
        *FILTERS,
    ),
    _parts,
    _combine,
    PredictionScore,
    feature=Feature.PREDICTIVE,
    any_zone=True,
)
