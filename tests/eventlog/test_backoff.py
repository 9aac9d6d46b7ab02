"""Pauses between attempts double, end growing, and are never the same for two who wait."""

from __future__ import annotations

from itertools import islice

from eventlog.backoff import pauses


def test_pauses_double_up_to_the_longest() -> None:
    """Each is shorter than that by up to a quarter."""
    whole = [0.1, 0.2, 0.4, 0.8, 1.0, 1.0, 1.0]
    assert all(0.75 * most <= pause <= most for most, pause in zip(whole, islice(pauses(0.1, 1.0), 7), strict=True))


def test_two_that_lost_the_same_server_do_not_come_back_together() -> None:
    """Not once in eight attempts."""
    one, other = (list(islice(pauses(0.1, 1.0), 8)) for _ in range(2))
    assert not set(one) & set(other)
