"""Published series and results that the methods are held against."""

from __future__ import annotations

import csv
import json
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from domain.insights.activity import History
from domain.insights.purchases import Buyer, buyers

ORACLES = Path(__file__).parents[2] / "data" / "oracles"
PURCHASES = Path(__file__).parents[3] / "app" / "demo" / "data" / "cdnow_sample.csv"
CALIBRATION_END = date(1997, 9, 30).toordinal()


@cache
def expected(name: str) -> dict[str, Any]:
    """A file of tests/data/oracles."""
    document: dict[str, Any] = json.loads((ORACLES / f"{name}.json").read_text())
    return document


def co2() -> list[float]:
    """348 monthly means; season of 12."""
    return list(expected("co2_monthly_348")["y"])


def passengers() -> list[float]:
    """144 months; season of 12 that grows with the level."""
    return [float(value) for value in expected("airpassengers")["y"]]


def labelled() -> tuple[list[float], frozenset[int]]:
    """1,000 observations and the places of the seven that do not belong."""
    document = expected("anomaly_yahoo")
    return list(document["yahoo"]["y"]), frozenset(document["labels"]["anomaly_index"])


@cache
def purchases() -> tuple[tuple[str, int, float], ...]:
    """Buyer, day number and amount of every order at CDNOW."""
    with PURCHASES.open() as file:
        return tuple((row["customer"], _day(row["date"]), float(row["amount"])) for row in csv.DictReader(file))


@cache
def cdnow_buyers() -> tuple[Buyer, ...]:
    """As they were at the end of the published calibration period."""
    return buyers(purchases(), CALIBRATION_END)


@cache
def histories() -> tuple[History, ...]:
    """The days with an order of each customer of CDNOW."""
    days: dict[str, set[int]] = {}
    for customer, day, _ in purchases():
        days.setdefault(customer, set()).add(day)
    return tuple(History(min(active), tuple(sorted(active))) for _, active in sorted(days.items()))


def _day(text: str) -> int:
    return date(int(text[:4]), int(text[4:6]), int(text[6:])).toordinal()
