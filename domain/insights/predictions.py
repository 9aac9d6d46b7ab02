"""Predictions as they were made, to be scored when it is known what came.

A prediction is written down once, with its method and version, and never touched again; its outcome comes by the same
key. Scores are made for each method and version apart, so that a new version has to show that it is better.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from domain.insights.calibration import BINS, Bin, base_brier, brier, curve, log_loss
from domain.metrics.value import Reason, Stat, finite, ratio


class Probability(msgspec.Struct, frozen=True, tag="probability"):
    """That something comes; its outcome is 1 or 0."""

    probability: float


class Interval(msgspec.Struct, frozen=True):
    """Where a value lies with a stated probability."""

    level: int  # percent
    low: float
    high: float


class Expected(msgspec.Struct, frozen=True, tag="value"):
    """A number; its outcome is the number that came."""

    value: float
    intervals: tuple[Interval, ...] = ()
    naive_error: float | None = None  # mean error of the naive method on the past, which MASE divides by


class Prediction(msgspec.Struct, frozen=True):
    """What was predicted, for whom, when, how, and when it can be known. Times in microseconds since 1970."""

    key: str
    company_id: str
    what: str  # a metric's key, or the kind of insight
    subject: str  # user, customer, strategy …; empty for the tenant
    made_at: int
    due_at: int
    method: str
    method_version: int
    stated: Probability | Expected


class Score(msgspec.Struct, frozen=True):
    """How good the predictions of one method and version were, of those whose outcome is known."""

    what: str
    method: str
    method_version: int
    predictions: int
    scored: int
    brier: Stat = Reason.NO_DATA
    base_brier: Stat = Reason.NO_DATA  # of stating the observed share for everybody
    log_loss: Stat = Reason.NO_DATA
    curve: tuple[Bin, ...] = ()
    mae: Stat = Reason.NO_DATA
    bias: Stat = Reason.NO_DATA  # mean of predicted less actual
    mape: Stat = Reason.NO_DATA  # undefined where an actual value is zero
    mase: Stat = Reason.NO_DATA  # below 1 is better than naive was on the past
    coverage: tuple[tuple[int, float], ...] = ()  # level, share of actual values inside


def score(predictions: Iterable[Prediction], outcomes: Mapping[str, float], bins: int = BINS) -> tuple[Score, ...]:
    """One score for each subject matter, method and version. `outcomes`: what came, by the key of the prediction."""
    groups: dict[tuple[str, str, int], list[Prediction]] = defaultdict(list)
    for prediction in predictions:
        groups[prediction.what, prediction.method, prediction.method_version].append(prediction)
    return tuple(_score(*group, made, outcomes, bins) for group, made in sorted(groups.items()))


def _score(
    what: str, method: str, version: int, made: Sequence[Prediction], outcomes: Mapping[str, float], bins: int
) -> Score:
    came = [(p.stated, outcomes[p.key]) for p in made if p.key in outcomes and math.isfinite(outcomes[p.key])]
    about = Score(what, method, version, len(made), len(came))
    stated = [(p.probability, outcome > 0) for p, outcome in came if isinstance(p, Probability)]
    values = [(p, outcome) for p, outcome in came if isinstance(p, Expected)]
    return _with_values(_with_probabilities(about, stated, bins), values)


def _with_probabilities(about: Score, cases: Sequence[tuple[float, bool]], bins: int) -> Score:
    if not cases:
        return about
    stated, came = [p for p, _ in cases], [outcome for _, outcome in cases]
    return msgspec.structs.replace(
        about,
        brier=brier(stated, came),
        base_brier=base_brier(came),
        log_loss=log_loss(stated, came),
        curve=curve(stated, came, bins),
    )


def _with_values(about: Score, cases: Sequence[tuple[Expected, float]]) -> Score:
    if not cases:
        return about
    errors = [expected.value - actual for expected, actual in cases]
    sizes = [abs(error) for error in errors]
    mae, bias = finite(_sum(sizes) / len(cases)), finite(_sum(errors) / len(cases))
    naive = [expected.naive_error for expected, _ in cases if expected.naive_error is not None]
    all_naive = ratio(_sum(sizes), _sum(naive)) if len(naive) == len(cases) else Reason.NO_DATA
    return msgspec.structs.replace(
        about,
        mae=mae,
        bias=bias,
        mape=_mape([(size, abs(actual)) for size, (_, actual) in zip(sizes, cases, strict=True)]),
        mase=all_naive,
        coverage=_coverage(cases),
    )


def _mape(cases: Sequence[tuple[float, float]]) -> Stat:
    shares = [ratio(error, actual) for error, actual in cases]
    defined = [share for share in shares if not isinstance(share, Reason)]
    return finite(_sum(defined) / len(defined)) if len(defined) == len(shares) else Reason.ZERO_DENOMINATOR


def _coverage(cases: Sequence[tuple[Expected, float]]) -> tuple[tuple[int, float], ...]:
    inside: dict[int, list[bool]] = defaultdict(list)
    for expected, actual in cases:
        for interval in expected.intervals:
            inside[interval.level].append(interval.low <= actual <= interval.high)
    return tuple((level, sum(hits) / len(hits)) for level, hits in sorted(inside.items()))


def _sum(values: Sequence[float]) -> float:
    """Infinite where the sum leaves the range of numbers, instead of an error."""
    try:
        return math.fsum(values)
    except OverflowError:
        return math.inf
