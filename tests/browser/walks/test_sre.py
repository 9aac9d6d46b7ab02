"""Somebody who keeps services running goes from a burning objective to the operation that fails, and its events."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.browser.chromium import Page
from tests.browser.test_pages import pytestmark  # noqa: F401 (the marks of a browser)
from tests.browser.walks.walk import Walk
from tests.support.instance import Instance

COMPANY = "burningco"
DONE = (("gateway", "route", 40, 0), ("orders", "place", 30, 0), ("orders", "cancel", 12, 9))  # with so many errors


def operations(now: float) -> Iterator[dict[str, object]]:
    """What three operations did in the minute before the last, of which one fails."""
    for service, operation, count, errors in DONE:
        for number in range(count):
            done = {"service": service, "operation": operation, "duration_ms": 5 + number}
            yield {
                "message_type": "performance_data",
                "event_id": f"{COMPANY}-{operation}-{number}",
                "company_id": COMPANY,
                "timestamp": int(1_000 * now) - 150_000 + number,
                "payload": {**done, "outcome": "error" if number < errors else "ok"},
            }


@pytest.mark.ci
def test_from_a_burning_objective_to_the_operation_that_fails(instance: Instance, tab: Page) -> None:
    instance.take(list(operations(time.time())))
    walk = Walk(instance, tab, COMPANY, "analyst")
    walk.begin(f"/dashboards/system?company={COMPANY}")
    walk.live()
    assert [row["window"] for row in walk.table("burn") if row["burning"] == "true"] != []

    services = walk.same("services", "operations", "service", "count", "errors", "error_rate", by="service")
    failing = max(services, key=lambda row: float(row["error_rate"]))["service"]
    walk.follow("services", "service", failing)
    walk.chosen(service=failing)
    assert [row["window"] for row in walk.table("burn") if row["burning"] == "true"] != []
    assert {row["service"] for row in walk.table("services")} == {failing}
    by = {"by": "service,operation", "service": failing}
    found = walk.same("operations", "operations", "service", "operation", "errors", "error_rate", **by)
    operation = max(found, key=lambda row: float(row["error_rate"]))["operation"]
    walk.follow("operations", "operation", operation)
    walk.chosen(service=failing, operation=operation)
    (rate,) = walk.answer("key_figure", key="error_rate", service=failing, operation=operation)
    assert (failing, operation, float(walk.figure("errors"))) == ("orders", "cancel", rate["value"]) == (
        "orders", "cancel", 9 / 12,
    )  # fmt: skip

    walk.press("#tile-errors .figure a")
    tab.until("#panel .events", "cancel")
    tab.until_true("document.querySelectorAll('#panel [data-share]').length === 12")  # all that it did
    walk.end()
