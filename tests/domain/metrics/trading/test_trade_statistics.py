"""Statistics of a trade list: numbers computed by hand, an independent recount, and every edge."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from itertools import groupby

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.decimals import ONE
from domain.errors import NotFound
from domain.metrics.trading.calendars import MS_PER_DAY, Calendar
from domain.metrics.trading.catalogue import STATISTICS, Convention, Reads, Unit, answer
from domain.metrics.trading.daily import NOTHING, Booked, from_pnl
from domain.metrics.trading.exposure import exposure
from domain.metrics.trading.profitable_user_share import profitable_user_share
from domain.metrics.trading.realised_drawdown import realised_drawdown
from domain.metrics.trading.record import TradingRecord
from domain.metrics.trading.rolling_win_rate import rolling_win_rate
from domain.metrics.trading.sqn import sqn
from domain.metrics.trading.trades import Trades
from domain.metrics.trading.whole import whole
from domain.metrics.value import Reason, Stat, has_value
from tests.domain.metrics.trading.answers import answers

M = ONE
MINUTE = 60_000
MORNING = 10**6 * MINUTE  # entry of the first trade
NO_DAYS = from_pnl(NOTHING, Calendar.ALL)


def minutes(*times: int | None) -> list[int | None]:
    """Moments so many minutes after the first entry."""
    return [None if time is None else MORNING + time * MINUTE for time in times]


def units(*amounts: float | None) -> list[int | None]:
    """Amounts of money as trillionths."""
    return [None if amount is None else round(amount * M) for amount in amounts]


# five trades, the third breakeven, the fifth of unknown entry
FIVE = Trades.of(
    units(10, -4, 0, 6, -2),
    fees=units(1, 1, None, 2, 0),
    quantity=units(1, 2, 1, 0.5, None),
    entry_price=units(100, 50, 10, 8, 8),
    exit_price=units(110, 48, 10, 20, 8),
    opened_at=minutes(0, 5, 40, 60, None),
    closed_at=minutes(10, 25, 70, 100, 110),
    adverse=units(-1, -5, None, -2, -2),
    favourable=units(12, 1, None, 8, 0),
    initial_risk=units(5, 2, None, 3, 0),
)


def of(trades: Trades) -> TradingRecord:
    """A record of these trades without daily series."""
    return TradingRecord(trades, NO_DAYS)


BY_HAND = {
    "total_trades": 5,
    "winning_trades": 2,
    "losing_trades": 2,
    "breakeven_trades": 1,
    "win_rate": 2 / 5,
    "total_pnl": 10 * M,
    "gross_profit": 16 * M,
    "gross_loss": 6 * M,
    "total_fees": 4 * M,
    "average_win": 8 * M,
    "average_loss": -3 * M,
    "largest_win": 10 * M,
    "largest_loss": -4 * M,
    "payoff_ratio": 8 / 3,
    "profit_factor": 16 / 6,
    "expectancy": 2 * M,  # 2/5 × 8 + 2/5 × −3
    "expectancy_r": (10 / 5 - 4 / 2 + 6 / 3) / 3,  # the fourth has no risk, the fifth none above zero
    "sqn": 2 * math.sqrt(5 / 34),  # deviations 8, −6, −2, 4, −4: variance 136/4
    "kelly": 0.175,  # 0.4 − 0.6 × 3/8
    "longest_win_streak": 1,
    "longest_loss_streak": 1,  # the breakeven ends it
    "mean_hold_minutes": 25,  # 10, 20, 30, 40
    "mean_hold_minutes_winners": 25,
    "mean_hold_minutes_losers": 20,
    "median_hold_minutes": 25,
    "longest_hold_minutes": 40,
    "mae": -2.5 * M,
    "mfe": 5.25 * M,
    "exit_efficiency": 10 / 21,
    "turnover": (210 + 196 + 20 + 14) * M,
    "best_trade_return": 1.5,  # 6 on 0.5 × 8
    "worst_trade_return": -0.04,
    "mean_trade_return": 2.64**0.25 - 1,  # 1.1 × 0.96 × 1 × 2.5
    "realised_drawdown_money": -4 * M,  # 10, 6, 6, 12, 10
    "exposure": 0.85,  # 0–25 and 40–100 of 100 minutes
}


@pytest.mark.parametrize("key", BY_HAND)
def test_five_trades_by_hand(key: str) -> None:
    """As computed on paper."""
    assert answer(key, of(FIVE)).value == pytest.approx(BY_HAND[key], rel=1e-15)


def test_every_statistic_of_trades_was_computed_by_hand() -> None:
    """A statistic added to the catalogue needs its number above; the realised drawdown has its own test."""
    assert {key for key, entry in STATISTICS.items() if entry.reads is Reads.TRADES} == {*BY_HAND}


def test_money_that_is_summed_or_picked_stays_whole() -> None:
    """Sums and extremes are integers, exact beyond what a float holds."""
    record = of(Trades.of([2**61, 1, 2**61]))
    assert answer("total_pnl", record).value == 2**62 + 1
    assert answer("largest_win", record).value == 2**61
    assert answer("gross_profit", of(Trades.of([2**62] * 9 + [1]))).value == 9 * 2**62 + 1


def test_a_breakeven_counts_as_lost_in_the_platforms_form() -> None:
    """Three lost, none even, mean loss −2, two lost in a row; the win rate is the same."""
    wanted = {
        "losing_trades": 3,
        "breakeven_trades": 0,
        "win_rate": 0.4,
        "average_loss": -2 * M,
        "largest_loss": -4 * M,
        "payoff_ratio": 4,
        "kelly": 0.25,
        "longest_loss_streak": 2,
        "mean_hold_minutes_losers": 25,
        "profit_factor": 16 / 6,
    }
    given = answers(of(FIVE), Convention.PLATFORM)
    assert {key: given[key].value for key in wanted} == pytest.approx(wanted)
    assert given["kelly"].convention is Convention.PLATFORM


def test_realised_drawdown_is_relative_to_the_peak_with_the_starting_equity() -> None:
    """100 at the start, 110 at the peak, 106 at the trough."""
    assert realised_drawdown(FIVE, 100 * M) == pytest.approx(-4 / 110)
    assert realised_drawdown(FIVE, 0) is Reason.NO_EQUITY
    assert realised_drawdown(Trades.of(units(-30)), 100 * M) == pytest.approx(-0.3)
    assert realised_drawdown(Trades.of([]), 100 * M) is Reason.NO_TRADES


def flows(*moved: tuple[int, float]) -> Booked:
    """Deposits and withdrawals, by day."""
    return Booked(np.array([day for day, _ in moved], np.int64), whole(round(amount * M) for _, amount in moved))


def daily_trades(*amounts: float) -> Trades:
    """One trade a day, from day 1 on, at noon."""
    closed = [day * MS_PER_DAY + MS_PER_DAY // 2 for day in range(1, len(amounts) + 1)]
    return Trades.of(units(*amounts), closed_at=closed)


def test_flows_are_no_part_of_the_realised_drawdown() -> None:
    """Half is lost of what was there; a deposit of any size, before or after, moves no fraction by itself."""
    two = daily_trades(-50, -500)
    assert realised_drawdown(two, 100 * M, flows((2, 950))) == pytest.approx(0.5 * 0.5 - 1)
    assert realised_drawdown(two, 100 * M, flows((3, 10_000), (2, 950))) == pytest.approx(0.5 * 0.5 - 1)
    assert realised_drawdown(two, 100 * M) == pytest.approx(0.5 * -9 - 1)  # 500 lost of 50 is a debt
    assert realised_drawdown(daily_trades(-100, -1), 100 * M) is Reason.RUIN
    assert realised_drawdown(daily_trades(100, -110), 0, flows((1, 1_000))) == pytest.approx(-0.1)
    assert realised_drawdown(daily_trades(100, -110), 0, flows((3, 1_000))) is Reason.NO_EQUITY


def test_a_withdrawal_is_no_fall_and_counts_after_its_day() -> None:
    """Of 200, 100 are taken out on the day of a loss of 20; half of the other 80 is lost later."""
    taken_out = flows((1, -100))
    assert realised_drawdown(daily_trades(-20), 200 * M, taken_out) == pytest.approx(-0.1)
    assert realised_drawdown(daily_trades(-20, -40), 200 * M, taken_out) == pytest.approx(0.9 * 0.5 - 1)


@given(st.lists(st.tuples(st.floats(10, 1_000), st.floats(-0.99, 3)), min_size=1, max_size=30))
def test_a_realised_drawdown_is_that_of_the_returns_of_trades(days: list[tuple[float, float]]) -> None:
    """Whatever is paid in each morning, and if no trade loses more than there is, it is above −100 %."""
    held, pnl = 100.0, []
    for deposit, rate in days:
        held += deposit
        pnl.append(round(held * rate, 6))
        held += pnl[-1]
    paid_in = flows(*((day, deposit) for day, (deposit, _) in enumerate(days, start=1)))
    found = realised_drawdown(daily_trades(*pnl), 100 * M, paid_in)
    level = peak = 1.0
    deepest = 0.0
    for _, rate in days:
        level *= 1 + rate
        peak = max(peak, level)
        deepest = min(deepest, level / peak - 1)
    assert found == pytest.approx(deepest, abs=1e-4)
    assert has_value(found)
    assert found > -1


def test_exposure_of_a_period_cuts_off_what_is_outside() -> None:
    """Twenty minutes in, 200 long: 5 + 60 of 200; a period without length has none."""
    start, end = MORNING + 20 * MINUTE, MORNING + 220 * MINUTE
    assert exposure(FIVE, start, end) == pytest.approx(65 / 200)
    assert exposure(FIVE, start, start) is Reason.ZERO_DENOMINATOR
    assert exposure(FIVE, MORNING - 200 * MINUTE, MORNING) == 0


def test_the_cap_bounds_what_many_trades_add_to_sqn() -> None:
    """200 trades of ±1 around 2: √100 in place of √200."""
    many = Trades.of(units(*([1, 3] * 100)))
    plain, capped = sqn(many), sqn(many, cap=100)
    assert has_value(plain)
    assert has_value(capped)
    assert plain == pytest.approx(math.sqrt(200) * 2 / math.sqrt(200 / 199))
    assert plain / capped == pytest.approx(math.sqrt(2))


def test_a_share_of_users_earns() -> None:
    """Two of four; a user at zero does not."""
    assert profitable_user_share(2, 4) == 0.5
    assert profitable_user_share(0, 0) is Reason.NO_TRADES


def test_rolling_win_rate_by_hand() -> None:
    """+ − 0 + −, two at a time."""
    assert rolling_win_rate(FIVE, 2).tolist() == [0.5, 0, 0.5, 0.5]
    assert rolling_win_rate(FIVE, 6).size == 0


def test_prices_of_trades_round_half_even_in_turnover() -> None:
    """0.5 trillionths of money are none, 1.5 are two."""
    trades = Trades.of([0, 0], quantity=[1, 1], entry_price=[ONE // 5, ONE], exit_price=[3 * ONE // 10, ONE // 2])
    assert answer("turnover", of(trades)).value == 2


@pytest.mark.parametrize(
    ("pnl", "reasons"),
    [
        ([], {"win_rate": "no_trades", "expectancy": "no_trades", "sqn": "no_trades", "kelly": "no_trades"}),
        ([5], {"average_loss": "no_losses", "profit_factor": "no_losses", "sqn": "too_few", "kelly": "no_losses"}),
        ([-5], {"average_win": "no_wins", "payoff_ratio": "no_wins", "largest_win": "no_wins", "kelly": "no_wins"}),
        ([0], {"profit_factor": "no_losses", "payoff_ratio": "no_wins", "average_win": "no_wins"}),
        ([7, 7, 7], {"sqn": "no_dispersion", "largest_loss": "no_losses"}),
        (
            [1],
            {
                "mae": "not_reported",
                "mfe": "not_reported",
                "exposure": "not_reported",
                "exit_efficiency": "not_reported",
            },
        ),
        (
            [1],
            {"expectancy_r": "not_reported", "mean_hold_minutes": "not_reported", "worst_trade_return": "not_reported"},
        ),
    ],
)
def test_what_is_undefined_says_why(pnl: list[int], reasons: dict[str, str]) -> None:
    """The reasons of empty and one-sided lists, and of what trades do not carry."""
    assert {key: answer(key, of(Trades.of(pnl))).value for key in reasons} == reasons


def test_a_trade_that_lost_its_stake_has_no_geometric_mean() -> None:
    """−100 % of what it was opened with."""
    trades = Trades.of(units(-10, 5), quantity=units(1, 1), entry_price=units(10, 10))
    assert answer("mean_trade_return", of(trades)).value is Reason.RUIN


def test_an_unknown_statistic_is_not_found() -> None:
    """With what it was asked for."""
    with pytest.raises(NotFound, match="no trading statistic is called luck"):
        answer("luck", of(FIVE))


def test_backtesting_computes_on_returns_of_trades() -> None:
    """0.1 − 0.04 + 0 + 1.5 of four trades; the expectancy is then a fraction."""
    factor = answer("profit_factor", of(FIVE), Convention.BACKTESTING)
    mean = answer("expectancy", of(FIVE), Convention.BACKTESTING)
    assert factor.value == pytest.approx(1.6 / 0.04)
    assert mean.value == pytest.approx(1.56 / 4)
    assert mean.unit is Unit.FRACTION


AMOUNTS = st.integers(-(10**12), 10**12) | st.integers(-3, 3) | st.integers(-(2**63) + 1, 2**63 - 1)


@given(st.lists(AMOUNTS, max_size=60))
def test_statistics_equal_a_recount_in_fractions(pnl: list[int]) -> None:
    """Plain Python on exact fractions, for amounts up to the 64-bit range."""
    given = {key: entry.value for key, entry in answers(of(Trades.of(pnl))).items()}
    won, lost = [p for p in pnl if p > 0], [p for p in pnl if p < 0]
    assert given["total_pnl"] == sum(pnl)
    assert given["gross_profit"] == sum(won)
    assert given["gross_loss"] == -sum(lost)
    assert given["longest_win_streak"] == max((len([*run]) for up, run in groupby(p > 0 for p in pnl) if up), default=0)
    assert given["longest_loss_streak"] == max(
        (len([*run]) for down, run in groupby(p < 0 for p in pnl) if down), default=0
    )
    assert given["realised_drawdown_money"] == fall(pnl)
    if won and lost:
        payoff = Fraction(sum(won), len(won)) / -Fraction(sum(lost), len(lost))
        share = Fraction(len(won), len(pnl))
        assert given["payoff_ratio"] == float(payoff)
        assert given["profit_factor"] == float(Fraction(sum(won), -sum(lost)))
        assert given["kelly"] == pytest.approx(float(share - (1 - share) / payoff), rel=1e-9, abs=1e-12)
    if len(set(pnl)) > 1:
        wanted = math.sqrt(len(pnl)) * statistics.mean(pnl) / statistics.stdev(pnl)
        assert given["sqn"] == pytest.approx(wanted, rel=1e-9, abs=1e-15)


def longest(facts: Iterable[bool]) -> int:
    """The longest run of true facts."""
    return max((len([*run]) for fact, run in groupby(facts) if fact), default=0)


def fall(amounts: list[int]) -> int:
    """How far the running sum falls below its peak."""
    level = peak = deepest = 0
    for amount in amounts:
        level += amount
        peak = max(peak, level)
        deepest = min(deepest, level - peak)
    return deepest


REPORTED = st.none() | st.integers(-(2**63) + 1, 2**63 - 1)
TIMES = st.none() | st.integers(0, 4 * 10**12)


COLUMNS = ("fees", "quantity", "entry_price", "exit_price", "adverse", "favourable", "initial_risk")


@st.composite
def any_trades(draw: st.DrawFn) -> Trades:
    """Trades with any gap, any amount."""
    count = draw(st.integers(0, 8))

    def column(of: st.SearchStrategy[int | None]) -> list[int | None]:
        return draw(st.just([]) | st.lists(of, min_size=count, max_size=count))

    pnl = draw(st.lists(AMOUNTS, min_size=count, max_size=count))
    reported = {name: column(REPORTED) for name in COLUMNS}
    return Trades.of(pnl, **reported, opened_at=column(TIMES), closed_at=column(TIMES))


def is_answer(value: Stat) -> bool:
    """A finite number or a reason."""
    return not has_value(value) or math.isfinite(value)


@given(any_trades(), st.integers(-(2**63) + 1, 2**63 - 1), st.sampled_from(list(Convention)))
def test_any_trades_give_a_value_or_a_reason(trades: Trades, equity: int, convention: Convention) -> None:
    """Never NaN, infinity or an exception, in any convention."""
    record = TradingRecord(trades, replace(NO_DAYS, starting_equity=equity))
    assert all(is_answer(entry.value) for entry in answers(record, convention).values())
