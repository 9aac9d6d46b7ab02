"""Workers that come, go, die and freeze: a short run here, five minutes on Kafka in `make check`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.handover import prove
from tests.support.kafka_broker import KafkaBroker


@pytest.mark.check
def test_partitions_change_hands_for_a_minute(tmp_path: Path) -> None:
    proof = prove(tmp_path / "data", 60)
    assert proof.exact, proof.report()


@pytest.mark.check
@pytest.mark.kafka
def test_partitions_change_hands_on_kafka_for_five_minutes(tmp_path: Path, kafka: KafkaBroker) -> None:
    proof = prove(tmp_path / "data", 300, kafka)
    assert proof.exact, proof.report()
    assert proof.done["frozen"] >= 3
