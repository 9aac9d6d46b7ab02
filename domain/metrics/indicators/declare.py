"""What an indicator is: its parameters with defaults and bounds, its outputs, its warm-up and how it is computed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from domain.errors import Invalid
from domain.metrics.indicators.bars import Bars, Column

Setting = int | float | str
Settings = Mapping[str, Setting]
MOST_BARS = 10_000  # longest period that can be asked for


@dataclass(frozen=True)
class Param:
    """A number within bounds (whole where the default is), or one of some words."""

    name: str
    default: Setting
    least: float = 0
    most: float = MOST_BARS
    choices: tuple[str, ...] = ()

    def checked(self, values: Setting) -> Setting:
        """The setting in its type. Raises Invalid where it is not one of the choices or out of bounds."""
        if self.choices:
            if values not in self.choices:
                raise Invalid(f"{self.name} is not one of {', '.join(self.choices)}: {values}")
            return values
        try:
            number = type(self.default)(values)
        except (TypeError, ValueError, OverflowError):
            raise Invalid(f"{self.name} is not a number: {values}") from None
        if isinstance(number, str) or not self.least <= number <= self.most:
            raise Invalid(f"{self.name} is not within {self.least:g} and {self.most:g}: {values}")
        return number


def period(default: int, name: str = "period", least: int = 2) -> Param:
    """How many bars a window has."""
    return Param(name, default, least)


@dataclass(frozen=True)
class Indicator:
    """An entry of the catalogue. `compute` gives one column per output, NaN where there is no value (yet)."""

    key: str
    title: str
    params: tuple[Param, ...]
    outputs: tuple[str, ...]
    warm_up: Callable[[Settings], int]  # how many bars come before the first that has all outputs
    compute: Callable[[Bars, Settings], tuple[Column, ...]]
    source: str

    def settings(self, values: Settings) -> Settings:
        """The parameters given, checked, with defaults for the others. Raises Invalid for one that is none."""
        unknown = sorted(set(values) - {param.name for param in self.params})
        if unknown:
            raise Invalid(f"{self.key} has no parameter {unknown[0]}")
        return {param.name: param.checked(values.get(param.name, param.default)) for param in self.params}


def whole(settings: Settings, name: str = "period") -> int:
    """A setting as a whole number."""
    return int(settings[name])
