"""docs/reference/metrics.md, from the catalogue of metrics."""

from __future__ import annotations

from app.docs.markdown import code, document, table
from domain.metrics.catalogue import METRICS
from domain.metrics.metric import Metric, Section
from domain.metrics.value import Reason

INTRODUCTION = """# Metrics

Every metric is one entry of the catalogue: `analytics metrics` and `GET /api/v1/metrics` list it. One is answered by
`GET /api/v1/metrics/{key}` (the query `metric`), its events by `GET /api/v1/metrics/{key}/explain`, and those of a
whole company by `GET /api/v1/kpis`, `analytics kpis` and the query `kpis`, beside the values of the period before.

A value is `value`, `unit`, `convention`, `definition_version`, `position`, `as_of` and `complete`. Where it is
undefined, `value` is null and `reason` says why. Money is a decimal text in the tenant's currency, counts are integers,
everything else is a number. S, E: MRR at the period's start and end; N, X, C, K, R: new, expansion, contraction,
churned and reactivated MRR; p: net profit or loss of a trade; r: returns of days; A: how many make a year.
"""


def metrics_page() -> str:
    """Every metric by section, and the reasons of nulls."""
    reasons = [(f"`{reason}`",) for reason in Reason]
    return document(INTRODUCTION, *map(_section, Section), "## Reasons of nulls", table(("reason",), reasons))


def _section(section: Section) -> str:
    rows = [_row(entry) for entry in METRICS.values() if entry.section is section]
    head = ("key", "what it is", "unit", "formula", "split by", "comes from", "version")
    return document(f"## {section.value.capitalize()}", table(head, rows))


def _row(entry: Metric) -> tuple[str, ...]:
    measures = code(f"{each.query}.{each.measure}" for each in entry.explained)
    whence = entry.absent or (f"{measures} (a table: ask `{entry.told_by}`)" if entry.told_by else measures)
    feature = f" Needs the feature `{entry.feature}`." if entry.feature else ""
    title = entry.title + ("" if entry.kpi else " (not in `kpis`)") + feature
    return f"`{entry.key}`", title, entry.unit, entry.formula, code(entry.dimensions), whence, str(entry.version)
