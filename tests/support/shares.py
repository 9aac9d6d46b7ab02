"""Of a generated test with many cases, `make test` runs a share; CI runs the others after it (marker `ci`)."""

from __future__ import annotations

from zlib import crc32

import pytest


@pytest.hookimpl(tryfirst=True)  # before pytest leaves out what the markers of the command line exclude
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Cases marked `share(n)`: one in n stays, by its name, so that a run can be repeated."""
    for item in items:
        if (mark := item.get_closest_marker("share")) and crc32(item.name.encode()) % mark.args[0]:
            item.add_marker("ci")
