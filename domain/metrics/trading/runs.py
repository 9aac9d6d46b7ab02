"""Runs of equal fact in a row of trades."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def longest_run(of: NDArray[np.bool_]) -> int:
    """How many entries the longest unbroken run of true ones has; 0 without any."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], of, [False])).astype(np.int8)))
    return int((edges[1::2] - edges[::2]).max()) if edges.size else 0
