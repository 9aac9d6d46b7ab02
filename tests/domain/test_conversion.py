"""Conversion of currencies: which rate holds, by hand and against a search through everything there is."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.conversion import MOST_DAYS, Factor, Rate, Rates
from tests.support.examples import examples

DAY = date(2025, 10, 8)  # a Wednesday
CODES = st.sampled_from(["EUR", "USD", "JPY", "BTC"])


def rate(pair: str, value: str, *, source: str = "ecb", ago: int = 0, own: bool = False) -> Rate:
    base, quote = pair.split("/")
    return Rate(base, quote, source, DAY - timedelta(ago), Fraction(value), own)


@pytest.mark.parametrize(
    ("rates", "asked", "factor"),
    [
        ([], "USD/USD", "1"),
        ([], "USD/EUR", None),
        ([rate("EUR/USD", "1.25")], "EUR/USD", "1.25"),
        ([rate("EUR/USD", "1.25")], "USD/EUR", "0.8"),
        ([rate("EUR/USD", "1.25"), rate("EUR/JPY", "150")], "JPY/USD", "1/120"),
        ([rate("EUR/USD", "1.25"), rate("EUR/JPY", "150", source="desk")], "JPY/USD", None),
        ([rate("EUR/USD", "1.25"), rate("USD/JPY", "120")], "EUR/JPY", None),  # the base of neither is that of both
        ([rate("EUR/USD", "1.25", ago=7)], "EUR/USD", "1.25"),
        ([rate("EUR/USD", "1.25", ago=8)], "EUR/USD", None),
        ([rate("EUR/USD", "1.25", ago=-1)], "EUR/USD", None),
        ([rate("EUR/USD", "1.2", ago=3), rate("EUR/USD", "1.25", ago=5)], "EUR/USD", "1.2"),
        ([rate("EUR/USD", "1.2"), rate("EUR/USD", "1.3", ago=6, own=True)], "EUR/USD", "1.3"),
        ([rate("EUR/USD", "1.2"), rate("EUR/USD", "1.3", ago=8, own=True)], "EUR/USD", "1.2"),
        ([rate("EUR/USD", "1.2", ago=1), rate("EUR/USD", "1.3", source="desk", ago=2)], "EUR/USD", "1.2"),
        ([rate("USD/EUR", "0.5"), rate("EUR/USD", "1.2")], "EUR/USD", "1.2"),
    ],
)
def test_which_rate_holds(rates: list[Rate], asked: str, factor: str | None) -> None:
    """As told, the other way round, by the base of one source; of a week; the tenant's own first."""
    currency, target = asked.split("/")
    found = Rates(rates).factor(currency, target, DAY)
    assert (found.factor if found else None) == (Fraction(factor) if factor else None)


def test_what_was_used_is_told() -> None:
    """Both rates of a hop, and none for the currency itself."""
    to_dollar, to_yen = rate("EUR/USD", "1.25", ago=2), rate("EUR/JPY", "150", ago=1)
    found = Rates([to_dollar, to_yen]).factor("JPY", "USD", DAY)
    assert found is not None
    assert (found.rates, found.day) == ((to_yen, to_dollar), DAY - timedelta(2))
    assert Rates([to_dollar]).factor("USD", "USD", DAY) == Factor(Fraction(1))


RATES = st.builds(
    Rate,
    CODES,
    CODES,
    st.sampled_from(["ecb", "desk"]),
    st.integers(-2, 12).map(lambda ago: DAY - timedelta(ago)),
    st.integers(1, 10**15).map(lambda number: Fraction(number, 10**6)),
    st.booleans(),
)


def every_way(rates: list[Rate], currency: str, target: str) -> list[tuple[bool, date, int, str, Fraction]]:
    """Every way from one currency to another: the best one first by what is said in `Rates.factor`."""
    last = dict[tuple[bool, str, str, str], Rate]()
    for each in rates:
        if DAY - timedelta(MOST_DAYS) <= each.day <= DAY:
            key = each.own, each.source, each.base, each.quote
            if key not in last or last[key].day < each.day:
                last[key] = each
    ways = []
    for own, source, base, quote in last:
        one = last[own, source, base, quote]
        if (base, quote) == (currency, target):
            ways.append((own, one.day, -1, source, one.rate))
        if (base, quote) == (target, currency):
            ways.append((own, one.day, -1, source, 1 / one.rate))
        other = last.get((own, source, base, target))
        if quote == currency and other is not None:
            ways.append((own, min(one.day, other.day), -2, source, other.rate / one.rate))
    return ways


@settings(max_examples=examples(100))
@given(st.lists(RATES, max_size=12, unique_by=lambda r: (r.own, r.source, r.base, r.quote, r.day)), CODES, CODES)
def test_the_best_of_every_way_is_taken(rates: list[Rate], currency: str, target: str) -> None:
    """The tenant's own, then the newest, then the shortest; and it is one that there is."""
    rates = [each for each in rates if each.base != each.quote]
    if currency == target:
        return
    ways, found = every_way(rates, currency, target), Rates(rates).factor(currency, target, DAY)
    if not ways:
        assert found is None
        return
    assert found is not None
    best = max(way[:3] for way in ways)
    assert found.factor in {way[4] for way in ways if way[:3] == best}
