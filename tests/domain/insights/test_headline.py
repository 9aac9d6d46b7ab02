"""Headlines: what a finding says in a sentence, and how much attention it deserves."""

from __future__ import annotations

import pytest

from domain.insights.headline import Severity, headline

BREAK = {"index": 55, "day": "2025-11-25", "before": 4.0, "after": 2.0}
WILD = {"index": 58, "day": "2025-11-28", "value": 9.0, "expected": 2.0, "score": 12.0}


@pytest.mark.parametrize(
    ("kind", "finding", "title", "severity"),
    [
        ("trend", {"direction": "rising", "slope": 0.5}, "mrr is rising by 0.5 a day", Severity.INFO),
        ("trend", {"direction": "none", "slope": 0.5}, "mrr neither rises nor falls", Severity.INFO),
        ("change_points", {"points": [BREAK]}, "mrr broke down on 2025-11-25", Severity.WARNING),
        ("change_points", {"points": [{**BREAK, "index": 20}]}, "mrr broke down on 2025-11-25", Severity.INFO),
        ("change_points", {"points": []}, "mrr has no break", Severity.INFO),
        ("growth", {"rate": -0.25}, "mrr fell by 25.0% over the matched days before", Severity.WARNING),
        ("growth", {"rate": 0.1}, "mrr grew by 10.0% over the matched days before", Severity.INFO),
        ("growth", {"rate": None}, "mrr has nothing to grow from", Severity.INFO),
        ("seasonality", {"seasons": [{"period": 7, "strength": 0.6}]}, "mrr repeats every 7 days", Severity.INFO),
        ("seasonality", {"seasons": []}, "mrr has no season", Severity.INFO),
        ("anomalies", {"points": [WILD], "threshold": 5.0}, "mrr was not as expected on 2025-11-28", Severity.CRITICAL),
        ("anomalies", {"points": [WILD], "threshold": 7.0}, "mrr was not as expected on 2025-11-28", Severity.WARNING),
        ("anomalies", {"points": []}, "mrr has no anomaly", Severity.INFO),
        ("of_tomorrow", {}, "mrr: of tomorrow", Severity.INFO),
    ],
)
def test_a_finding_says_what_it_is_and_how_grave(
    kind: str, finding: dict[str, object], title: str, severity: Severity
) -> None:
    """In a series of sixty days; the last seven are recent."""
    found = headline(kind, "mrr", finding, 60)
    assert (found.title, found.severity) == (title, severity)
