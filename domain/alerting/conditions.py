"""Whether conditions hold, by columns: one look a condition at all series of a watch, whatever their number.

Values are compared as the nearest doubles of their decimal texts: what differs after the fifteenth digit is equal.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from domain.alerting.watch import Rule, Window, condition_windows, newest
from domain.configuration.alert_terms import Anomaly, BurnRate, Change, Condition, NoData, Threshold
from domain.insights.anomalies import newest_score
from domain.metrics.value import Reason

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Truths = NDArray[np.bool_]

Values = Mapping[str, str]  # of series: decimal texts; a series that has none is not there
Compare = Callable[[Any, Any], Any]
COMPARES: Mapping[str, Compare] = {
    "above": operator.gt,
    "at_least": operator.ge,
    "below": operator.lt,
    "at_most": operator.le,
    "equal": operator.eq,
    "not_equal": operator.ne,
}


class Columns(NamedTuple):
    """What is known of the series of a watch at the end of a period, parallel to `series`.

    `values`: of each window, NaN where there is none; `silent`: ms since something came of it, 0 where it just did.
    """

    series: Sequence[str]
    values: Mapping[Window, Floats]
    silent: Floats
    every: int

    @property
    def newest(self) -> Floats:
        """Of the period itself."""
        return self.values[newest(self.every)]


def columns(series: Sequence[str], windows: Mapping[Window, Values], silent: Mapping[str, int], every: int) -> Columns:
    """The columns of these series; `silent`: ms since something came of those of which nothing just came."""
    import numpy as np

    arrays = {
        window: np.array([float(values.get(each, "nan")) for each in series], np.float64)
        for window, values in windows.items()
    }
    return Columns(series, arrays, np.array([silent.get(each, 0) for each in series], np.float64), every)


class Truth(NamedTuple):
    """Of each rule (row) and series (column) whether it holds, and whether that is unknown."""

    holds: Truths
    unknown: Truths


def truth_of(rules: Sequence[Rule], figures: Columns) -> Truth:
    """Whether the rules hold on the series."""
    import numpy as np

    holds = np.zeros((len(rules), len(figures.series)), np.bool_)
    unknown = np.broadcast_to(np.isnan(figures.newest), holds.shape)
    plain: dict[str, list[int]] = {}
    others = list[int]()
    for place, (_, rule) in enumerate(rules):
        condition = rule.trigger.condition
        if isinstance(condition, Threshold) and not rule.trigger.more:
            plain.setdefault(condition.compare, []).append(place)
        else:
            others.append(place)
    for compare, places in plain.items():
        bounds = np.array([float(_threshold(rules[place]).value) for place in places])
        with np.errstate(invalid="ignore"):
            holds[places] = COMPARES[compare](figures.newest[None, :], bounds[:, None])
    if others:
        unknown = unknown.copy()
        for place in others:
            holds[place], unknown[place] = _joined(rules[place], figures)
    return Truth(holds & ~unknown, unknown)


def _threshold(rule: Rule) -> Threshold:
    condition = rule.rule.trigger.condition
    assert isinstance(condition, Threshold)
    return condition


def _joined(rule: Rule, figures: Columns) -> tuple[Truths, Truths]:
    """All of the conditions, or any: unknown where it depends on those that are unknown."""
    trigger = rule.rule.trigger
    parts = [_condition(each, figures) for each in trigger.conditions]
    holds, unknown = parts[0]
    for more, not_known in parts[1:]:
        if trigger.join == "all":
            fails = (~holds & ~unknown) | (~more & ~not_known)
            holds, unknown = holds & more & ~unknown & ~not_known, (unknown | not_known) & ~fails
        else:
            either = (holds & ~unknown) | (more & ~not_known)
            holds, unknown = either, (unknown | not_known) & ~either
    return holds & ~unknown, unknown


def _condition(condition: Condition, figures: Columns) -> tuple[Truths, Truths]:
    import numpy as np

    value, missing = figures.newest, np.isnan(figures.newest)
    others = [figures.values[window] for window in condition_windows(condition, figures.every)]
    with np.errstate(invalid="ignore", divide="ignore"):
        match condition:
            case Threshold(compare=compare, value=bound):
                return COMPARES[compare](value, float(bound)), missing
            case Change():
                moved = _moved(condition, value, others[0])
                return _turned(condition.direction, moved, float(condition.by)), np.isnan(moved)
            case Anomaly():
                return _anomalous(condition, others, value), missing
            case BurnRate():
                allowed = (1 - float(condition.objective)) * float(condition.factor)
                long, short = others
                return (long > allowed) & (short > allowed), np.isnan(long) | np.isnan(short)
            case NoData(after_seconds=after):
                return figures.silent >= 1000 * after, np.zeros(value.shape, np.bool_)


def _moved(condition: Change, value: Floats, before: Floats) -> Floats:
    """By how much; in percent of what it was, where that is not 0."""
    import numpy as np

    moved = value - before
    if condition.unit == "absolute":
        return moved
    return np.where(before == 0, np.nan, 100 * moved / np.abs(before))


def _turned(direction: str, moved: Floats, by: float) -> Truths:
    import numpy as np

    turned = {"up": moved, "down": -moved, "either": np.abs(moved)}[direction]
    return turned >= by


def _anomalous(condition: Anomaly, before: Iterable[Floats], value: Floats) -> Truths:
    """Whether the newest value does not belong to those before it; no, where they are too few to say."""
    import numpy as np

    past = np.array([*before, value]).T
    anomalous = np.zeros(value.shape, np.bool_)
    for place, line in enumerate(past):
        if np.isnan(line[-1]):
            continue
        seen = [float(each) for each in line[~np.isnan(line)]]
        score = newest_score(seen)
        if not isinstance(score, Reason):
            far = {"up": score, "down": -score, "either": abs(score)}[condition.direction]
            anomalous[place] = far > float(condition.deviations)
    return anomalous


def clears(rule: Rule, value: str) -> bool:
    """Whether what has to hold before a rule fires no more, does; False where there is no such thing."""
    bounds = rule.rule.trigger.clears
    return bool(bounds) and all(COMPARES[each.compare](float(value), float(each.value)) for each in bounds)


def words_of(rule: Rule) -> str:
    """The conditions of a rule in words."""
    trigger = rule.rule.trigger
    joint = " and " if trigger.join == "all" else " or "
    return joint.join(map(_words, trigger.conditions))


def _words(condition: Condition) -> str:
    match condition:
        case Threshold(compare=compare, value=value):
            return f"{compare.replace('_', ' ')} {value}"
        case Change(direction=direction, by=by, unit=unit, over_seconds=over):
            return f"{direction} by {by}{' %' if unit == 'percent' else ''} or more in {over} s"
        case Anomaly(direction=direction, deviations=deviations):
            return f"{direction} of what its past lets expect, by more than {deviations} deviations"
        case NoData(after_seconds=after):
            return f"nothing for {after} s"
        case BurnRate(objective=objective, factor=factor, long_seconds=long, short_seconds=short):
            return f"objective {objective} used up {factor} times too fast, in {long} s and in {short} s"
