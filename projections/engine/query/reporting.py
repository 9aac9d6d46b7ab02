"""One currency for an answer: amounts of several are made one where a question adds them up, and nowhere before.

A query of totals declares where rates of exchange are read. An answer whose amounts
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
from domain.decimals import ONE
from domain.metrics.value import Reason
from domain.ports import ReadStore
from projections.engine.query.answer_row import CURRENCY
from projections.engine.query.company_settings import CONFIGURATION, settings_of
from projections.engine.query.no_amount import NoAmount, NoAmounts
from projections.engine.query.rates_used import RatePolicy, RatesUsed, rate_policy, rates_of
from projections.engine.query.request import Request

Rows = list[dict[str, Any]]


class Lookup(NamedTuple):
    """A SELECT over the tables of a projection."""

    projection: str
    sql: str


LEAST, MOST = "_least_currency", "_most_currency"  # of the amounts of a row
OF_CURRENCY, OF_DAY = "_currency", "_day"  # of a part of a row


class Common(NamedTuple):
    """The currency in which amounts are told, and whether some are of others; None: nobody has said which."""

    currency: str | None
    several: bool


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


class Standing(NamedTuple):
    """Rows by these names and currency, with an amount."""

    rows: Rows
    by: Sequence[str]
    amount: str


@dataclass(frozen=True, slots=True)
class Reporting:
    """Where rates of exchange are read: of a company, these currencies twice, the first and the last day; rows of base,
    quote, source, day and rate.
    """

    rates: Lookup

    @property
    def projections(self) -> frozenset[str]:
        """Whose rows answers rest on as well."""
        return frozenset({CONFIGURATION, self.rates.projection})

    async def one_currency(self, request: Request, store: ReadStore, amounts: Amounts) -> tuple[Rows, dict[str, Any]]:
        """The rows with amounts of one currency, and what the answer says of that. Raises what the store raises."""
        currencies = {row[name] for row in amounts.rows for name in (LEAST, MOST)} - {None}
        common = await self.common(request.company, store, currencies)
        if not common.several:
            return amounts.rows, {CURRENCY: common.currency}
        if common.currency is None:
            rows: Rows = [NoAmounts(row, amounts.money, Reason.NO_REPORTING_CURRENCY) for row in amounts.rows]
            return rows, {CURRENCY: None}
        return await self._converted(request, store, amounts, common.currency)

    async def common(self, company: str, store: ReadStore, currencies: Collection[str]) -> Common:
        """In which currency amounts of these are told. Raises what the store raises."""
        target = (await settings_of(company, store)).currency
        named = {*currencies} - {""}
        if target is None:
            return Common(min(named) if len(named) == 1 else None, several=len(named) > 1)
        return Common(target, several=not named <= {target})

    async def _converted(
        self, request: Request, store: ReadStore, amounts: Amounts, target: str
    ) -> tuple[Rows, dict[str, Any]]:
        sql = await store.ask(request.company, amounts.parts.projection, amounts.parts.sql, amounts.params)
        parts: Rows = [dict(zip(sql.columns, row, strict=True)) for row in sql.rows]
        days = [part[OF_DAY] for part in parts]
        span = request.get("from"), request.get("to")
        policy = rate_policy(rates_of(request), span, days, request.asked_at)
        need = Need(target, {part[OF_CURRENCY] for part in parts}, days)
        converter = await self.converter(request.company, store, need, policy)
        of_row = defaultdict[tuple[Any, ...], Rows](list)
        for part in parts:
            of_row[tuple(part[name] for name in amounts.by)].append(part)
        rows = [converter.row(row, of_row[tuple(row[name] for name in amounts.by)], amounts) for row in amounts.rows]
        return rows, converter.said()

    async def added(
        self, company: str, store: ReadStore, standing: Standing, policy: RatePolicy
    ) -> tuple[Rows, dict[str, Any]]:
        """Amounts by currency of one day, that of the policy, added up in one; a row is without it where it is none.

        Raises what the store raises.
        """
        if CURRENCY in standing.by:
            return standing.rows, {}
        of = defaultdict[tuple[Any, ...], Rows](list)
        for row in standing.rows:
            of[tuple(row[name] for name in standing.by)].append(row)
        currencies = {row[CURRENCY] for row in standing.rows if row[standing.amount]}
        common = await self.common(company, store, currencies)
        converter = None
        if common.several and common.currency:
            converter = await self.converter(company, store, Need(common.currency, currencies, ()), policy)
        rows: Rows = []
        for parts in of.values():
            try:
                if common.several and converter is None:
                    raise NoAmount(Reason.NO_REPORTING_CURRENCY)
                amount = sum((_amount(part, standing.amount, converter) for part in parts), Fraction(0))
                rows.append({**parts[0], standing.amount: round(amount), CURRENCY: common.currency})
            except NoAmount as missing:
                rows.append(NoAmounts(parts[0], {standing.amount}, missing.reason))
        return rows, {CURRENCY: common.currency} if converter is None else converter.said()

    async def converter(self, company: str, store: ReadStore, need: Need, policy: RatePolicy) -> Converter:
        """What turns these currencies into the target on these days. Raises what the store raises."""
        days = need.days if policy.day is None else [policy.day]
        currencies = {currency or need.target for currency in need.currencies} | {need.target}
        rates = await self._rates_of(company, store, currencies, days) if days else Rates(())
        return Converter(rates, need.target, policy)

    async def _rates_of(
        self, company: str, store: ReadStore, currencies: Collection[str], days: Collection[date]
    ) -> Rates:
        """The rates that hold on some days: the company's own, and those for every tenant."""
        first = max(min(days), date.min + timedelta(MOST_DAYS)) - timedelta(MOST_DAYS)  # a period may have no beginning
        listed, span = sorted(currencies), (first, max(days))
        every = list[Rate]()
        for whose in dict.fromkeys((company, SYSTEM)):
            answer = await store.ask(whose, self.rates.projection, self.rates.sql, (whose, listed, listed, *span))
            rows: Sequence[Sequence[Any]] = answer.rows
            every += [Rate(b, q, s, day, Fraction(int(rate), ONE), whose == company) for b, q, s, day, rate in rows]
        return Rates(every)


class Need(NamedTuple):
    """What is to be converted: into which currency, which ones, of which days."""

    target: str
    currencies: Collection[str]
    days: Collection[date]


@dataclass(slots=True)
class Converter:
    """Makes amounts of days and currencies amounts of one, and notes which rates that took."""

    rates: Rates
    target: str
    policy: RatePolicy
    used: set[Rate] = field(default_factory=set)

    def row(self, row: dict[str, Any], parts: Rows, amounts: Amounts) -> dict[str, Any]:
        """A row out of its parts; without its amounts where a rate is missing."""
        factors = [self.factor(part[OF_CURRENCY], part[OF_DAY]) for part in parts]
        held = [factor for factor in factors if factor is not None]
        if len(held) < len(factors):
            return NoAmounts(row, amounts.money, Reason.NO_RATE)
        return {**row, **{n: _merged(n, rule, parts, held, amounts) for n, rule in amounts.rules.items()}}

    def factor(self, currency: str, day: date) -> Fraction | None:
        """What turns an amount into the target, None where no rate says it; one without a currency is of the target."""
        factor = self.rates.factor(currency or self.target, self.target, self.policy.day or day)
        if factor is None:
            return None
        self.used.update(factor.rates)
        return factor.factor

    def exactly(self, currency: str, day: date, amount: int) -> Fraction:
        """An amount in the target, unrounded. Raises NoAmount where no rate says it; nothing is nothing at any rate."""
        factor = self.factor(currency, day) if amount else Fraction(0)
        if factor is None:
            raise NoAmount(Reason.NO_RATE)
        return amount * factor

    def said(self) -> dict[str, Any]:
        """What an answer says of its currency and of the rates that were used."""
        return {CURRENCY: self.target, "rates": RatesUsed(self.used, self.policy.name, listed=self.policy.listed)}


def _amount(part: Mapping[str, Any], name: str, converter: Converter | None) -> Fraction:
    amount = int(part[name] or 0)
    if converter is None or converter.policy.day is None:
        return Fraction(amount)
    return converter.exactly(part[CURRENCY], converter.policy.day, amount)


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
