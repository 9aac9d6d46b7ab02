"""Who comes first while the machine is busy, as the operating system has it."""

from __future__ import annotations

import os

from tests.support.instance import Instance, role_of


def test_what_people_wait_for_comes_before_what_nobody_looks_at(instance: Instance) -> None:
    """Doors, reads and live windows, then the projector, then indexer and sealer."""
    steps = {role_of(child): child.nice() for child in instance.children()}
    own = os.getpriority(os.PRIO_PROCESS, 0)
    people = {steps[name] for name in ("read-api", "command-api", "grpc", "live")}
    assert people == {own}
    assert (steps["projector"], steps["indexer"], steps["sealer"]) == (max(own, 5), max(own, 10), max(own, 10))
