"""Corrections while projectors are killed: every table is as a recount of the last reports."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.corrections import prove


@pytest.mark.check
def test_corrections_of_many_trades_while_projectors_die(tmp_path: Path) -> None:
    """A few minutes, because a hundred thousand histories are published while projectors come and go."""
    proof = prove(tmp_path / "data", 100_000)
    assert proof.exact, proof.report()
