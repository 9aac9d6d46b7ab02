"""How insights are told: the finding with its numbers, or null with the reason, and what either rests on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from domain.insights.finding import Finding, Kind
from domain.metrics.value import Reason


@dataclass(frozen=True, slots=True)
class Method:
    """A kind of insight: how it is found, and how few observations are accepted."""

    kind: Kind
    method: str
    minimum: int
    version: int = 1

    def row(
        self,
        finding: Finding | Reason,
        sample: int,
        about: Mapping[str, Any],
        numbers: Callable[[dict[str, Any]], Mapping[str, Any]] = lambda shown: shown,
    ) -> dict[str, Any]:
        """The row of an answer. `about`: what it is about, with its evidence; `numbers` shapes those of a finding."""
        head = {"kind": str(self.kind), **about}
        if isinstance(finding, Reason):
            basis = {"method": self.method, "method_version": self.version, "sample": sample, "minimum": self.minimum}
            return {**head, "finding": None, **basis, "reasons": {"finding": str(finding)}}
        shown = plain(finding)
        basis = shown.pop("basis")
        return {
            **head,
            "finding": dict(numbers(shown)),
            "method": basis["method"],
            "method_version": basis["version"],
            "sample": basis["sample"],
            "minimum": basis["minimum"],
        }


def plain(value: Any) -> Any:
    """Structures as JSON has them; a number that is not known is null, and `reasons` beside it says why."""
    if isinstance(value, msgspec.Struct):
        fields = {name: getattr(value, name) for name in value.__struct_fields__}
        reasons = {name: str(field) for name, field in fields.items() if isinstance(field, Reason)}
        shown = {name: None if name in reasons else plain(field) for name, field in fields.items()}
        return {**shown, "reasons": reasons} if reasons else shown
    if isinstance(value, (tuple, list)):
        return [plain(each) for each in value]
    return value
