"""Relays killed under load beside a slow committer: some here, a hundred in `make check`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.relay import prove
from tests.support.kafka_broker import KafkaBroker


@pytest.mark.slow
def test_the_log_has_every_event_once_in_effect_though_relays_are_killed(own_folder: Path) -> None:
    """Nothing missing, nothing twice, in commit order, and the progress names the right places."""
    proof = prove(own_folder, 4)
    assert proof.exact, proof.report()


@pytest.mark.ci
@pytest.mark.kafka
def test_the_same_on_kafka(own_folder: Path, kafka: KafkaBroker) -> None:
    """An append that was under way when its relay died may arrive late; it counts for nothing.

    Once more what the embedded log shows, and a broker beside it.
    """
    proof = prove(own_folder, 3, kafka)
    assert proof.exact, proof.report()


@pytest.mark.check
def test_a_hundred_kills(own_folder: Path) -> None:
    """Long enough that relays die between every two steps of their work."""
    proof = prove(own_folder, 100)
    assert proof.exact, proof.report()
    assert proof.repeats > 0, "no kill hit a relay between append and record"


@pytest.mark.check
@pytest.mark.kafka
def test_a_hundred_kills_on_kafka(own_folder: Path, kafka: KafkaBroker) -> None:
    """The same with a broker that holds the log."""
    proof = prove(own_folder, 100, kafka)
    assert proof.exact, proof.report()
