"""By which rates of exchange an answer is told: what may be asked of them, and what the answer says of those used."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime
from functools import partial
from typing import Any, NamedTuple

from domain.conversion import Rate
from domain.decimals import ONE, text_of
from projections.engine.query.answer_row import CURRENCY
from projections.engine.query.asked_at import AskedAt
from projections.engine.query.params import Param, read_choice
from projections.engine.query.request import Request

BOOKED, CONSTANT, CLOSING = "booked", "constant", "closing"
RATES = Param(
    "rates",
    "of several currencies: at the rate of each event's day (booked, the default), of the first day of the period"
    " (constant) or of its last (closing)",
    read_choice(BOOKED, CONSTANT, CLOSING),
)
LIST_RATES = Param("list_rates", "true: the answer lists every rate that was used", read_choice("true", "false"))


class RatePolicy(NamedTuple):
    """Which rates hold: those of each day, or of `day` for all. `listed`: the answer lists every one."""

    name: str = BOOKED
    day: date | None = None
    listed: bool = False


def rates_of(request: Request) -> dict[str, str]:
    """What was said of rates of exchange, as parameters of others."""
    return {name: request.get(name) for name in (RATES.name, LIST_RATES.name) if request.get(name) is not None}


def rate_policy(
    said: Mapping[str, str],
    span: tuple[datetime | None, datetime | None],
    days: Collection[date],
    asked_at: AskedAt,
) -> RatePolicy:
    """The rates that were `said` (see `rates_of`) for amounts of these days of a period, whose ends may be open."""
    name, (begin, end) = said.get(RATES.name, BOOKED), span
    day = None
    if name == CONSTANT:
        day = begin.date() if begin is not None else min(days, default=None) or asked_at.day
    elif name == CLOSING:
        day = asked_at.day if end is None else asked_at.last_day(end)
    return RatePolicy(name, day, said.get(LIST_RATES.name) == "true")


class RatesUsed(dict[str, Any]):
    """What an answer says of the rates that its amounts were converted at."""

    def __init__(self, used: Iterable[Rate], policy: str, *, listed: bool) -> None:
        self.used = frozenset(used)
        days = [rate.day for rate in self.used]
        super().__init__(
            policy=policy,
            number=len(days),
            sources=sorted({rate.source for rate in self.used}),
            first_day=min(days).isoformat() if days else None,
            last_day=max(days).isoformat() if days else None,
            **({"used": [_shown(rate) for rate in sorted(self.used)]} if listed else {}),
        )

    def __reduce__(self) -> Any:
        return partial(RatesUsed, self.used, self["policy"], listed="used" in self), ()


def only_currency(request: Request) -> dict[str, Any]:
    """What an answer that is not added up over currencies says of them: the one that was asked for."""
    only = request.get(CURRENCY)
    return {} if only is None else {CURRENCY: only}


def said_of_currencies(request: Request, answers: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """What an answer that is made of others says of the currency of its amounts; null where there are several."""
    currencies = {answer[CURRENCY] for answer in answers if CURRENCY in answer}
    if not currencies:
        return only_currency(request)
    named = currencies - {None}
    said: dict[str, Any] = {CURRENCY: named.pop() if len(named) == 1 else None} | only_currency(request)
    accounts = [answer["rates"] for answer in answers if "rates" in answer]
    if accounts:
        used = frozenset().union(*(account.used for account in accounts))
        said["rates"] = RatesUsed(used, accounts[0]["policy"], listed="used" in accounts[0])
    return said


def _shown(rate: Rate) -> dict[str, Any]:
    return {**rate._asdict(), "day": rate.day.isoformat(), "rate": text_of(round(rate.rate * ONE))}
