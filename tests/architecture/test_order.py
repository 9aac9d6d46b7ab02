"""The order in which test files begin: with two workers, a long file that begins last makes one wait for the other."""

from __future__ import annotations

import pytest

from tests.support.order import long_files


def test_files_with_slow_tests_begin_first(request: pytest.FixtureRequest) -> None:
    """In this very run, no such file comes after one without."""
    items = request.session.items
    long = long_files(items)
    order = [item.path in long for item in items]
    assert order == sorted(order, reverse=True)
