"""Files that take long come first: a worker that begins one of them last would end long after the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

MANY = 60  # tests: those of generated products take most of a minute together


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests, and with many; among these and among the others the order stays random."""
    long = long_files(items)
    items.sort(key=lambda item: item.path not in long)


def long_files(items: Sequence[pytest.Item]) -> set[Path]:
    """Files with slow tests, and with many."""
    many = {path for path, tests in Counter(item.path for item in items).items() if tests >= MANY}
    return many | {item.path for item in items if item.get_closest_marker("slow")}
