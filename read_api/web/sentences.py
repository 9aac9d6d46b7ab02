"""What was found out, and why there is nothing, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from read_api.charts.columns import MONEY, TEXT, kind_of, label
from read_api.web.formats import Formats

MOST_FACTS = 6
REASONS: Mapping[str, str] = MappingProxyType(
    {
        "no_data": "There is no data in this period.",
        "no_trades": "No trades in this period.",
        "too_few": "Too few to say anything yet.",
        "not_reported": "Nobody reports what this is made of.",
        "zero_denominator": "There is nothing to divide by.",
        "no_losses": "There were no losses.",
        "no_dispersion": "All values are the same.",
        "no_rate": "A rate of exchange is missing.",
        "no_reporting_currency": "Of several currencies, and none is set for totals.",
        "mixed_currencies": "Of several currencies.",
    }
)


def reason_words(code: str) -> str:
    """Why a value is undefined."""
    return REASONS.get(code, code.replace("_", " ").capitalize() + "." if code else "")


def sentences(rows: Sequence[Mapping[str, Any]], formats: Formats) -> list[str]:
    """A sentence for each row of what methods found; those that found nothing are not among them."""
    return [_sentence(row, formats) for row in rows if not ("finding" in row and not row["finding"])]


def _sentence(row: Mapping[str, Any], formats: Formats) -> str:
    finding = row.get("finding", row)
    subject = " of ".join(label(str(row[name])) for name in ("kind", "metric") if row.get(name))
    return (f"{subject}: " if subject else "") + "; ".join(_facts(finding, formats)) + "."


def _facts(finding: Any, formats: Formats) -> list[str]:
    if not isinstance(finding, Mapping):
        return [str(finding)]
    facts = []
    for name, value in finding.items():
        if isinstance(value, list):
            facts.append(f"{label(name).lower()}: {len(value)}")
        elif value is not None and not isinstance(value, Mapping):
            kind = kind_of(name, [value]) or TEXT
            unit = f" {finding.get('currency') or formats.currency}" if kind == MONEY else ""
            facts.append(f"{label(name).lower()} {formats.value(kind, value)}{unit.rstrip()}")
    return facts[:MOST_FACTS]
