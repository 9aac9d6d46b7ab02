"""Lifetime value of buyers: the published parameters on the purchases at CDNOW, every sixth customer, and by hand."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
import pytest

from domain.insights.bg_nbd import BgNbd, fit_bg_nbd
from domain.insights.gamma_gamma import GammaGamma, fit_gamma_gamma, value_correlation
from domain.insights.lifetime_value import LifetimeValue, lifetime_value
from domain.insights.purchases import Buyer, buyers
from domain.metrics.value import Reason
from tests.domain.insights.oracles import CALIBRATION_END, cdnow_buyers, expected, purchases

ORACLE: dict[str, Any] = expected("cdnow_ltv")
HOLDOUT = 39  # weeks


@pytest.fixture(scope="module")
def bg_nbd() -> BgNbd:
    """Fitted to the calibration period."""
    found = fit_bg_nbd(cdnow_buyers())
    assert isinstance(found, BgNbd)
    return found


@pytest.fixture(scope="module")
def value() -> LifetimeValue:
    """Twelve months at 1 % a month."""
    found = lifetime_value(cdnow_buyers(), months=12, monthly_discount=0.01)
    assert isinstance(found, LifetimeValue)
    return found


def test_a_history_by_hand() -> None:
    """First purchase on day 10, two orders on day 24 count once, one after the end not at all."""
    rows = [("b", 45, 9.0), ("b", 24, 3.0), ("b", 10, 50.0), ("a", 17, 1.0), ("b", 24, 2.0), ("b", 31, 7.0)]
    assert buyers(rows, end=38) == (Buyer("a", 0, 0.0, 3.0, 0.0), Buyer("b", 2, 3.0, 4.0, 6.0))


def test_histories_are_those_of_the_oracle() -> None:
    """As many buyers, repeat buyers and repeat purchases as published."""
    sample = cdnow_buyers()
    assert len(sample) == ORACLE["n_customers"]
    assert sum(buyer.frequency > 0 for buyer in sample) == ORACLE["n_repeat_customers"]
    assert sum(buyer.frequency for buyer in sample) == ORACLE["sum_frequency"]


def test_bg_nbd_equals_the_oracle_and_the_paper(bg_nbd: BgNbd) -> None:
    """Parameters within 0.1 % of the oracle and 1 % of Fader, Hardie & Lee (2005), with their example."""
    oracle = ORACLE["bg_nbd"]
    for name, reference in oracle["params"].items():
        assert getattr(bg_nbd, name) == pytest.approx(reference, rel=oracle["tolerance"]["params_rel"])
        published = oracle["published (Fader, Hardie & Lee 2005)"][name]
        assert getattr(bg_nbd, name) == pytest.approx(published, rel=0.01)
    tolerance = oracle["tolerance"]["log_likelihood_abs"]
    assert bg_nbd.log_likelihood == pytest.approx(oracle["log_likelihood"], abs=tolerance)
    example = oracle["published_example"]
    buyer = Buyer("0001", example["x"], example["t_x"], example["T"])
    assert bg_nbd.expected_purchases([buyer], example["t"])[0] == pytest.approx(example["E"], abs=5e-4)


def test_gamma_gamma_equals_the_oracle_and_the_paper(value: LifetimeValue) -> None:
    """Parameters within 0.2 % of the oracle and 1 % of Fader & Hardie (2013), the mean and the correlation."""
    oracle = ORACLE["gamma_gamma"]
    for name, reference in oracle["params"].items():
        assert getattr(value.amounts, name) == pytest.approx(reference, rel=oracle["tolerance_rel"])
        assert getattr(value.amounts, name) == pytest.approx(oracle["published (Fader & Hardie 2013)"][name], rel=0.01)
    assert value.amounts.log_likelihood == pytest.approx(oracle["log_likelihood"], abs=0.05)
    mean = value.amounts.p * value.amounts.v / (value.amounts.q - 1)
    assert mean == pytest.approx(oracle["population_mean_value"], rel=0.002)
    assert value_correlation(cdnow_buyers()) == pytest.approx(oracle["freq_value_correlation"], rel=1e-6)


def test_every_sixth_customer_equals_the_oracle(bg_nbd: BgNbd, value: LifetimeValue) -> None:
    """Probability of being alive, expected purchases, expected amount and discounted value."""
    oracle = ORACLE["customers (every 6th)"]
    coming = bg_nbd.expected_purchases(cdnow_buyers(), HOLDOUT)
    ours = {
        buyer.key: [buyer.frequency, buyer.recency, buyer.age, buyer.value, v.p_alive, e, v.value, v.lifetime_value]
        for buyer, v, e in zip(cdnow_buyers(), value.buyers, coming, strict=True)
    }
    assert len(oracle["rows"]) == 393
    for key, row in oracle["rows"].items():
        assert ours[key] == pytest.approx(row, rel=oracle["tolerance_rel"], abs=1e-9)


def test_totals_and_the_holdout_equal_the_oracle(bg_nbd: BgNbd, value: LifetimeValue) -> None:
    """Sums over all buyers; and by frequency what was expected of the next 39 weeks, beside what came."""
    totals, sample = ORACLE["totals"], cdnow_buyers()
    coming = bg_nbd.expected_purchases(sample, HOLDOUT)
    assert coming.sum() == pytest.approx(totals["expected_holdout_purchases_39w"], rel=0.002)
    assert value.total == pytest.approx(totals["clv_12m_1pct_sum"], rel=0.002)
    assert bg_nbd.p_alive(sample).mean() == pytest.approx(totals["mean_p_alive"], rel=0.002)
    came: dict[str, set[int]] = defaultdict(set)
    for key, day, _ in purchases():
        if CALIBRATION_END < day <= CALIBRATION_END + 7 * HOLDOUT:
            came[key].add(day)
    actual = np.array([len(came[buyer.key]) for buyer in sample])
    assert actual.sum() == totals["actual_holdout_purchases_39w"]
    bins = np.minimum([buyer.frequency for buyer in sample], 7)
    for frequency, row in ORACLE["holdout_by_frequency_bin"].items():
        members = bins == int(frequency)
        assert members.sum() == row["customers"]
        assert actual[members].mean() == pytest.approx(row["actual_mean"])
        assert coming[members].mean() == pytest.approx(row["expected_mean"], rel=0.002)


def _simulated(seed: int, size: int) -> list[Buyer]:
    """Buyers as BG/NBD supposes them: r 0.8, α 6, a 1.2, b 3, seen for 30 to 60 weeks."""
    dice = np.random.default_rng(seed)
    sample = []
    for number in range(size):
        rate, stop = dice.gamma(0.8, 1 / 6.0), dice.beta(1.2, 3.0)
        age, time, count, last = dice.uniform(30, 60), 0.0, 0, 0.0
        while (time := time + dice.exponential(1 / rate)) < age:
            count, last = count + 1, time
            if dice.random() < stop:
                break
        sample.append(Buyer(str(number), count, last, float(age)))
    return sample


def test_known_parameters_are_recovered() -> None:
    """From 6,000 simulated buyers the means of rate and stopping come back within a tenth."""
    found = fit_bg_nbd(_simulated(1, 6000))
    assert isinstance(found, BgNbd)
    assert found.r / found.alpha == pytest.approx(0.8 / 6, rel=0.1)
    assert found.a / (found.a + found.b) == pytest.approx(1.2 / 4.2, rel=0.1)


def test_frequent_buyers_do_not_break_the_arithmetic(bg_nbd: BgNbd) -> None:
    """Thousands of purchases: alive if recent, gone if not, and never more than the rate allows."""
    recent, gone = Buyer("r", 5000, 99.9, 100.0), Buyer("g", 5000, 50.0, 100.0)
    alive = bg_nbd.p_alive([recent, gone])
    assert alive[0] > 0.95
    assert alive[1] < 1e-9
    assert 0 < bg_nbd.expected_purchases([recent], 10)[0] <= 500


def test_too_few_buyers_or_impossible_histories_are_refused() -> None:
    """Nobody, too few, nobody who repeats, a last purchase after the end."""
    assert lifetime_value([]) is Reason.NO_DATA
    assert fit_bg_nbd(cdnow_buyers()[:20]) is Reason.TOO_FEW
    assert fit_bg_nbd([Buyer(str(n), 1, 12.0, 10.0) for n in range(100)]) is Reason.NOT_FINITE
    assert fit_gamma_gamma([Buyer(str(n), 2, 3.0, 10.0, 5.0) for n in range(100)]) is Reason.NO_DISPERSION
    heavy = GammaGamma(6.0, 0.9, 15.0, 0.0)
    assert heavy.expected_value(cdnow_buyers()) is Reason.NOT_FINITE
