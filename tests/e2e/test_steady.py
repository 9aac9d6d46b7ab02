"""Memory under a steady load: ten minutes in `make check`; here, that the judgement can fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.steady import Memory, steady


def test_a_role_that_is_too_large_or_grows_is_found() -> None:
    """A proof that could not fail would prove nothing."""
    flat, grows = [100, 101, 100, 99] * 60, [50 + i // 60 for i in range(240)]
    assert Memory({"grpc": flat}, 1).faults == []
    assert len(Memory({"grpc": [130] * 240, "projector": flat}, 1).faults) == 1
    assert len(Memory({"read-api": grows}, 1).faults) == 1


@pytest.mark.check
def test_memory_is_flat_over_ten_minutes(tmp_path: Path) -> None:
    """Every role stays below its limit and does not grow."""
    memory = steady(tmp_path / "data", 10, 4_000)
    print(memory.report())
    assert memory.faults == []
