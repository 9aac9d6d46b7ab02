"""Rates of tenants: what a bucket lets through, and that nobody pays for another's flood."""

from __future__ import annotations

from contextlib import ExitStack, suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.access import rate_limits as rates_module
from domain.access.limits import LIMITS, Rate, Use
from domain.access.rate_limits import Rates, Tenant
from domain.access.rights import Principal, Role, Tier
from domain.errors import LimitExceeded

GAPS = st.lists(st.floats(0, 2, allow_nan=False), min_size=1, max_size=200)


def somebody(company: str = "acme", tier: Tier = Tier.FREE) -> Principal:
    """A viewer of a company."""
    return Principal("ann", frozenset({company}), frozenset({Role.VIEWER}), tier)


@given(gaps=GAPS, per_second=st.floats(0.5, 100), burst=st.floats(1, 50))
def test_no_stretch_of_time_lets_more_through_than_the_burst_and_the_rate(
    gaps: list[float], per_second: float, burst: float
) -> None:
    """Whenever somebody asks, and however long they rested before."""
    tenant, rate, now, taken = Tenant(), Rate(per_second, burst), 0.0, list[float]()
    for gap in gaps:
        now += gap
        bucket = tenant.bucket(Use.READS, rate, now)
        if bucket.wait == 0:
            bucket.left -= 1
            taken.append(now)
    for i, begin in enumerate(taken):
        for j in range(i, len(taken)):
            assert j - i + 1 <= burst + per_second * (taken[j] - begin) + 1e-6


@given(gaps=GAPS, per_second=st.floats(0.5, 100), burst=st.floats(1, 50))
def test_after_the_wait_that_was_told_there_is_one(gaps: list[float], per_second: float, burst: float) -> None:
    """Retry-After is no guess."""
    tenant, rate, now = Tenant(), Rate(per_second, burst), 0.0
    bucket = tenant.bucket(Use.READS, rate, now)
    for gap in gaps:
        bucket.left -= 1
        now += gap / 10
        bucket = tenant.bucket(Use.READS, rate, now)
    assert tenant.bucket(Use.READS, rate, now + bucket.wait + 1e-6).wait < 1e-3


@given(back=st.floats(0, 1_000))
def test_a_clock_that_goes_back_gives_nothing(back: float) -> None:
    """Nor does it take anything away."""
    tenant, rate = Tenant(), Rate(10, 5)
    tenant.bucket(Use.READS, rate, 1_000.0).left = 0
    assert tenant.bucket(Use.READS, rate, 1_000.0 - back).left == 0


def test_a_flood_of_one_tenant_leaves_the_others_untouched() -> None:
    """Each has its own buckets; the one that floods is told when to come again."""
    rates = Rates()
    for _ in range(int(LIMITS[Tier.FREE].rates[Use.READS].burst)):
        rates.admit(somebody("acme"), Use.READS, 1.0)
    for _ in range(1_000):
        with pytest.raises(LimitExceeded) as refused:
            rates.admit(somebody("acme"), Use.READS, 1.0)
        assert refused.value.code == "rate_limited"
        assert refused.value.retry_after == pytest.approx(0.05)
    rates.admit(somebody("beta"), Use.READS, 1.0)


def test_uses_are_counted_apart() -> None:
    """Who has published too much may still read."""
    rates = Rates()
    waits = rates.charge_each(somebody(), Use.EVENTS, {"acme": 1_000_000}, 0.0)
    assert waits == pytest.approx((1_000_000 - 10_000 + 1) / 1_000)
    with pytest.raises(LimitExceeded):
        rates.admit(somebody(), Use.EVENTS, 1.0, amount=0)
    rates.admit(somebody(), Use.READS, 1.0)
    rates.admit(somebody(), Use.EVENTS, 1_000.0, amount=0)


def test_so_many_questions_at_once_and_no_more() -> None:
    """A question that has ended, well or not, makes room for another; one that is refused uses up no rate."""
    rates, open_ones = Rates(), []
    for _ in range(LIMITS[Tier.FREE].at_once):
        question = rates.question(somebody(), 0.0)
        question.__enter__()
        open_ones.append(question)
    for _ in range(1_000):
        with pytest.raises(LimitExceeded, match="4 questions at once"), rates.question(somebody(), 0.0):
            pass
    open_ones.pop().__exit__(None, None, None)
    with pytest.raises(ZeroDivisionError), rates.question(somebody(), 0.0):
        raise ZeroDivisionError
    with rates.question(somebody(), 0.0):
        pass


def test_a_factor_scales_and_zero_switches_off() -> None:
    """For machines that are smaller or larger than ours, and for measuring."""
    for _ in range(10_000):
        Rates(0).admit(somebody(), Use.COMMANDS, 0.0)
    small = Rates(0.001)
    small.admit(somebody(), Use.COMMANDS, 0.0)
    with pytest.raises(LimitExceeded):
        small.admit(somebody(), Use.COMMANDS, 0.0)


def test_every_tier_has_its_limits_and_a_higher_one_has_more() -> None:
    """No tier is forgotten."""
    assert set(LIMITS) == set(Tier)
    order = [LIMITS[tier] for tier in Tier]
    for use in Use:
        rates = [limits.rates[use].per_second for limits in order]
        assert rates == sorted(set(rates))
    assert [limits.at_once for limits in order] == sorted(limits.at_once for limits in order)


def test_two_tiers_of_a_tenant_in_turn_do_not_begin_anew() -> None:
    """What a tenant has used is used, whichever of its tokens asks next."""
    rates, free, pro = Rates(), somebody(tier=Tier.FREE), somebody(tier=Tier.PRO)
    for _ in range(int(LIMITS[Tier.FREE].rates[Use.READS].burst)):
        rates.admit(free, Use.READS, 1.0)
    for _ in range(10):
        for asking in (pro, free):
            with pytest.raises(LimitExceeded):
                rates.admit(asking, Use.READS, 1.0)


@given(turns=st.lists(st.tuples(st.sampled_from(Tier), st.floats(0, 0.5)), min_size=1, max_size=300))
def test_no_mix_of_tiers_lets_more_through_than_the_highest_alone(turns: list[tuple[Tier, float]]) -> None:
    """So whoever may have two tokens gains nothing by it."""
    rates, now, taken = Rates(0.1), 0.0, 0
    highest = max((tier_limit(tier) for tier, _ in turns), key=lambda rate: rate.per_second)
    for tier, gap in turns:
        now += gap
        try:
            rates.admit(somebody(tier=tier), Use.COMMANDS, now)
            taken += 1
        except LimitExceeded:
            pass
    assert taken <= highest.burst + highest.per_second * now + 1e-6


def tier_limit(tier: Tier) -> Rate:
    """The rate of commands of a tier, scaled as in the test above."""
    return LIMITS[tier].rates[Use.COMMANDS].times(0.1)


def several(*companies: str, tier: Tier = Tier.FREE) -> Principal:
    """A viewer of these companies."""
    return Principal("bob", frozenset(companies), frozenset({Role.VIEWER}), tier)


def test_a_token_of_several_companies_uses_the_rate_of_the_one_that_it_asks_about() -> None:
    """No set of companies is a tenant of its own, with a bucket that is full again."""
    rates = Rates()
    for asking in [several("acme", other) for other in "bcdefghij"] * 10:
        with suppress(LimitExceeded):
            rates.admit(asking, Use.READS, 1.0, company="acme")
    with pytest.raises(LimitExceeded):
        rates.admit(somebody("acme"), Use.READS, 1.0)
    with pytest.raises(LimitExceeded):
        rates.admit(several("acme", "zeta"), Use.READS, 1.0, company="not-theirs")
    rates.admit(somebody("b"), Use.READS, 1.0)
    rates.admit(several("acme", "b"), Use.READS, 1.0, company="b")
    rates.admit(several("*"), Use.READS, 1.0, company="acme")


def test_events_of_several_companies_are_charged_to_each() -> None:
    """One that publishes for many companies does not use up the rate of the first."""
    rates, service = Rates(), several("acme", "beta")
    assert rates.charge_each(service, Use.EVENTS, {"acme": 20_000, "beta": 5}, 0.0) == pytest.approx(10.001)
    with pytest.raises(LimitExceeded):
        rates.admit(somebody("acme"), Use.EVENTS, 0.0, amount=0)
    rates.admit(somebody("beta"), Use.EVENTS, 0.0, amount=0)


def test_feeds_are_counted_by_tenant_and_bounded_by_tier() -> None:
    """Over all connections and tokens; one that ends makes room, and a tier that fell shows in what is open."""
    rates, opened = Rates(), ExitStack()
    for _ in range(LIMITS[Tier.FREE].feeds):
        opened.enter_context(rates.feed(somebody("acme"), "acme"))
    for asking in (somebody("acme"), several("acme", "beta")):
        with pytest.raises(LimitExceeded, match="more live feeds than its tier"), rates.feed(asking, "acme"):
            pass
    with rates.feed(several("acme", "beta"), "beta"), rates.feed(somebody("acme", Tier.PRO), "acme"):
        rates.check_feeds(somebody("acme", Tier.PRO), "acme")
        with pytest.raises(LimitExceeded):
            rates.check_feeds(somebody("acme"), "acme")
    opened.close()
    with rates.feed(somebody("acme"), "acme"):
        rates.check_feeds(somebody("acme"), "acme")


def test_the_stored_tier_of_the_company_says_how_much() -> None:
    """Whatever the token says, as everywhere."""
    asking = Principal("ann", frozenset({"acme"}), frozenset({Role.VIEWER}), Tier.PRO, stored_tiers={"acme": Tier.FREE})
    rates = Rates()
    for _ in range(int(LIMITS[Tier.FREE].rates[Use.READS].burst)):
        rates.admit(asking, Use.READS, 1.0)
    with pytest.raises(LimitExceeded, match="more than 20 reads"):
        rates.admit(asking, Use.READS, 1.0)


def test_a_tenant_that_has_something_open_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many others come by: else its feeds would no longer count."""
    monkeypatch.setattr(rates_module, "REMEMBERED", 3)
    rates, opened = Rates(), ExitStack()
    for _ in range(LIMITS[Tier.FREE].feeds):
        opened.enter_context(rates.feed(somebody("acme")))
    for number in range(10):
        rates.admit(somebody(f"c{number}"), Use.READS, 0.0)
    with pytest.raises(LimitExceeded), rates.feed(somebody("acme")):
        pass
    opened.close()
