"""How much memory something leaves behind."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable


def held_by(work: Callable[[], object]) -> int:
    """Bytes that Python holds after `work` beyond those before it."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        work()
        return tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
