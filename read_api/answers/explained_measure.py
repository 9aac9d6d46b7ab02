"""Which measure of a query is explained where a metric is asked about. No web framework here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.errors import Invalid
from domain.metrics.metric import Explained, Metric

POINT = "."


def explained_measure(entry: Metric, named: str = "") -> Explained:
    """The measure that is named (`query.measure`), else the first that the metric comes from.

    Raises Invalid where the metric does not come from it, or from none.
    """
    for each in entry.explained:
        if named in ("", measure_name(each)):
            return each
    known = ", ".join(map(measure_name, entry.explained)) or "nothing: " + entry.absent
    raise Invalid(f"{entry.key} comes from {known}", code="bad_measure")


def made_of(entry: Metric, ingredients: Mapping[str, Any]) -> dict[str, Any]:
    """What the explanation of a metric says beside that of a measure, of an answer of the query `ingredients`."""
    rates = {"rates": ingredients["rates"]} if ingredients.get("rates") else {}
    return {"metric": entry.key, "formula": entry.formula, "ingredients": ingredients["rows"], **rates}


def measure_name(each: Explained) -> str:
    """A measure as the catalogue lists it."""
    return each.query + POINT + each.measure
