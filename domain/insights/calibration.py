"""How good stated probabilities were: Brier score, logarithmic loss, and the curve of stated against observed.

The Brier score is the mean squared difference between what was stated and what came (0 or 1); stating the base rate for
everybody scores base × (1 − base), and a model that does not beat that has said nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import msgspec

from domain.metrics.value import Reason, Stat

BINS = 10
SURE = 1e-6  # a probability of 0 or 1 counts as this close to it: one surprise must not make the whole score infinite


class Bin(msgspec.Struct, frozen=True):
    """Cases with about the same stated probability."""

    cases: int
    stated: float  # mean probability
    observed: float  # share of them that came


def brier(stated: Sequence[float], came: Sequence[bool]) -> Stat:
    """0 is perfect, 0.25 what always stating ½ gets."""
    return _mean([(p - c) ** 2 for p, c in zip(stated, came, strict=True)])


def base_brier(came: Sequence[bool]) -> Stat:
    """Of stating the observed share for everybody."""
    rate = _mean([float(c) for c in came])
    return rate if isinstance(rate, Reason) else rate * (1 - rate)


def log_loss(stated: Sequence[float], came: Sequence[bool]) -> Stat:
    """In nats a case."""
    sure = (min(1 - SURE, max(SURE, p)) for p in stated)
    return _mean([-math.log(p if c else 1 - p) for p, c in zip(sure, came, strict=True)])


def curve(stated: Sequence[float], came: Sequence[bool], bins: int = BINS) -> tuple[Bin, ...]:
    """Bins of equally many cases from the lowest stated probability to the highest; on the diagonal is calibrated."""
    ranked = sorted(zip(stated, came, strict=True))
    edges = [round(number * len(ranked) / bins) for number in range(bins + 1)]
    return tuple(_bin(ranked[start:end]) for start, end in pairwise(edges) if end > start)


def calibration_error(bins: Sequence[Bin]) -> Stat:
    """Mean distance of the curve from the diagonal, weighted by cases."""
    cases = sum(part.cases for part in bins)
    return sum(part.cases * abs(part.stated - part.observed) for part in bins) / cases if cases else Reason.NO_DATA


def _bin(cases: Sequence[tuple[float, bool]]) -> Bin:
    stated, observed = (math.fsum(column) / len(cases) for column in zip(*cases, strict=True))
    return Bin(len(cases), stated, observed)


def _mean(values: Sequence[float]) -> Stat:
    return math.fsum(values) / len(values) if values else Reason.NO_DATA
