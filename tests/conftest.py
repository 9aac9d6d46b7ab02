"""What every test run needs: the fixtures of tests/support, and honest handling of tests that need Kafka."""

from __future__ import annotations

from pathlib import Path

from hypothesis import settings

# Modules of tests/support that offer fixtures or hooks; a new one is found by its name.
pytest_plugins = sorted(f"tests.support.{path.stem}" for path in Path(__file__).parent.glob("support/[a-z]*.py"))

# The machine is shared and slow at times, so no deadline; the examples are the same in every run.
settings.register_profile("repeatable", deadline=None, derandomize=True, max_examples=100)
settings.load_profile("repeatable")
