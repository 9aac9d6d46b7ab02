"""Gates that have exceptions, each with its reason."""

from __future__ import annotations

from collections.abc import Collection, Mapping


def hold_but_for(exceptions: Collection[str], broken: Mapping[str, object]) -> None:
    """A gate is broken where an exception says why, and nowhere else; an exception that nothing needs is stale."""
    assert {place: what for place, what in broken.items() if place not in exceptions} == {}
    assert set(exceptions) <= set(broken), "stale exceptions"
