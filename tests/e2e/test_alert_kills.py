"""Two alerters, one of them killed again and again; a hundred times with `tests.e2e.alert_kills`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.alert_kills import Change, Outcome, run
from tests.e2e.schedule_kills import LEASE
from tests.support.hooks import hooks
from tests.support.instance import Instance


def test_a_change_that_is_missing_twice_or_not_told_is_found(tmp_path: Path) -> None:
    """A proof that could not fail would prove nothing."""
    changes: list[Change] = [("r", '{"service":"s0"}', at, "firing") for at in (1_000, 2_000, 3_000)]
    data = {"rule_id": "r", "at": "1970-01-01T00:00:01Z", "series": [{"series": {"service": "s0"}, "state": "firing"}]}
    with hooks(tmp_path) as receiver:
        receiver.messages["n1"] = [{"data": data}]
        assert len(Outcome(changes[:1], changes[:1], changes[:1], receiver, 0, 3_000).faults()) == 0
        receiver.messages["n2"] = [{"data": data}, {"data": {**data, "at": "1970-01-01T00:00:02Z"}}]
        faults = Outcome(changes[:2], [changes[0], changes[0], changes[2]], changes[:1], receiver, 0, 3_000).faults()
    assert [word for fault in faults for word in ("history", "told", "contents", "differ") if word in fault] == [
        "history", "history", "history", "told", "told", "contents", "history", "differ",
    ]  # fmt: skip


@pytest.mark.ci
def test_every_change_is_there_and_told_once_whoever_is_killed(own_instance: Instance, tmp_path: Path) -> None:
    """Six kills while rules catch up: half a minute, and as much until the last lease has ended."""
    with hooks(tmp_path) as receiver:
        own_instance.start(**receiver.settings, ANALYTICS_LEASE_SECONDS=LEASE)
        outcome = run(own_instance, receiver, 6, 1)
        assert outcome.faults() == [], outcome.report()
        assert len(outcome.expected) > 500
