"""kill -9, SIGSTOP and a full disk for each process and server in turn."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.faults import CAUSES, prove, small_disks


@pytest.mark.check
def test_faults_of_every_process_and_server(tmp_path: Path) -> None:
    """About ten minutes, because each process is frozen for 20 s: nothing lost, nothing twice, healed in time."""
    with small_disks(tmp_path / "data"):
        proof = prove(tmp_path / "data", list(CAUSES))
    assert proof.right, proof.report()
