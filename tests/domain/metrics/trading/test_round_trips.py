"""Round trips from fills: FIFO and average cost, flips, shares that lose nothing by rounding."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.billing.monthly_price import half_even
from domain.errors import Invalid
from domain.metrics.trading.round_trips import Fill, Matching, RoundTrip, round_trips

M = 10**6


def fill(at: int, quantity: float, price: float, fee: float = 0) -> Fill:
    """A fill in units."""
    return Fill(at, round(quantity * M), round(price * M), round(fee * M))


BOUGHT_TWICE = [fill(1, 10, 100, 1), fill(2, 10, 110, 1), fill(3, -15, 120, 3)]


def test_first_in_first_out_closes_the_oldest() -> None:
    """15 of 20: ten bought at 100 and five at 110, for 120, less 1 + 0.5 + 3 of fees."""
    matched = round_trips(BOUGHT_TWICE)
    assert matched.round_trips == [RoundTrip(1, 3, True, 15 * M, 1550 * M, 1800 * M, 4_500_000, 245_500_000)]
    assert matched.quantity == 5 * M
    assert matched.unrealised(120 * M) == 49_500_000  # 600 − 550 − 0.5


def test_average_cost_closes_a_share_of_all() -> None:
    """15 of 20 bought at 105 on average; the position is as old as its first fill."""
    (trip,) = round_trips(BOUGHT_TWICE, Matching.AVERAGE).round_trips
    assert trip == RoundTrip(1, 3, True, 15 * M, 1575 * M, 1800 * M, 4_500_000, 220_500_000)


@pytest.mark.parametrize("matching", list(Matching))
def test_a_flip_is_a_close_and_an_opening(matching: Matching) -> None:
    """Long 2, sold 5: two closed, three short, the fee of 5 shared 2 to 3; the short is bought back at a profit."""
    matched = round_trips([fill(1, 2, 10), fill(2, -5, 12, 5), fill(3, 3, 11)], matching)
    long, short = matched.round_trips
    assert (long.long, long.quantity, long.pnl) == (True, 2 * M, 2 * M)  # 4 − 2
    assert (short.long, short.opened_at, short.quantity, short.pnl) == (False, 2, 3 * M, 0)  # 3 − 3
    assert matched.quantity == 0
    assert matched.unrealised(99 * M) == 0


def test_a_fill_of_nothing_is_refused() -> None:
    """It would belong to no round trip."""
    with pytest.raises(Invalid, match="fill at 7 has no quantity"):
        round_trips([Fill(7, 0, 1)])


FILLS = st.lists(
    st.builds(
        Fill,
        st.integers(0, 10**6),
        st.integers(-(10**13), 10**13).filter(bool) | st.sampled_from([-1, 1, -3, 7]),
        st.integers(-(10**10), 10**12),  # prices below zero have been seen
        st.integers(-(10**6), 10**9),
    ),
    max_size=40,
)


@given(FILLS, st.integers(-(10**10), 10**12), st.sampled_from(list(Matching)))
def test_realised_and_unrealised_are_cash_and_holdings_exactly(
    fills: list[Fill], last_price: int, matching: Matching
) -> None:
    """realised + unrealised = cash + quantity × last price, to the millionth, whatever was split."""
    matched = round_trips(fills, matching)
    cash = sum(-half_even(fill.quantity * fill.price, M) - fill.fee for fill in fills)
    quantity = sum(fill.quantity for fill in fills)
    assert matched.cash == cash
    assert matched.quantity == quantity == sum(lot.quantity for lot in matched.open_lots)
    assert matched.realised + matched.unrealised(last_price) == cash + half_even(quantity * last_price, M)


@given(FILLS, st.sampled_from(list(Matching)))
def test_every_closing_fill_makes_one_round_trip(fills: list[Fill], matching: Matching) -> None:
    """As many as there are fills against the position, each with what it closed."""
    held, closed = 0, []
    for each in fills:
        if held * each.quantity < 0:
            closed.append((each.at, min(abs(held), abs(each.quantity))))
        held += each.quantity
    assert [(trip.closed_at, trip.quantity) for trip in round_trips(fills, matching).round_trips] == closed
