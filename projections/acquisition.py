"""Acquisition: what was spent to win customers, by time, channel and campaign.

Additive: sums of whole trillionths.
"""

from __future__ import annotations

from projections.engine.declare.merge_rules import Count, Key, Moment, Money, Newest, Quarter, Sum, Text
from projections.engine.declare.projection import Delta, Projection
from projections.engine.declare.rows import Columns, Row
from projections.engine.query.restated import restatements
from projections.engine.query.totals import days, plain, totals
from projections.exchange_rates import REPORTING

acquisition = Projection("acquisition", version=4)


class AcquisitionQuarter(Row, counted=True):
    """What one campaign of one channel cost in a quarter of an hour."""

    company_id: Key[Text]
    quarter: Key[Quarter]
    channel: Key[Text]
    campaign: Key[Text]  # '' where none is named
    currency: Key[Text]
    costs: Sum[Count]
    cost: Sum[Money]


class Cost(Row, ledger=True):
    """Each cost that has a name, as it was last reported."""

    company_id: Key[Text]
    cost_id: Key[Text]
    channel: Newest[Text]
    campaign: Newest[Text]
    currency: Newest[Text]
    cost: Newest[Money]
    timestamp: Newest[Moment]
    event_id: Newest[Text]


@acquisition.folds("acquisition_cost", into=Cost, where=lambda spent: spent.cost_id != "")
def ledger(_spent: Columns) -> Delta:
    """A cost reported again replaces what was known of it."""
    return {}


@acquisition.folds("acquisition_cost", into=AcquisitionQuarter)
def by_quarter(spent: Columns) -> Delta:
    """Each cost counts in the quarter of an hour of its event."""
    return {"quarter": spent.timestamp, "costs": 1}


acquisition.queries += [
    totals(
        "acquisition_costs",
        of=AcquisitionQuarter,
        by={**{name: plain(name) for name in ("channel", "campaign", "currency")}, **days("quarter")},
        time="quarter",
        reporting=REPORTING,
        summary="Money spent to win customers, by time of the event.",
    ),
    restatements(
        "restated_costs",
        of=Cost,
        summary="Costs reported again or taken back: from what to what, and when that was known; the newest first.",
    ),
]
