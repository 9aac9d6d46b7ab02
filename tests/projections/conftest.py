"""What the tests of projections share."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.projections.harness import ReadModels


@pytest.fixture
async def models(read_models_url: str) -> AsyncIterator[ReadModels]:
    """Read models without any row."""
    opened = ReadModels(read_models_url)
    yield opened
    await opened.close()
