"""Poison events: set aside, repaired, replayed, and then the state is as if they had been good."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.poison import prove


async def test_some_poison(own_folder: Path) -> None:
    """Fifty among five thousand."""
    proof = await prove(own_folder, 5_000)
    assert proof.right, proof.report()


@pytest.mark.check
async def test_ten_thousand_poison_events(own_folder: Path) -> None:
    """Among a million."""
    proof = await prove(own_folder, 1_000_000)
    assert proof.right, proof.report()
