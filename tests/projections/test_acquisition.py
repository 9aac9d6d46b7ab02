"""Acquisition costs: by day, channel and campaign, by hand."""

from __future__ import annotations

from eventlog.publish.builders import acquisition_cost
from eventlog.publish.event import Event
from tests.projections.harness import ReadModels
from tests.projections.test_user_activity import moment, ms


def spent(at: str, channel: str, cost: float, campaign: str = "") -> Event:
    when = ms(moment(at))
    return acquisition_cost(
        company_id="acme", channel=channel, campaign=campaign, cost=cost, currency="EUR", timestamp=when
    )


async def test_costs_add_up(models: ReadModels) -> None:
    """Two channels over two months, one with a campaign."""
    models.given(
        [
            spent("2025-10-31T23:59:59", "search", 100.10),
            spent("2025-10-01T00:00:00", "search", 0.000001, "autumn"),
            spent("2025-11-01T00:00:00", "social", 50),
        ]
    )
    assert await models.rows("acquisition_costs", by="channel,month") == [
        {"channel": "search", "month": "2025-10", "costs": 2, "cost": "100.100001", "currency": "EUR"},
        {"channel": "social", "month": "2025-11", "costs": 1, "cost": "50", "currency": "EUR"},
    ]
    (autumn,) = await models.rows("acquisition_costs", campaign="autumn")
    assert autumn == {"costs": 1, "cost": "0.000001", "currency": "EUR"}
    assert await models.rows("acquisition_costs", "other") == [{"costs": 0, "cost": "0", "currency": None}]
