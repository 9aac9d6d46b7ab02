"""The recount: every good event once, as exact whole numbers, in plain Python and by the published contracts alone.

It shares no code with the service. Money and measures become whole trillionths, half even, as the contracts say; all
sums are of whole numbers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from tests.e2e.exactness.stream import Event

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
ONE = 10**12


class Trade(NamedTuple):
    """A closed trade; money in trillionths."""

    trade_id: str
    user_id: str
    account_id: str
    symbol: str
    strategy: str
    side: str
    quantity: int
    entry_price: int
    exit_price: int
    pnl: int
    fees: int
    currency: str
    opened_at: int
    closed_at: int
    max_adverse_excursion: int | None
    max_favourable_excursion: int | None
    exit_reason: str
    turnover: int


class Action(NamedTuple):
    """Something that a user did."""

    user_id: str
    at: int
    name: str
    session_id: str
    feature: str
    page: str

    @property
    def subject(self) -> str:
        """What it was about."""
        return self.feature or self.page


class Payment(NamedTuple):
    """Something that happened to a payment; money in trillionths."""

    at: int
    customer_id: str
    invoice_id: str
    kind: str
    currency: str
    amount: int
    fee: int


class Cost(NamedTuple):
    """Money spent to win customers, in trillionths."""

    at: int
    channel: str
    campaign: str
    currency: str
    cost: int


class Answer(NamedTuple):
    """An answer to a survey."""

    at: int
    survey: str
    score: int


class Step(NamedTuple):
    """A step of a support ticket."""

    at: int
    ticket_id: str
    event: str


class Measured(NamedTuple):
    """A value of a metric, or how long an operation took (then `outcome` is set); in trillionths."""

    service: str
    metric: str
    outcome: str
    at: int
    value: int


class Flow(NamedTuple):
    """Money that entered or left an account."""

    user_id: str
    account_id: str
    at: int
    amount: int


class Fact(NamedTuple):
    """A fact of a subscription, its MRR in twelfths of a trillionth; sorts in the order in which facts take effect.

    `full` is the price without the discount, which is never a lasting one here.
    """

    at: int
    sequence: int
    subscription_id: str
    event: str
    plan: str
    tier: str
    price: int
    full: int


class Reported(NamedTuple):
    """The newest report of something: `when` orders the reports."""

    when: int
    payload: dict[str, Any]


class Books:
    """All that one company's events say."""

    def __init__(self) -> None:
        self.trades: list[Trade] = []
        self.flows: list[Flow] = []
        self.actions: list[Action] = []
        self.metrics: list[Measured] = []
        self.operations: list[Measured] = []
        self.values: dict[tuple[str, str, int], Reported] = {}  # user, account, day
        self.bars: dict[tuple[str, str, int], Reported] = {}  # symbol, interval, start
        self.facts: defaultdict[str, list[Fact]] = defaultdict(list)  # by customer
        self.payments: list[Payment] = []
        self.costs: list[Cost] = []
        self.answers: list[Answer] = []
        self.steps: list[Step] = []
        self.rates: dict[tuple[str, str, int], Reported] = {}  # base, source, day


class Recount:
    """Counts each good event that it is told of."""

    def __init__(self) -> None:
        self.books: defaultdict[str, Books] = defaultdict(Books)
        self.events = 0

    def add(self, event: Event) -> None:
        """Count one event; a batch counts as each of its facts."""
        self.events += 1
        books = self.books[event.company]
        for payload in _facts(event):
            _ADD[event.kind.removesuffix("_batch")](books, event, payload)


def _facts(event: Event) -> Iterator[dict[str, Any]]:
    if event.kind.endswith("_batch"):
        yield from event.payload["items"]
    else:
        yield event.payload


def trillionths(number: float) -> int:
    """A number on the wire in whole trillionths."""
    return int((Decimal(f"{number:.15g}") * ONE).to_integral_value())


def half_even(value: Fraction) -> int:
    """A fraction rounded to a whole number, half even."""
    return round(value)


def _trade(books: Books, event: Event, trade: dict[str, Any]) -> None:
    quantity, fees = trillionths(trade["quantity"]), trillionths(trade["fees"])
    entry, leave = trillionths(trade["entry_price"]), trillionths(trade["exit_price"])
    if "pnl" in trade:
        pnl = trillionths(trade["pnl"])
    else:
        gained = half_even(Fraction((leave - entry) * quantity, ONE))
        pnl = (gained if trade["side"] == "long" else -gained) - fees
    books.trades.append(
        Trade(
            trade["trade_id"],
            event.user,
            trade["account_id"],
            trade["symbol"],
            trade["strategy"],
            trade["side"],
            quantity,
            entry,
            leave,
            pnl,
            fees,
            trade["currency"],
            trade["opened_at"],
            trade["closed_at"],
            trillionths(trade["max_adverse_excursion"]) if "max_adverse_excursion" in trade else None,
            trillionths(trade["max_favourable_excursion"]) if "max_favourable_excursion" in trade else None,
            trade["exit_reason"],
            half_even(Fraction((entry + leave) * quantity, ONE)),
        )
    )


def _action(books: Books, event: Event, done: dict[str, Any]) -> None:
    about = done.get("feature", ""), done.get("page", "")
    books.actions.append(Action(event.user, event.timestamp, done["name"], done["session_id"], *about))


def _metric(books: Books, event: Event, measured: dict[str, Any]) -> None:
    value = trillionths(measured["value"])
    books.metrics.append(Measured(measured["service"], measured["metric"], "", event.timestamp, value))


def _operation(books: Books, event: Event, done: dict[str, Any]) -> None:
    outcome, took = done.get("outcome", "ok"), trillionths(done["duration_ms"])
    books.operations.append(Measured(done["service"], done["operation"], outcome, event.timestamp, took))


def _flow(books: Books, event: Event, flow: dict[str, Any]) -> None:
    books.flows.append(Flow(event.user, flow["account_id"], event.timestamp, trillionths(flow["amount"])))


def _value(books: Books, event: Event, value: dict[str, Any]) -> None:
    at = value.get("at", event.timestamp)
    key = (event.user, value["account_id"], at // DAY)
    _report(books.values, key, Reported(event.timestamp, {**value, "at": at}))


def _bar(books: Books, event: Event, bar: dict[str, Any]) -> None:
    _report(books.bars, (bar["symbol"], bar["interval"], bar["start"]), Reported(event.timestamp, bar))


def _report(newest: dict[tuple[str, str, int], Reported], key: tuple[str, str, int], report: Reported) -> None:
    known = newest.get(key)
    assert known is None or known.when != report.when, f"two reports of {key} at once: the newest is not defined"
    if known is None or report.when > known.when:
        newest[key] = report


CHARGES_A_YEAR = {"day": 365, "week": 52, "month": 12, "quarter": 4, "year": 1}


def _subscription(books: Books, event: Event, fact: dict[str, Any]) -> None:
    price = full = -1  # not stated
    if "unit_amount" in fact:
        kept = 1 - Fraction(trillionths(fact["discount_pct"]), 100 * ONE)
        whole = Fraction(trillionths(fact["unit_amount"]) * trillionths(fact["quantity"]), ONE)
        price = half_even(whole * kept) * CHARGES_A_YEAR[fact["interval"]]
        full = half_even(whole) * CHARGES_A_YEAR[fact["interval"]]
    books.facts[fact["customer_id"]].append(
        Fact(
            fact["effective_at"],
            fact["sequence"],
            fact["subscription_id"],
            fact["event"],
            fact["plan"],
            fact["tier"],
            price,
            full,
        )
    )


def _payment(books: Books, event: Event, payment: dict[str, Any]) -> None:
    money = trillionths(payment["amount"]), trillionths(payment["fee"])
    who, what = (payment["customer_id"], payment["invoice_id"]), (payment["kind"], payment["currency"])
    books.payments.append(Payment(event.timestamp, *who, *what, *money))


def _cost(books: Books, event: Event, cost: dict[str, Any]) -> None:
    spent = trillionths(cost["cost"])
    books.costs.append(Cost(event.timestamp, cost["channel"], cost["campaign"], cost["currency"], spent))


def _answer(books: Books, event: Event, answer: dict[str, Any]) -> None:
    books.answers.append(Answer(event.timestamp, answer["survey"], round(answer["score"])))


def _step(books: Books, event: Event, step: dict[str, Any]) -> None:
    books.steps.append(Step(event.timestamp, step["ticket_id"], step["event"]))


def _rate(books: Books, event: Event, rate: dict[str, Any]) -> None:
    at = rate.get("at", event.timestamp)
    _report(books.rates, (rate["base"], rate["source"], at // DAY), Reported(event.timestamp, {**rate, "at": at}))


_ADD = {
    "trading_result": _trade,
    "user_event": _action,
    "system_metric": _metric,
    "performance_data": _operation,
    "account_flow": _flow,
    "account_equity": _value,
    "market_bar": _bar,
    "subscription": _subscription,
    "payment": _payment,
    "acquisition_cost": _cost,
    "survey_response": _answer,
    "support_ticket": _step,
    "exchange_rate": _rate,
}


def utc(ms: int) -> datetime:
    """The moment of so many milliseconds since 1970."""
    return datetime.fromtimestamp(ms // 1000, UTC).replace(microsecond=ms % 1000 * 1000)
