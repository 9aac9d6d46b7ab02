"""Followers that lose their connections: what they make of deltas is what a snapshot is."""

from __future__ import annotations

import pytest

from tests.e2e.resume import prove
from tests.support.instance import Instance


@pytest.mark.ci  # forty connections are lost one by one
async def test_some_followers_lose_their_connections(instance: Instance) -> None:
    """Forty times."""
    proof = await prove(instance, 40)
    assert proof.faults == [], proof.report()
    assert all(witness.compared for witness in proof.witnesses), proof.report()


@pytest.mark.check
async def test_a_thousand_lost_connections(instance: Instance) -> None:
    """At random moments, in both subprotocols; some minutes on a busy machine."""
    proof = await prove(instance, 1_000, seed=11)
    assert proof.faults == [], proof.report()
