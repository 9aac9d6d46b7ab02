"""`python -m tests.domain.insights.report`: how good the methods are on published data, and how long they take."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from numpy.typing import NDArray

from domain.insights.anomalies import anomalies
from domain.insights.bg_nbd import fit_bg_nbd
from domain.insights.change_points import change_points
from domain.insights.decomposition import quick, stl
from domain.insights.forecast import forecast
from domain.insights.gamma_gamma import fit_gamma_gamma
from domain.insights.retention import retention
from domain.insights.trend import trend
from tests.domain.insights.measures import (
    anomaly_table,
    back_tests,
    cdnow_churn,
    churn_table,
    forecast_table,
    labelled_rows,
)
from tests.domain.insights.oracles import cdnow_buyers, expected

METHODS: dict[str, Callable[[NDArray[np.float64], int], object]] = {
    "STL": lambda series, period: stl(series, period, quick(period, 25)),
    "STL robust": lambda series, period: stl(series, period, quick(period, 25, robust=True)),
    "anomalies": lambda series, period: anomalies(series.tolist(), period),
    "trend": lambda series, _: trend(series.tolist()),
    "breaks": lambda series, _: change_points(series.tolist()),
    "forecast": lambda series, period: forecast(series.tolist(), 28, (period,)),
}
FOR_HOURS = ("STL", "STL robust", "anomalies")  # the others compare all pairs, or fit ten models: for days


def main() -> None:
    """Print all tables."""
    sections = {
        "Anomalies: 1,000 labelled points, without point adjustment": anomaly_table(labelled_rows()),
        "Forecasts against seasonal naive, rolling origin": forecast_table(back_tests()),
        "Churn of CDNOW customers: nothing ordered in 122 days": churn_table(cdnow_churn()),
        "Parameters by maximum likelihood": parameters(),
        "Milliseconds a call (best of five)": times(),
    }
    for title, lines in sections.items():
        print(f"\n{title}", *lines, sep="\n")


def parameters() -> Iterator[str]:
    """The fitted models of the purchases and the two cohorts."""
    yield from (str(fit(cdnow_buyers())) for fit in (fit_bg_nbd, fit_gamma_gamma))
    for cohort, alive in expected("sbg_survivors")["customers_alive_at_start_of_period"].items():
        yield f"{cohort}: {retention(alive)}"


def times() -> Iterator[str]:
    """Of the methods on made series: a year, two and five of days, a year of hours."""
    yield f"{'steps':>6}{'period':>7}" + "".join(f"{name:>11}" for name in METHODS)
    for size, period in ((365, 7), (730, 7), (1825, 7), (8760, 24)):
        steps = np.arange(size)
        series = np.random.default_rng(0).normal(size=size) + 3 * np.sin(2 * np.pi * steps / period)
        called = {name: call for name, call in METHODS.items() if size < 2000 or name in FOR_HOURS}
        took = (best(partial(call, series, period)) for call in called.values())
        yield f"{size:6}{period:7}" + "".join(f"{milliseconds:11.1f}" for milliseconds in took)


def best(call: Callable[[], object], rounds: int = 5) -> float:
    """Milliseconds of the fastest call."""
    fastest = float("inf")
    for _ in range(rounds):
        start = time.perf_counter()
        call()
        fastest = min(fastest, time.perf_counter() - start)
    return 1000 * fastest


if __name__ == "__main__":
    main()
