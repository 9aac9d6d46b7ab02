"""Two schedulers, one of them killed again and again; a hundred times with `tests.e2e.schedule_kills`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.schedule_kills import LEASE, Outcome, run
from tests.support.hooks import hooks
from tests.support.instance import Instance


def test_a_run_that_is_missing_or_not_sent_is_found(tmp_path: Path) -> None:
    """A proof that could not fail would prove nothing."""
    with hooks(tmp_path) as receiver:
        receiver.messages["r1"] = [{"data": {"report": {"sha256": digest}}} for digest in ("00", "01")]
        due = [("s1", 1), ("s1", 2), ("s1", 3)]
        runs = [("s1", 1, "done", "r1"), ("s1", 2, "failed", "r2")]
        assert len(Outcome(due, runs, [("schedule:s1", "r1")], receiver, 0).faults()) == 5


@pytest.mark.ci
def test_every_due_time_is_made_once_whoever_is_killed(own_instance: Instance, tmp_path: Path) -> None:
    """Six kills while two hundred runs are made: half a minute, and as much until the last lease has ended."""
    with hooks(tmp_path) as receiver:
        own_instance.start(**receiver.settings, ANALYTICS_LEASE_SECONDS=LEASE)
        outcome = run(own_instance, receiver, 6, 1)
        assert outcome.faults() == [], outcome.report()
        assert len(outcome.due) > 150
