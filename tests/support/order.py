"""Files that take long come first: a worker that begins one of them last would end long after the other."""

from __future__ import annotations

from collections import Counter

import pytest

MANY = 60  # tests: those of generated products take most of a minute together


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests, and with many; among these and among the others the order stays random."""
    long = {item.path for item in items if item.get_closest_marker("slow")}
    long |= {path for path, tests in Counter(item.path for item in items).items() if tests >= MANY}
    items.sort(key=lambda item: item.path not in long)
