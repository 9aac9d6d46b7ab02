"""What every test run needs: the fixtures of tests/support, and honest handling of tests that need Kafka."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

gc.disable()  # until all is collected: nothing goes before that, and to look for it took a fifth of the time

# Modules of tests/support that offer fixtures or hooks; a new one is found by its name.
pytest_plugins = sorted(f"tests.support.{path.stem}" for path in Path(__file__).parent.glob("support/[a-z]*.py"))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """From here on rubbish is looked for, but not among half a million objects that stay to the end."""
    outcome = yield
    gc.freeze()
    gc.enable()
    return outcome
