"""Amounts that are none: of several currencies, which could not be made one."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from domain.errors import Conflict
from domain.metrics.value import Reason

_WHY = {
    Reason.NO_RATE: ("a rate of exchange is missing", "Report the rates of these days (exchange_rate)."),
    Reason.NO_REPORTING_CURRENCY: (
        "the company has set none of its own",
        "Say in which one totals are (company.change_currency), or ask for one currency.",
    ),
    Reason.MIXED_CURRENCIES: ("this is told of one alone", "Ask for one currency, or for accounts of one."),
}


class NoAmount(Conflict):
    """Amounts of several currencies are asked for as one, and there is none."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(
            f"the amounts are of several currencies, and {_WHY[reason][0]}",
            code=str(reason),
            suggested_actions=(_WHY[reason][1],),
        )
        self.reason = reason

    def __reduce__(self) -> Any:
        return NoAmount, (self.reason,)  # it goes between processes: the past is told by another one


class NoAmounts(dict[str, Any]):
    """A stored row without its amounts, which could not be made one. Who asks for one of these gets NoAmount."""

    def __init__(self, row: Mapping[str, Any], names: Collection[str], reason: Reason) -> None:
        super().__init__({name: value for name, value in row.items() if name not in names})
        self.names, self.reason = names, reason

    def __missing__(self, name: str) -> Any:
        if name in self.names:
            raise NoAmount(self.reason)
        raise KeyError(name)

    def get(self, name: str, default: Any = None) -> Any:
        """As a row does. Raises NoAmount for one of its amounts."""
        return self[name] if name in self or name in self.names else default


def amount_of(row: Mapping[str, Any], name: str) -> Any:
    """An amount of a row as answers show it. Raises NoAmount where it is null because it is of several currencies."""
    why = row["reasons"].get(name) if row[name] is None and "reasons" in row else None
    if why in _WHY:
        raise NoAmount(Reason(why))
    return row[name]


class Everything(frozenset[str]):
    """The names of all that might be asked for."""

    def __contains__(self, name: object) -> bool:
        return True
