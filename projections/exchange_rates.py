"""Exchange rates: what one unit of a currency was worth in another, by UTC day and source, as last reported.

Additive: of the rates of a day the latest stands. Company `_system` has those that hold for every tenant; a tenant's
own come first. They are applied in queries, never in folds, so that a rate that comes late changes no row.
"""

from __future__ import annotations

from datetime import date

from projections.engine.declare.merge_rules import Day, Key, Last, Moment, Money, Text
from projections.engine.declare.projection import Delta, Projection
from projections.engine.declare.rows import Columns, Row
from projections.engine.fold.expressions import only
from projections.engine.query.answer_row import AnswerTime, row_type
from projections.engine.query.listing import listing
from projections.engine.query.reporting import Lookup, Reporting

exchange_rates = Projection("exchange_rates", version=1, shared=True, beside=True)


class ExchangeRate(Row, open_to_members=True):
    """The rate of one pair of currencies on one day, from one source."""

    company_id: Key[Text]
    base: Key[Text]
    quote: Key[Text]
    source: Key[Text]
    day: Key[Day]  # of `at`, UTC
    at: Last[Moment]
    rate: Last[Money]  # units of the quote for one of the base


@exchange_rates.folds("exchange_rate", into=ExchangeRate)
def reported_rates(rate: Columns) -> Delta:
    """The rate that was set last on a day stands for the day."""
    at = only(rate.at, rate.at > 0).fill_null(rate.timestamp)
    return {"day": at, "at": at}


REPORTING = Reporting(
    rates=Lookup(
        exchange_rates.name,
        "SELECT base, quote, source, day, rate FROM {exchange_rate}"
        " WHERE company_id = %s AND (base = ANY(%s) OR quote = ANY(%s)) AND day BETWEEN %s AND %s",
    ),
)
"""Where every query of totals of money reads in which currency they are, and what others are worth in it."""

# of the pair, which says whose units a rate is in
RATE_ROW = dict.fromkeys(("base", "quote", "source"), str) | {"day": date, "at": AnswerTime | None, "rate": str | None}

exchange_rates.queries += [
    listing(
        "exchange_rates",
        of=ExchangeRate,
        filters=("base", "quote", "source"),
        time="day",
        summary="Rates of exchange by pair, source and UTC day; company `_system` has those for every tenant.",
        row=row_type("exchange_rates", RATE_ROW),
    ),
]
