"""Peers: who is compared with whom, how few are too few, and what the noise does."""

from __future__ import annotations

import statistics

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from domain.insights.peers import Peer, Standing, standing
from domain.metrics.value import Reason

KEY = b"secret of the service"


def tier(size: int, name: str = "pro", agreed: bool = True) -> list[Peer]:
    """Tenants with the values 0, 1, 2, …"""
    return [Peer(f"{name}{number}", name, agreed, float(number)) for number in range(size)]


def percentile(found: Standing | Reason) -> int:
    """Of an answer."""
    assert isinstance(found, Standing)
    return found.percentile


def test_fewer_than_five_peers_are_none() -> None:
    """The asking tenant, other tiers, and those who did not agree are no peers."""
    others = [*tier(4), Peer("me", "pro", True, 7.0), *tier(50, "basic"), *tier(50, "pro", agreed=False)[4:]]
    assert standing(2.0, "me", "pro", others, KEY) is Reason.TOO_FEW
    assert isinstance(standing(2.0, "me", "pro", [*others, Peer("fifth", "pro", True, 1.0)], KEY), Standing)


def test_those_who_did_not_agree_change_nothing() -> None:
    """Their values can be anything."""
    others = tier(30)
    silent = [Peer("silent", "pro", False, 10.0**6), Peer("other", "basic", True, -(10.0**6))]
    assert standing(15.0, "me", "pro", others, KEY) == standing(15.0, "me", "pro", [*others, *silent], KEY)


def test_the_same_question_has_the_same_answer_and_another_key_another_draw() -> None:
    """Asking again does not average the noise away; another state of the values is drawn apart."""
    answers = {percentile(standing(15.0, "me", "pro", tier(30), KEY)) for _ in range(20)}
    assert len(answers) == 1
    drawn = {percentile(standing(15.0, "me", "pro", tier(30), KEY + str(n).encode())) for n in range(50)}
    assert len(drawn) > 1
    moved = {percentile(standing(15.0 + n / 100, "me", "pro", tier(30), KEY)) for n in range(50)}
    assert len(moved) > 1


def test_the_noise_is_as_stated() -> None:
    """Over many keys the middle is the true percentile, and the mean distance is 1/ε peers of those there are."""
    peers = tier(1000)
    drawn = [percentile(standing(500.0, "me", "pro", peers, str(n).encode(), 0.02)) for n in range(2000)]
    assert statistics.mean(drawn) == statistics.median(drawn) or abs(statistics.mean(drawn) - 50) < 1
    distance = statistics.mean(abs(value - 50) for value in drawn)
    assert 4 < distance < 6  # 1 / 0.02 = 50 of 1,000 peers are 5 points; rounding to 5 blurs that


def test_the_answer_names_no_peer_and_no_exact_count() -> None:
    """What leaves is a rounded percentile and the count in tens."""
    found = standing(20.0, "me", "pro", tier(37), KEY)
    assert isinstance(found, Standing)
    assert found.basis.sample == 30
    assert found.percentile % 5 == 0
    told = msgspec.json.encode(found)
    assert msgspec.json.encode(standing(20.0, "me", "pro", list(reversed(tier(37))), KEY)) == told
    assert b"37" not in told


@given(
    st.floats(allow_nan=False, allow_infinity=False),
    st.lists(st.floats(allow_nan=True), min_size=5, max_size=40),
    st.binary(max_size=200),
)
def test_any_values_give_a_percentile_or_a_reason(own: float, values: list[float], key: bytes) -> None:
    """Between 0 and 100; what is no number does not count as a peer."""
    peers = [Peer(str(number), "pro", True, value) for number, value in enumerate(values)]
    found = standing(own, "me", "pro", peers, key)
    assert found is Reason.TOO_FEW if isinstance(found, Reason) else 0 <= found.percentile <= 100
