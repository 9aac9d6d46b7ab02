"""What keeps a projection from getting on, as judged from its state and from the workers' heartbeats."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.access.rights import EVERY_COMPANY, Member, Principal, Role
from domain.position import Position
from projections.engine.project.failure import Failure, Heartbeat, TopicBeat
from projections.engine.store.port import ProjectionStatus
from read_api.health.projection_status import OF_ALL, health_seen_by, report, standing, visible_to
from read_api.health.prometheus import Metric, Metrics
from read_api.health.stall_diagnosis import failure_of, no_worker

NOW = 1_760_000_000.0
WAITS = Failure("unavailable", "no broker answers", "t", "b:2", 1)
STOPPED = Failure("fold_failed", "clicks v1 failed", "t", "b:2", 1, "t:0=7", "e7", "acme")


def status(state: str = "running", failure: Failure | None = None) -> ProjectionStatus:
    """A stored version in this state."""
    return ProjectionStatus("clicks", 1, state, {("t", 0): 5}, 0, 0, 0.0, None, failure=failure)


def beat(age: float = 1.0, idle: float = 0.1, partitions: int = 2, waiting: Failure | None = None) -> Heartbeat:
    """A worker that was heard of `age` seconds ago."""
    return Heartbeat("a:1", age, {"t": TopicBeat(partitions, idle, waiting)})


@pytest.mark.parametrize(
    ("beats", "category"),
    [
        ([], "no_worker"),
        ([beat(age=40)], "no_worker"),
        ([beat()], None),
        ([beat(idle=58)], None),
        ([beat(idle=59.5)], "stuck"),
        ([beat(idle=500, partitions=0)], None),
        ([beat(partitions=0), beat(waiting=WAITS)], "unavailable"),
        ([beat(age=40, waiting=WAITS), beat()], None),
    ],
)
def test_a_version_that_lags_is_judged_by_its_workers(beats: list[Heartbeat], category: str | None) -> None:
    """Gone, hanging or waiting workers are told; working ones, and those without partitions, are no failure."""
    found = failure_of(status(), ["t"], beats, NOW, 60)
    assert (found.category if found else None) == category
    assert failure_of(status(), [], beats, NOW, 60) is None
    assert failure_of(status("paused"), ["t"], beats, NOW, 60) is None


def test_a_stored_failure_goes_before_all() -> None:
    """Why a projection stopped does not depend on who is alive."""
    assert failure_of(status("stopped", STOPPED), ["t"], [], NOW, 60) is STOPPED


def who(role: Role, company: str = "globex") -> Principal:
    """Somebody with this role."""
    member = Member(frozenset({"ann"})) if role is Role.MEMBER else None
    return Principal("ann", frozenset({company}), frozenset({role}), member=member)


@pytest.mark.parametrize("role", Role)
def test_whose_event_it_failed_at_is_for_those_who_mend_it(role: Role) -> None:
    """Others are told that it failed, why in a word, and since when."""
    somebody = who(role)
    stored = replace(status("stopped", STOPPED), error="clicks v1 failed at e7 of acme")
    (entry,) = (e for e in report([stored], Position(), NOW) if e["name"] == "clicks")
    (seen,) = visible_to(somebody, [entry])
    whole = health_seen_by(somebody, {"live": True, "projections": [entry]})
    assert whole == {"live": True, "projections": [seen]}
    if role is Role.ENGINEER:
        assert seen == entry
    else:
        assert "acme" not in str(seen)
        assert "e7" not in str(seen)
        assert seen["error"] == "fold_failed"
        assert seen["failure"] == {
            **dict.fromkeys(("message", "worker", "position", "event_id", "company_id"), ""),
            "category": "fold_failed",
            "topic": "t",
            "since": "1970-01-01T00:00:00.001+00:00",
        }


def test_totals_of_the_instance_are_for_who_sees_every_company() -> None:
    """Beside their own figures they would tell the tenants of an instance how much the others do."""
    totals = {name: 1 for name in OF_ALL}
    body = {"live": True, "version": "1", **totals}
    for role in Role:
        assert health_seen_by(who(role), body) == {"live": True, "version": "1"}
        if role is not Role.MEMBER:  # who is always of one company
            assert health_seen_by(who(role, EVERY_COMPANY), body) == body


def test_metrics_say_which_projection_stands_since_when_and_where() -> None:
    """Under its name, category and place; what gets on again is no longer there."""
    metrics, stored = Metrics(), status("stopped", STOPPED)
    found = list(standing(report([stored], Position(), NOW)))
    assert [(name, category) for name, category, _, _ in found] == [("clicks", "fold_failed")]
    for name, category, position, since in found:
        assert (position, since) == (STOPPED.position, STOPPED.since / 1000)
        metrics.set(Metric.STANDS, 1_796_000_123.25, name, category, position)
    labels = f'projection="clicks",category="fold_failed",position="{STOPPED.position}"'
    line = f"analytics_projection_stands_since_seconds{{{labels}}} 1796000123.25"
    assert line in metrics.text().splitlines()
    metrics.clear(Metric.STANDS)
    assert line not in metrics.text().splitlines()


def test_since_when_a_worker_hangs() -> None:
    """`since` is the last step, seen from now."""
    found = failure_of(status(), ["t"], [beat(age=2, idle=98)], NOW, 60)
    assert found is not None
    assert found.since == round(1000 * (NOW - 100))


def test_nobody_is_there() -> None:
    """The last that was heard of is named."""
    assert no_worker([beat()]) == ""
    assert no_worker([]) == "no projector is running"
    assert no_worker([beat(age=40), beat(age=90)]) == "a:1 was last heard of 40 s ago"
