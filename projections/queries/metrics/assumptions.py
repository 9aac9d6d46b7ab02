"""What whoever asks for metrics may say besides the period: policy, margins, objectives, and since when they see."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.billing.policies import PRESETS
from projections.engine.query.params import Param, read_choice, read_time
from projections.engine.query.request import Request

if TYPE_CHECKING:
    from domain.metrics.formulas import Assumptions

MOST = 1e15  # of a number that is given: what is computed of it stays finite


def _read_number(text: str) -> float:
    value = float(text)
    if not abs(value) <= MOST:
        raise ValueError(f"{text!r} is no number from -{MOST:.0e} to {MOST:.0e}")
    return value


def _read_positive(text: str) -> float:
    value = _read_number(text)
    if not value > 0:
        raise ValueError(f"{text!r} is not above zero")
    return value


def _read_share(text: str) -> float:
    value = _read_number(text)
    if not 0 < value <= 1:
        raise ValueError(f"{text!r} is no share above 0 and up to 1")
    return value


POLICY = Param("policy", f"MRR as this policy reads it: {', '.join(PRESETS)}", read_choice(*PRESETS))
OBJECTIVE = Param("objective", "share of operations that must succeed; 0.999 without it", _read_share)
ASSUMPTIONS = (
    Param("margin", "gross margin, a fraction; 1 without it", _read_share),
    Param("burn", "net burn of the period, in the tenant's currency, for burn_multiple", _read_number),
    Param("profit_margin", "profit margin, a fraction, for rule_of_40", _read_number),
    OBJECTIVE,
    Param("threshold_ms", "T of apdex in ms; 500 without it", _read_positive),
)
SINCE = Param("since", "nothing before this day is told", read_time)


def assumptions_of(request: Request) -> Assumptions:
    """What was said of them, and the defaults."""
    from domain.metrics.formulas import Assumptions

    return Assumptions(**{p.name: request.get(p.name) for p in ASSUMPTIONS if request.get(p.name) is not None})
