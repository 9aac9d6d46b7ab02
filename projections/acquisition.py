"""Acquisition: what was spent to win customers, by day, channel and campaign.

Additive: sums of whole trillionths.
"""

from __future__ import annotations

from projections.engine.declare.merge_rules import Count, Day, Key, Money, Sum, Text
from projections.engine.declare.projection import Delta, Projection
from projections.engine.declare.rows import Columns, Row
from projections.engine.query.totals import days, plain, totals

acquisition = Projection("acquisition", version=2)


class AcquisitionDay(Row):
    """What one campaign of one channel cost on one day."""

    company_id: Key[Text]
    day: Key[Day]
    channel: Key[Text]
    campaign: Key[Text]  # '' where none is named
    currency: Key[Text]
    costs: Sum[Count]
    cost: Sum[Money]


@acquisition.folds("acquisition_cost", into=AcquisitionDay)
def by_day(spent: Columns) -> Delta:
    """Each cost counts on the day of its event."""
    return {"day": spent.timestamp, "costs": 1}


acquisition.queries += [
    totals(
        "acquisition_costs",
        of=AcquisitionDay,
        by={**{name: plain(name) for name in ("channel", "campaign", "currency")}, **days("day")},
        time="day",
        summary="Money spent to win customers, by day of the event, UTC.",
    ),
]
