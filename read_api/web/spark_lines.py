"""How a number came to be what it is: the values of the periods before it as a line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

FEWEST = 3  # values that make a line
WIDTH, HEIGHT = 100, 24  # of the drawing, in its own units


def spark_line(history: Sequence[Mapping[str, Any]]) -> str:
    """Points from left to right, the least value at the bottom; none of fewer values. A gap is passed over."""
    values = [Decimal(str(point["value"])) for point in history if point["value"] is not None]
    if len(values) < FEWEST:
        return ""
    low, span = min(values), (max(values) - min(values)) or Decimal(1)
    return " ".join(
        f"{WIDTH * place / (len(values) - 1):.1f},{HEIGHT - 1 - float((value - low) / span) * (HEIGHT - 2):.1f}"
        for place, value in enumerate(values)
    )
