"""A figure of the bench, and how figures are shown to people and to programs."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value and its floor, in the same unit. `note` says what was measured and what the floor is."""

    name: str
    value: float
    unit: str
    floor: float
    note: str

    @property
    def ratio(self) -> float:
        """Value as a share of the floor: below 1 for a rate, above 1 for a time."""
        return self.value / self.floor if self.floor else math.nan


def table(figures: Sequence[Figure]) -> str:
    """Name, value, unit, floor, ratio and what they mean, one figure a line."""
    lines = [("figure", "value", "unit", "floor", "ratio", "what")]
    lines += [(f.name, number(f.value), f.unit, number(f.floor), f"{f.ratio:.2f}", f.note) for f in figures]
    widths = [max(len(line[i]) for line in lines) for i in range(5)]
    return "\n".join(_line(line, widths) for line in lines)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    name, value, unit, floor, ratio = (_justified(i, cell, widths[i]) for i, cell in enumerate(cells[:5]))
    return f"{name}  {value}  {unit}  {floor}  {ratio}  {cells[5]}"


def _justified(column: int, cell: str, width: int) -> str:
    return cell.ljust(width) if column in (0, 2) else cell.rjust(width)


def number(value: float) -> str:
    """Three figures, and all of those before the decimal point."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def write_json(path: Path, figures: Sequence[Figure]) -> None:
    """`{"name": {"value", "unit", "floor", "ratio"}}`, as scripts read it: numbers to six significant digits."""
    found = {
        f.name: {
            "value": float(f"{f.value:.6g}"),
            "unit": f.unit,
            "floor": float(f"{f.floor:.6g}"),
            "ratio": None if math.isnan(f.ratio) else float(f"{f.ratio:.6g}"),
        }
        for f in figures
    }
    path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
