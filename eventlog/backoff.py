"""How long to wait before something that failed is tried again: the same for every part."""

from __future__ import annotations

import random
from collections.abc import Iterator


def pauses(first: float, longest: float) -> Iterator[float]:
    """Seconds to wait before each new attempt: from `first` on, doubling up to `longest`.

    Each is shorter by up to a quarter, at random: many that lost the same server do not come back at one moment.
    """
    while True:
        yield first * random.uniform(0.75, 1.0)  # nothing secret
        first = min(2 * first, longest)
