"""The order in which test files begin: with two workers, a long file that begins last makes one wait for the other."""

from __future__ import annotations

import pytest


def test_files_with_slow_tests_begin_first(request: pytest.FixtureRequest) -> None:
    """In this very run, no such file comes after one without."""
    items = request.session.items
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    order = [item.path in slow for item in items]
    assert order == sorted(order, reverse=True)
