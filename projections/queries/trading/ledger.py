"""The ledger of trades as packed columns, read in one place: for records of one account and for metrics by group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from domain.company_calendar import UTC_CALENDAR
from domain.configuration.company import Calendar
from projections.engine.query.formatting import stored_label
from projections.engine.query.packed_columns import bigints, moments, read_moments, read_wholes, wholes
from projections.engine.query.reporting import LEAST, MOST
from projections.engine.query.totals import Dimension, calendar, entry_hour, plain

if TYPE_CHECKING:
    from domain.metrics.trading.trades import Trades

EXCURSIONS = ("max_adverse_excursion", "max_favourable_excursion")
MONEY = ("pnl", "fees", "entry_price", "exit_price", *EXCURSIONS, "initial_risk")  # in the currency of the trade
AMOUNTS = (*MONEY, "quantity", "multiplier")
TRADES = f"""
    SELECT {{by}}count(*) AS trades, MIN(NULLIF(of_currency, '')) AS {LEAST}, MAX(NULLIF(of_currency, '')) AS {MOST},
        {{places}}{moments("closed_at", "{order}")} AS closed_at,
        {moments("opened_at", "{order}")} AS opened_at,
        {", ".join(f"{wholes(name, '{order}')} AS {name}" for name in AMOUNTS)}
    FROM (
        SELECT {{picked}}{{place}}closed_at, currency AS of_currency, COALESCE(opened_at, 'epoch') AS opened_at,
            {", ".join(AMOUNTS)}
        FROM {{{{trade}}}} WHERE {{where}} ORDER BY closed_at, _last_seq, trade_id{{limit}}
    ) AS picked {{grouped}}
"""


TAGS = "(string_to_array(tags, chr(31)))[2:]"
TAG = f"replace(replace(unnest({TAGS}), chr(30) || '1', chr(31)), chr(30) || '0', chr(30))"
CUTS: Mapping[str, Dimension] = {
    **{name: plain(name) for name in ("user_id", "account_id", "strategy", "symbol", "side", "currency")},
    **calendar("closed_at"),
    "entry_hour": entry_hour("opened_at"),
    "tag": Dimension(TAG),
}


def only(name: str, text: str, by: Calendar) -> tuple[str, object]:
    """Condition of trades that have this value of a cut, and its parameter. Raises ValueError for what is no value."""
    if name == "tag":
        return f"%s = ANY({TAGS})", stored_label(text)
    return f"{CUTS[name].sql_in(by)} = %s", CUTS[name].as_cut(CUTS[name].read(text), by)


def trades(where: str, by: Sequence[str] = (), most: int | None = None, cut_by: Calendar = UTC_CALENDAR) -> str:
    """SELECT of the trades under a condition, in their order: one row, or one for each group of these cuts.

    A trade with several tags is in the group of each, one without any in none. `most`: no more than so many trades, and
    one that tells that there are more. `cut_by`: the calendar of cuts of time.
    """
    listed = "".join(f'"{name}", ' for name in by)
    return TRADES.format(
        by=listed,
        places=f"{bigints('place', ' ORDER BY place')} AS places, " if by else "",
        picked="".join(f'{CUTS[name].sql_in(cut_by)} AS "{name}", ' for name in by),
        where=where,
        # Groups are not read in the order of the rows below them.
        place="row_number() OVER (ORDER BY closed_at, _last_seq, trade_id) AS place, " if by else "",
        order=" ORDER BY place" if by else "",
        limit="" if most is None else f" LIMIT {most + 1}",
        grouped=f"GROUP BY {listed.removesuffix(', ')}" if by else "",
    )


def read_trades(row: Mapping[str, Any]) -> Trades:
    """The trades of a row of `trades`."""
    columns = {name: read_wholes(row[name]) for name in AMOUNTS}
    return trades_of(columns | {name: read_moments(row[name]) for name in ("opened_at", "closed_at")})


def trades_of(columns: Mapping[str, Any]) -> Trades:
    """Trades out of columns by the names of the ledger."""
    from domain.metrics.trading.trades import Trades

    return Trades.of(
        columns["pnl"],
        fees=columns["fees"],
        quantity=columns["quantity"],
        multiplier=columns["multiplier"],
        entry_price=columns["entry_price"],
        exit_price=columns["exit_price"],
        opened_at=columns["opened_at"],
        closed_at=columns["closed_at"],
        adverse=columns["max_adverse_excursion"],
        favourable=columns["max_favourable_excursion"],
        initial_risk=columns["initial_risk"],
    )
