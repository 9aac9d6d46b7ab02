"""One currency for an answer: amounts of several are made one where a question adds them up, and nowhere before.

A query of totals declares where a company's own currency and the rates of exchange are read. An answer whose amounts
are of one currency, which is the company's own or nothing else is said, is given as it is and needs no rate.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from typing import Any, NamedTuple

from domain.audit import SYSTEM
from domain.conversion import MOST_DAYS, Rate, Rates
from domain.decimals import ONE, text_of
from domain.errors import Conflict
from domain.metrics.value import Reason
from domain.ports import ReadStore
from projections.engine.query.params import Param, read_choice
from projections.engine.query.request import Request

CURRENCY = "currency"  # the key by which rows of tables are apart, and that answers can be split and chosen by
BOOKED, CONSTANT, CLOSING = "booked", "constant", "closing"
RATES = Param(
    "rates",
    "of several currencies: at the rate of each event's day (booked, the default), of the first day of the period"
    " (constant) or of its last (closing)",
    read_choice(BOOKED, CONSTANT, CLOSING),
)
LIST_RATES = Param("list_rates", "true: the answer lists every rate that was used", read_choice("true", "false"))


_WHY = {
    Reason.NO_RATE: ("a rate of exchange is missing", "Report the rates of these days (exchange_rate)."),
    Reason.NO_REPORTING_CURRENCY: (
        "the company has set none of its own",
        "Say in which one totals are (company.change_currency), or ask for one currency.",
    ),
    Reason.MIXED_CURRENCIES: ("this is told of one alone", "Ask for one currency, or for accounts of one."),
}


class NoAmount(Conflict):
    """Amounts of several currencies are asked for as one, and there is none."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(
            f"the amounts are of several currencies, and {_WHY[reason][0]}",
            code=str(reason),
            suggested_actions=(_WHY[reason][1],),
        )
        self.reason = reason


class NoAmounts(dict[str, Any]):
    """A stored row without its amounts, which could not be made one. Who asks for one of these gets NoAmount."""

    def __init__(self, row: Mapping[str, Any], names: Collection[str], reason: Reason) -> None:
        super().__init__({name: value for name, value in row.items() if name not in names})
        self.names, self.reason = names, reason

    def __missing__(self, name: str) -> Any:
        if name in self.names:
            raise NoAmount(self.reason)
        raise KeyError(name)

    def get(self, name: str, default: Any = None) -> Any:
        """As a row does. Raises NoAmount for one of its amounts."""
        return self[name] if name in self or name in self.names else default


def amount_of(row: Mapping[str, Any], name: str) -> Any:
    """An amount of a row as answers show it. Raises NoAmount where it is null because it is of several currencies."""
    why = row["reasons"].get(name) if row[name] is None and "reasons" in row else None
    if why in _WHY:
        raise NoAmount(Reason(why))
    return row[name]


class Everything(frozenset[str]):
    """The names of all that might be asked for."""

    def __contains__(self, name: object) -> bool:
        return True


Rows = list[dict[str, Any]]


class Lookup(NamedTuple):
    """A SELECT over the tables of a projection."""

    projection: str
    sql: str


LEAST, MOST = "_least_currency", "_most_currency"  # of the amounts of a row
OF_CURRENCY, OF_DAY = "_currency", "_day"  # of a part of a row


class Amounts(NamedTuple):
    """Rows of totals, and what tells their parts by currency and UTC day: a row a part, with `OF_CURRENCY`, `OF_DAY`.

    `by`: the columns that rows are told apart by; `rules`: how those that merge do it, `money`: which are amounts.
    """

    rows: Rows
    parts: Lookup
    params: Sequence[object]
    by: Sequence[str]
    rules: Mapping[str, str]
    money: frozenset[str]


@dataclass(frozen=True, slots=True)
class Reporting:
    """Where the currency of a company's totals and rates of exchange are read.

    `currency`, of a company: a row with it, none where none is set. `rates`, of a company, these currencies twice,
    the first and the last day: rows of base, quote, source, day and rate.
    """

    currency: Lookup
    rates: Lookup

    @property
    def projections(self) -> frozenset[str]:
        """Whose rows answers rest on as well."""
        return frozenset({self.currency.projection, self.rates.projection})

    async def one_currency(self, request: Request, store: ReadStore, amounts: Amounts) -> tuple[Rows, dict[str, Any]]:
        """The rows with amounts of one currency, and what the answer says of that. Raises what the store raises."""
        currencies = {row[name] for row in amounts.rows for name in (LEAST, MOST)} - {None}
        if not currencies:
            return amounts.rows, {CURRENCY: None}
        target = await self._target(request.company, store)
        if len(currencies) == 1 and (target is None or target in currencies):
            return amounts.rows, {CURRENCY: min(currencies)}
        if target is None:
            rows: Rows = [NoAmounts(row, amounts.money, Reason.NO_REPORTING_CURRENCY) for row in amounts.rows]
            return rows, {CURRENCY: None}
        return await self._converted(request, store, amounts, target)

    async def _converted(
        self, request: Request, store: ReadStore, amounts: Amounts, target: str
    ) -> tuple[Rows, dict[str, Any]]:
        sql = await store.ask(request.company, amounts.parts.projection, amounts.parts.sql, amounts.params)
        parts: Rows = [dict(zip(sql.columns, row, strict=True)) for row in sql.rows]
        policy = request.get(RATES.name, BOOKED)
        day = _fixed_day(request, policy, [part[OF_DAY] for part in parts])
        days = {part[OF_DAY] for part in parts} if day is None else {day}
        currencies = {part[OF_CURRENCY] or target for part in parts} | {target}
        rates = await self._rates_of(request.company, store, currencies, days)
        converter = _Converter(rates, target, day)
        of_row = defaultdict[tuple[Any, ...], Rows](list)
        for part in parts:
            of_row[tuple(part[name] for name in amounts.by)].append(part)
        rows = [converter.row(row, of_row[tuple(row[name] for name in amounts.by)], amounts) for row in amounts.rows]
        account = converter.account(policy, listed=request.get(LIST_RATES.name) == "true")
        return rows, {CURRENCY: target, "rates": account}

    async def _target(self, company: str, store: ReadStore) -> str | None:
        """The currency that a company's totals are in; None where it has set none."""
        answer = await store.ask(company, self.currency.projection, self.currency.sql, (company,))
        return str(answer.rows[0][0]) if answer.rows else None

    async def _rates_of(
        self, company: str, store: ReadStore, currencies: Collection[str], days: Collection[date]
    ) -> Rates:
        """The rates that hold on some days: the company's own, and those for every tenant."""
        listed, span = sorted(currencies), (min(days) - timedelta(MOST_DAYS), max(days))
        every = list[Rate]()
        for whose in dict.fromkeys((company, SYSTEM)):
            answer = await store.ask(whose, self.rates.projection, self.rates.sql, (whose, listed, listed, *span))
            rows: Sequence[Sequence[Any]] = answer.rows
            every += [Rate(b, q, s, day, Fraction(int(rate), ONE), whose == company) for b, q, s, day, rate in rows]
        return Rates(every)


def _fixed_day(request: Request, policy: str, days: Collection[date]) -> date | None:
    """The day whose rates hold for all of the period; None where each day has its own."""
    if policy == BOOKED:
        return None
    begin, end = request.get("from"), request.get("to")
    if policy == CONSTANT:
        return min(days) if begin is None else begin.date()
    return request.asked_at.day if end is None else request.asked_at.last_day(end)


@dataclass(slots=True)
class _Converter:
    """Makes amounts of days and currencies amounts of one, and notes which rates that took. `day`: of all rates."""

    rates: Rates
    target: str
    day: date | None = None
    used: set[Rate] = field(default_factory=set)

    def row(self, row: dict[str, Any], parts: Rows, amounts: Amounts) -> dict[str, Any]:
        """A row out of its parts; without its amounts where a rate is missing."""
        factors = [self._factor(part[OF_CURRENCY], part[OF_DAY]) for part in parts]
        held = [factor for factor in factors if factor is not None]
        if len(held) < len(factors):
            return NoAmounts(row, amounts.money, Reason.NO_RATE)
        return {**row, **{n: _merged(n, rule, parts, held, amounts) for n, rule in amounts.rules.items()}}

    def _factor(self, currency: str, day: date) -> Fraction | None:
        """What turns an amount into the target; an amount without a currency is of the target."""
        factor = self.rates.factor(currency or self.target, self.target, self.day or day)
        if factor is None:
            return None
        self.used.update(factor.rates)
        return factor.factor

    def account(self, policy: str, *, listed: bool) -> dict[str, Any]:
        """What an answer says of the rates that were used."""
        days = [rate.day for rate in self.used]
        about: dict[str, Any] = {
            "policy": policy,
            "number": len(days),
            "sources": sorted({rate.source for rate in self.used}),
            "first_day": min(days).isoformat() if days else None,
            "last_day": max(days).isoformat() if days else None,
        }
        return about | ({"used": [_shown(rate) for rate in sorted(self.used)]} if listed else {})


def _merged(name: str, rule: str, parts: Rows, factors: Sequence[Fraction], amounts: Amounts) -> int | None:
    """A measure of the parts by the rule of its column; amounts are rounded half even, once."""
    values = [
        int(part[name]) * (factor if name in amounts.money else Fraction(1))
        for part, factor in zip(parts, factors, strict=True)
        if part[name] is not None
    ]
    if not values:
        return None
    return round(sum(values, Fraction(0)) if rule == "sum" else min(values) if rule == "min" else max(values))


def _shown(rate: Rate) -> dict[str, Any]:
    return {**rate._asdict(), "day": rate.day.isoformat(), "rate": text_of(round(rate.rate * ONE))}
