"""Why a number moved: what each segment contributed, adding up to the whole move exactly.

Everything is in fractions of whole numbers, so nothing is lost to rounding. A total moves by the sum of its segments'
moves. A rate (wins / trades, revenue / users) moves because rates within segments change and because segments change
their share, and both effects are taken at the mean of the two periods (Marshall–Edgeworth weights), so that reading it
backwards only changes the sign and no interaction is left to be argued about:

    rate effect = Δrate × mean share        mix effect = Δshare × (mean rate − mean of the two overall rates)

A segment that is absent from one period has no rate there; it is given its rate of the other, so that its coming or
going is all mix.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import msgspec

from domain.insights.finding import Basis, Finding, Kind
from domain.metrics.value import Reason

TOTAL = "difference of each segment's sum"
RATE = "rate and mix effects at the mean of both periods (Marshall–Edgeworth), in exact fractions"


class RateParts(msgspec.Struct, frozen=True):
    """What a rate is made of in one segment: whole numbers."""

    numerator: int
    denominator: int


class Contribution(msgspec.Struct, frozen=True):
    """What one segment contributed, in the unit of the number; exact."""

    segment: str
    rate_effect: Fraction  # of a total: all of its move
    mix_effect: Fraction

    @property
    def effect(self) -> Fraction:
        """Both effects."""
        return self.rate_effect + self.mix_effect


class Drivers(Finding, frozen=True, tag=Kind.DRIVERS.value):
    """The move and its contributions, largest first; they add up to `after − before` exactly."""

    before: Fraction
    after: Fraction
    contributions: tuple[Contribution, ...]


def drivers_of_total(before: Mapping[str, int], after: Mapping[str, int]) -> Drivers | Reason:
    """Of a sum over segments, such as revenue in trillionths; a segment that is not named is 0."""
    segments = sorted(before.keys() | after.keys())
    if not segments:
        return Reason.NO_DATA
    moves = ((segment, Fraction(after.get(segment, 0) - before.get(segment, 0))) for segment in segments)
    contributions = [Contribution(segment, move, Fraction(0)) for segment, move in moves]
    whole = Fraction(sum(before.values())), Fraction(sum(after.values()))
    return Drivers(Basis(TOTAL, 1, len(segments), 1), *whole, _largest_first(contributions))


def drivers_of_rate(before: Mapping[str, RateParts], after: Mapping[str, RateParts]) -> Drivers | Reason:
    """Of a rate over segments; denominators must not be negative."""
    segments = sorted(before.keys() | after.keys())
    if not segments:
        return Reason.NO_DATA
    if not all(_has_a_rate(counted) for counted in (*before.values(), *after.values())):
        return Reason.ZERO_DENOMINATOR
    weights = _total(before).denominator, _total(after).denominator
    if not all(weights):
        return Reason.ZERO_DENOMINATOR
    overall = _rate(_total(before)), _rate(_total(after))
    none = RateParts(0, 0)
    contributions = [
        _contribution(
            segment, before.get(segment, none), after.get(segment, none), weights, (overall[0] + overall[1]) / 2
        )
        for segment in segments
    ]
    return Drivers(Basis(RATE, 1, len(segments), 1), *overall, _largest_first(contributions))


def _has_a_rate(counted: RateParts) -> bool:
    """Whether it is a rate, or nothing at all: what counts above the line and not below belongs to no rate."""
    return counted.denominator > 0 or (counted.denominator == 0 and counted.numerator == 0)


def _total(counted: Mapping[str, RateParts]) -> RateParts:
    parts = counted.values()
    return RateParts(sum(part.numerator for part in parts), sum(part.denominator for part in parts))


def _rate(counted: RateParts) -> Fraction:
    return Fraction(counted.numerator, counted.denominator)


def _contribution(
    segment: str, before: RateParts, after: RateParts, weights: tuple[int, int], level: Fraction
) -> Contribution:
    if not before.denominator and not after.denominator:
        return Contribution(segment, Fraction(0), Fraction(0))
    share, later_share = Fraction(before.denominator, weights[0]), Fraction(after.denominator, weights[1])
    rate = _rate(before if before.denominator else after)
    later_rate = _rate(after if after.denominator else before)
    rate_effect = (later_rate - rate) * (share + later_share) / 2
    return Contribution(segment, rate_effect, (later_share - share) * ((rate + later_rate) / 2 - level))


def _largest_first(contributions: list[Contribution]) -> tuple[Contribution, ...]:
    return tuple(sorted(contributions, key=lambda part: (-abs(part.effect), part.segment)))
