"""Every tile of every standard dashboard shows something of a company that has everything.

What it shows is the answer of the query that it names, at the dashboard's position. A new tile comes in by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest

from domain.access.rights import Role
from read_api.dashboards.documents import NAMES
from tests.read_api.dashboards.test_dashboards import OF_ANSWERS, lasting, shown
from tests.support.instance import Instance
from tests.support.two_months import COMPANY, END

BEGIN = END - 30 * 86_400_000  # November 2025
PERIOD = {"from": "2025-11-01", "to": "2025-12-01"}
FILTERS = {"trading": {"symbol": "AAPL"}}
COUNTS_READS = "audit_totals"  # counts what is asked here
NO_CUSTOMERS_BEFORE = "nobody was a customer when October began, so that the figure of before is undefined"
NOTHING_TO_SHOW: Mapping[str, str] = {  # tiles without content, and why
    "executive.nrr": NO_CUSTOMERS_BEFORE,
    "executive.grr": NO_CUSTOMERS_BEFORE,
    "users.churn": NO_CUSTOMERS_BEFORE,
    "executive.cohorts": "everybody came first in October",
    "users.cohorts": "everybody came first in October",
    "users.activation": "nobody signed up in November",
    "users.csat": "the surveys ask for the NPS alone",
    "trading.sharpe": "returns need what accounts are worth, which is not known of one symbol",
    "trading.rolling": "a window is of 63 returns, and a month has fewer",
    "system.access": "what is read here is noted now, not in November 2025",
}
ALERT = {
    "name": "few wins",
    "trigger": {
        "watched": {"kind": "metric", "key": "win_rate"},
        "condition": {"kind": "threshold", "compare": "below", "value": "0.4"},
    },
}


@pytest.fixture(scope="module")
def token(filled: Instance) -> str:
    """Somebody who may see all of it, of a company that has an alert rule."""
    made = filled.signed("dora", COMPANY, roles=[Role.ADMIN, Role.AUDITOR])
    address = f"{filled.addresses['command_api']}/api/v1/alerts/config"
    headers = {"Authorization": f"Bearer {made}", "Idempotency-Key": "rule-of-dashboards"}
    answer = httpx.post(address, json=ALERT, headers=headers)
    assert answer.is_success, answer.text
    assert filled.command("projections", "wait", "--position", answer.json()["position"]).exit_code == 0
    return made


@pytest.fixture(scope="module")
def dashboards(filled: Instance, token: str) -> Mapping[str, dict[str, Any]]:
    """All of them over HTTP, of November."""
    return {name: shown(filled, name, COMPANY, token, {**PERIOD, **FILTERS.get(name, {})}) for name in NAMES}


def values(tile: Mapping[str, Any]) -> Iterator[Any]:
    """All that its rows say beside what they are told apart by and what was asked."""
    beside = {*tile["params"].get("by", "").split(","), *tile["params"], "metric", "key", "unit", "title", "reasons"}
    return (value for row in tile["rows"] for name, value in row.items() if name not in beside)


@pytest.mark.parametrize("name", NAMES)
def test_every_tile_shows_something(dashboards: Mapping[str, dict[str, Any]], name: str) -> None:
    """A number has a change and a spark line, everything else rows that say something."""
    silent = set[str]()
    for tile in dashboards[name]["tiles"]:
        assert tile["state"] == "open", tile
        if not any(value not in (None, "", [], {}) for value in values(tile)):
            silent.add(f"{name}.{tile['id']}")
        elif tile["kind"] == "number":
            (figure,) = tile["rows"]
            history = [point["value"] for point in figure["history"]]
            assert (history[-1], history[-2]) == (figure["value"], figure["previous"])
            if None in (figure["value"], figure["previous"]) or len(history) < 3:
                silent.add(f"{name}.{tile['id']}")
    assert silent == {tile for tile in NOTHING_TO_SHOW if tile.startswith(f"{name}.")}


@pytest.mark.parametrize("name", NAMES)
def test_every_tile_is_the_answer_of_its_query(
    filled: Instance, token: str, dashboards: Mapping[str, dict[str, Any]], name: str
) -> None:
    """At the dashboard's position."""
    dashboard, signed = dashboards[name], {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=filled.addresses["read_api"], headers=signed, timeout=120) as client:
        for tile in dashboard["tiles"]:
            if tile["query"] != COUNTS_READS:
                params = {"company": COMPANY, **tile["params"], "max_staleness": "600"}
                answer = client.get(f"/api/v1/query/{tile['query']}", params=params).json()
                assert [lasting(tile[part]) for part in OF_ANSWERS] == [lasting(answer[part]) for part in OF_ANSWERS]
