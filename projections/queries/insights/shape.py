"""How insights are told: the finding with its numbers, or null with the reason, and what either rests on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from domain.insights.finding import Basis, Finding, Kind
from domain.metrics.value import Reason
from projections.engine.query.answer_row import AnswerRow


class Insight(AnswerRow, kw_only=True):
    """A finding with its numbers, or null and the reason; the method behind it, and the question it was found in.

    `title` says it in a sentence, `severity` (info, warning or critical) how much attention it deserves.
    """

    kind: str
    metric: str = ""
    by: str = ""
    symbol: str = ""
    unit: str = ""
    currency: str | UnsetType | None = UNSET  # of money
    basis: str = ""
    horizon_days: int = 0
    evidence: dict[str, Any]
    finding: dict[str, Any] | None
    method: str
    method_version: int
    sample: int
    minimum: int
    title: str = ""
    severity: str = ""
    reasons: dict[str, str] = msgspec.field(default_factory=dict)


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
    ) -> Insight:
        """The row of an answer. `about`: what it is about, with its evidence; `numbers` shapes those of a finding."""
        if isinstance(finding, Reason):
            basis, reasons = Basis(self.method, self.version, sample, self.minimum), {"finding": str(finding)}
            return insight(self.kind, basis, None, **about, reasons=reasons)
        shown = plain(finding)
        del shown["basis"]
        return insight(self.kind, finding.basis, dict(numbers(shown)), **about)


def insight(kind: Kind, basis: Basis, finding: dict[str, Any] | None, /, **about: Any) -> Insight:
    """A row with what it rests on; a `basis` among `about` is that of the figure itself."""
    return Insight(
        kind=str(kind),
        finding=finding,
        method=basis.method,
        method_version=basis.version,
        sample=basis.sample,
        minimum=basis.minimum,
        **about,
    )


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
