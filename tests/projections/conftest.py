"""What the tests of projections share."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.projections.harness import ReadModels


@pytest.fixture
async def models(database_url: str) -> AsyncIterator[ReadModels]:
    """Read models without any row."""
    opened = ReadModels(database_url)
    yield opened
    await opened.close()
