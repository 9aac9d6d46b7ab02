"""Anomalies: labelled ones are found, without point adjustment, beside a plain z-score; made ones too."""

from __future__ import annotations

import numpy as np
import pytest

from domain.insights.anomalies import Anomalies, Sensitivity, anomalies
from domain.insights.periods import period_of
from domain.metrics.value import Reason
from tests.domain.insights.measures import Found, anomaly_table, found_by, labelled_rows
from tests.domain.insights.oracles import co2, labelled, passengers


def test_labelled_anomalies_are_found_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    """All seven labels, at every sensitivity, no false alarm; the best z-score threshold of all misses some."""
    rows = labelled_rows()
    with capsys.disabled():
        print("", *anomaly_table(rows), sep="\n")
    ours = [row for row in rows if row.method.startswith("STL")]
    others = [row for row in rows if row.method.startswith("z-score")]
    assert [(row.precision, row.recall) for row in ours] == [(1.0, 1.0)] * 3
    assert max(row.f1 for row in others) < min(row.f1 for row in ours)


def _with_spikes(seed: int, multiplies: bool = False) -> tuple[list[float], frozenset[int]]:
    """A year of days with a weekly season, noise and growth, and five values that are 8 to 15 deviations off."""
    dice = np.random.default_rng(seed)
    days = np.arange(365)
    series = dice.normal(size=365) + 4 * np.sin(2 * np.pi * days / 7) + 0.02 * days
    places = dice.choice(np.arange(5, 360), 5, replace=False)
    series[places] += dice.choice([-1, 1], 5) * dice.uniform(8, 15, 5)
    return (np.exp(series / 8) if multiplies else series).tolist(), frozenset(int(place) for place in places)


@pytest.mark.parametrize("multiplies", [False, True])
def test_made_anomalies_are_found(multiplies: bool) -> None:
    """Over twenty series: at least 98 of 100 found, and at least 95 of 100 alarms right."""
    cases = [_with_spikes(seed, multiplies) for seed in range(20)]
    rows = [found_by("STL", anomalies(series), truth) for series, truth in cases]
    total = Found("", sum(r.right for r in rows), sum(r.alarms for r in rows), sum(r.labelled for r in rows))
    assert total.recall >= 0.98
    assert total.precision >= 0.95


def test_parts_that_multiply_are_judged_by_logarithms() -> None:
    """A spread that grows with the level is no reason for alarm; one that does not is measured as it is."""
    growing = np.exp(np.array(_with_spikes(3)[0]) / 4)
    assert isinstance(relative := anomalies(growing.tolist(), 7), Anomalies)
    assert isinstance(plain := anomalies(co2(), 12), Anomalies)
    assert (relative.logarithms, plain.logarithms) == (True, False)


def test_a_spike_on_a_level_line_is_found_with_what_was_expected() -> None:
    """Where nothing else varies, the spread comes from the spike itself, and it still stands out."""
    found = anomalies([7.0] * 30 + [9.0] + [7.0] * 30)
    assert isinstance(found, Anomalies)
    (point,) = found.points
    assert (point.index, point.value) == (30, 9.0)
    assert point.expected == pytest.approx(7.0)


def test_a_constant_has_no_anomaly() -> None:
    """Not even where rounding leaves a remainder."""
    for value in (0.1, 1e99, 0.0):
        found = anomalies([value] * 40, 7)
        assert isinstance(found, Anomalies)
        assert found.points == ()


def test_periods_are_detected() -> None:
    """Twelve months, twelve of the labelled series, seven days; no period in noise or a wandering series."""
    assert period_of(co2()) == 12
    assert period_of(passengers()) == 12
    assert period_of(labelled()[0]) == 12
    assert period_of(_with_spikes(1)[0]) == 7
    dice = np.random.default_rng(5)
    assert period_of(dice.normal(size=400)) is Reason.NO_DISPERSION
    assert period_of(np.cumsum(dice.normal(size=400))) is Reason.NO_DISPERSION


def test_sensitivity_moves_the_threshold() -> None:
    """What is more sensitive finds no less."""
    series, _ = _with_spikes(2)
    counts = []
    for sensitivity in (Sensitivity.LOW, Sensitivity.NORMAL, Sensitivity.HIGH):
        found = anomalies(series, 7, sensitivity)
        assert isinstance(found, Anomalies)
        counts.append(len(found.points))
    assert counts == sorted(counts)
    assert anomalies(series[:13], 7) is Reason.TOO_FEW
