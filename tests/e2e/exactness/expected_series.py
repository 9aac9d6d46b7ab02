"""What the queries about bars and subscriptions must answer, told from the recount alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from tests.e2e.exactness.expected import Question, Row, activity, day, money, money_of, system, time, trading
from tests.e2e.exactness.expected_business import buckets, business, steps
from tests.e2e.exactness.recount import DAY, HOUR, MINUTE, Books, Fact, Payment, trillionths

WIDTH = {"1m": MINUTE, "5m": 5 * MINUTE, "1h": HOUR, "1d": DAY}
PRICES = ("open", "high", "low", "close", "volume")


def bars(books: Books) -> Iterator[Question]:
    """Bars as published, and rolled up from the finest that were where none of the interval was."""
    for symbol in sorted({key[0] for key in books.bars}):
        published: defaultdict[str, dict[int, Row]] = defaultdict(dict)
        for (of, interval, start), report in books.bars.items():
            if of == symbol:
                published[interval][start] = {name: trillionths(report.payload[name]) for name in PRICES}
        for asked, finer in (("1m", ()), ("1h", ("1m",)), ("5m", ("1m",)), ("1d", ("1m", "1h"))):
            cells = dict(published[asked])
            for interval in finer:
                for start, bar in _rolled(published[interval], WIDTH[asked]).items():
                    cells.setdefault(start, bar)
            rows = [{"start": time(at)} | {name: money(cells[at][name]) for name in PRICES} for at in sorted(cells)]
            yield Question("market_bars", {"symbol": symbol, "interval": asked}, ("start",), rows)


def _rolled(finer: dict[int, Row], width: int) -> dict[int, Row]:
    cells: defaultdict[int, list[Row]] = defaultdict(list)
    for start in sorted(finer):
        cells[start // width * width].append(finer[start])
    return {
        start: {
            "open": inside[0]["open"],
            "high": max(bar["high"] for bar in inside),
            "low": min(bar["low"] for bar in inside),
            "close": inside[-1]["close"],
            "volume": sum(bar["volume"] for bar in inside),
        }
        for start, inside in cells.items()
    }


class Move(NamedTuple):
    """A change of a customer's MRR, positive in the sense of its kind; in twelfths of a trillionth."""

    at: int
    plan: str
    tier: str
    kind: str
    amount: int
    counted: bool  # whether the customer counts here


KINDS = {"new": 1, "expansion": 1, "contraction": -1, "churned": -1, "reactivated": 1}
KEPT, NEVER = 15 * DAY, 2**63
PAYS = {"started", "trial_converted", "resumed", "reactivated"}
PAYS_NOT = {"trial_started": "trial", "paused": "paused", "canceled": "canceled"}


class Standing(NamedTuple):
    """A subscription after some facts; `owed` while its customer owes for so long that it does not count."""

    status: str
    price: int
    fact: Fact
    owed: bool = False

    @property
    def mrr(self) -> int:
        """What it brings a month."""
        return self.price if self.status == "active" and not self.owed else 0


class Told:
    """A customer's subscriptions and the moves of its MRR, told step by step."""

    def __init__(self) -> None:
        self.standing: dict[str, Standing] = {}
        self.moves: list[Move] = []
        self.total = 0

    def facts(self, facts: Sequence[Fact]) -> None:
        """What comes next in the order in which facts take effect, as one moment."""
        standing = dict(self.standing)
        for fact in facts:
            before = standing.get(fact.subscription_id)
            status = "active" if fact.event in PAYS else PAYS_NOT.get(fact.event, before.status if before else "active")
            price = fact.price if fact.price >= 0 else before.price if before else 0
            standing[fact.subscription_id] = Standing(status, price, fact, before.owed if before else False)
        self._stand(facts[-1].at, standing)

    def late(self, at: int, *, owed: bool) -> None:
        """From now on the customer owes for too long, or no longer: what there is by now is concerned."""
        self._stand(at, {name: each._replace(owed=owed) for name, each in self.standing.items()})

    def _stand(self, at: int, now: dict[str, Standing]) -> None:
        changes: defaultdict[tuple[str, str], int] = defaultdict(int)
        for name, each in now.items():
            was = self.standing[name].mrr if name in self.standing else 0
            changes[each.fact.plan, each.fact.tier] += each.mrr - was
        self.standing = now
        after = self.total + sum(changes.values())
        kind = _kind(self.total, after, bool(self.moves))
        moved = {cut: changes[cut] for cut in sorted(changes) if changes[cut]}
        most = (max if max(moved.values(), default=0) > 0 else min)(moved, key=moved.__getitem__, default=None)
        for cut, change in moved.items():
            self.moves.append(Move(at, *cut, kind, KINDS[kind] * change, cut == most and after != self.total))
        self.total = after


def _tell(
    facts: Sequence[Fact], payments: Sequence[Payment] = (), together: int = 0
) -> tuple[dict[str, Standing], list[Move]]:
    """Walk through a customer's facts in the order in which they take effect; of one moment, facts before debts.

    What happens so soon `together` after what it began with, on the same day, is one moment.
    """
    told, rest = Told(), sorted(facts)
    for at, owed in _lateness(payments):
        while rest and rest[0].at <= at:
            told.facts([rest.pop(0)])
        told.late(at, owed=owed)
    while rest:
        end = min(rest[0].at + together, rest[0].at // DAY * DAY + DAY - 1)
        moment = [fact for fact in rest if fact.at <= end]
        told.facts(moment)
        del rest[: len(moment)]
    return told.standing, told.moves


def _lateness(payments: Sequence[Payment]) -> Iterator[tuple[int, bool]]:
    """The moments at which a customer begins and ceases to owe something for 15 days."""
    debts: list[tuple[int, int]] = []  # since when, until when
    missed: dict[str, int] = {}
    for payment in sorted(payments, key=lambda p: (p.at, p.invoice_id, p.kind)):
        if payment.kind == "failed" and payment.invoice_id not in missed:
            missed[payment.invoice_id] = payment.at
        if payment.kind in ("succeeded", "recovered"):
            for invoice in list(missed):
                if payment.invoice_id in ("", invoice) or not invoice:  # what has no name is, or pays, any
                    debts.append((missed.pop(invoice), payment.at))
    debts += [(since, NEVER) for since in missed.values()]
    late = [(since + KEPT, until) for since, until in debts if since + KEPT < until]
    was = False
    for at in sorted({moment for span in late for moment in span} - {NEVER}):
        now = any(begin <= at < end for begin, end in late)
        if now != was:
            yield at, now
        was = now


def _kind(before: int, after: int, ever: bool) -> str:
    if before == 0:
        return "reactivated" if ever else "new"
    if after == 0:
        return "churned"
    return "expansion" if after > before else "contraction"


def subscriptions(books: Books) -> Iterator[Question]:
    """How MRR moved, and every subscription as it stands."""
    moves: list[Move] = []
    rows: list[Row] = []
    owing = _payments(books)
    for customer, facts in sorted(books.facts.items()):
        standing, moved = _tell(facts, owing[customer])
        moves += moved
        rows += [_standing(customer, name, standing[name]) for name in sorted(standing)]
    yield Question("subscriptions", {}, ("customer_id", "subscription_id"), rows)
    yield Question("mrr_movements", {}, (), [_movements(moves, 0)])
    for period, cut in (("month", 7), ("day", 10)):
        yield Question("mrr_movements", {"by": period}, (period,), list(_by_period(moves, period, cut)))
    for split in ("plan", "tier"):
        names = sorted({getattr(move, split) for move in moves})
        split_rows = [{split: name} | _movements([m for m in moves if getattr(m, split) == name], 0) for name in names]
        yield Question("mrr_movements", {"by": split}, (split,), split_rows)
    middle = sorted(move.at for move in moves)[len(moves) // 2] // DAY * DAY
    begun = _movements([move for move in moves if move.at >= middle], _net(m for m in moves if m.at < middle))
    yield Question("mrr_movements", {"from": day(middle)}, (), [begun])
    undiscounted = [[fact._replace(price=fact.full) for fact in facts] for facts in books.facts.values()]
    stripe = [move for facts in undiscounted for move in _tell(facts)[1]]
    unpaused = [[fact for fact in facts if fact.event != "paused"] for facts in books.facts.values()]
    patient = [move for facts in unpaused for move in _tell(facts, together=HOUR)[1]]
    for policy, other in (("stripe", stripe), ("chartmogul", patient), ("profitwell", moves)):
        by_month = list(_by_period(other, "month", 7, moves))
        yield Question("mrr_movements", {"by": "month", "policy": policy}, ("month",), by_month)
    yield from _customers(books, middle)


def _payments(books: Books) -> defaultdict[str, list[Payment]]:
    found: defaultdict[str, list[Payment]] = defaultdict(list)
    for payment in books.payments:
        found[payment.customer_id].append(payment)
    return found


def _customers(books: Books, middle: int) -> Iterator[Question]:
    """MRR of each customer at a day's beginning and at last, and what is left of those who paid on that day."""
    owing = _payments(books)
    moves = {customer: _tell(facts, owing[customer])[1] for customer, facts in books.facts.items()}
    start = {customer: _net(move for move in moved if move.at < middle) for customer, moved in moves.items()}
    end = {customer: _net(moved) for customer, moved in moves.items()}
    names = [customer for customer in sorted(moves) if start[customer] or end[customer]]
    rows: list[Row] = [
        {"customer_id": name, "start_mrr": mrr(start[name]), "end_mrr": mrr(end[name])} for name in names
    ]
    yield Question("customer_mrr", {"from": day(middle)}, ("customer_id",), rows)
    had = [name for name in names if start[name]]
    total, largest = sum(end.values()), sorted(end.values())[-10:]
    left, kept = sum(end[name] for name in had), sum(min(start[name], end[name]) for name in had)
    row = {
        "start_customers": len(had),
        "end_customers": sum(end[name] > 0 for name in names),
        "churned_customers": sum(not end[name] for name in had),
        "upgraded_customers": sum(end[name] > start[name] for name in had),
        "downgraded_customers": sum(0 < end[name] < start[name] for name in had),
        "nrr": left / sum(start.values()),
        "grr": kept / sum(start.values()),
        "top10_concentration": sum(largest) / total,
        "revenue_hhi": sum(value * value for value in end.values()) / total**2,
        "start_mrr": mrr(sum(start.values())),
        "end_mrr": mrr(total),
        "retained_mrr": mrr(left),
        "kept_mrr": mrr(kept),
        "top10_mrr": mrr(sum(largest)),
    }
    yield Question("mrr_retained", {"from": day(middle)}, (), [row])


def mrr(twelfths: int) -> str:
    """MRR as money."""
    return money_of(Fraction(twelfths, 12))


def _standing(customer: str, name: str, standing: Standing) -> Row:
    fact = standing.fact
    row: Row = {"customer_id": customer, "subscription_id": name, "status": standing.status, "plan": fact.plan}
    return row | {"tier": fact.tier, "mrr": money_of(Fraction(standing.mrr, 12)), "since": time(fact.at)}


def _by_period(moves: Sequence[Move], period: str, cut: int, also: Sequence[Move] = ()) -> Iterator[Row]:
    """A row for each period in which something moved, under the default (`also`) or the policy that is asked for."""
    start = 0
    for name in sorted({day(move.at)[:cut] for move in (*moves, *also)}):
        inside = [move for move in moves if day(move.at)[:cut] == name]
        yield {period: name} | _movements(inside, start)
        start += _net(inside)


def _net(moves: Any) -> int:
    return sum(KINDS[move.kind] * move.amount for move in moves)


def _movements(moves: Sequence[Move], start: int) -> Row:
    row: Row = {"start_mrr": money_of(Fraction(start, 12)), "end_mrr": money_of(Fraction(start + _net(moves), 12))}
    for kind in KINDS:
        of_kind = [move for move in moves if move.kind == kind]
        row[f"{kind}_mrr"] = money_of(Fraction(sum(move.amount for move in of_kind), 12))
        row[f"{kind}_count"] = sum(move.counted for move in of_kind)
    return row


def questions(books: Books) -> Iterator[Question]:
    """Every question about one company."""
    for chapter in (trading, activity, steps, system, buckets, bars, subscriptions, business):
        yield from chapter(books)
    yield from unsaid()


RESTATED = tuple(f"restated_{facts}" for facts in ("trades", "flows", "payments", "steps", "answers", "costs"))


def unsaid() -> Iterator[Question]:
    """No door takes events of configuration (tests/e2e/relay.py counts those of commands), predictions and changes of
    alerts (tests/e2e/alert_kills.py counts those).
    """
    for query in ("dashboards", "alert_rules", "report_schedules", "configuration_history"):
        yield Question(query, {}, ("id",), [])
    yield Question("company_profile", {}, ("version",), [{"version": 0, "currency": "USD"}])
    yield Question("predictions", {}, ("id",), [])
    yield Question("alerts", {}, ("rule_id", "series"), [])
    yield Question("alert_history", {}, ("event_id",), [])
    for query in RESTATED:  # an event that comes twice restates nothing (tests/e2e/corrections.py has what does)
        yield Question(query, {}, ("cursor",), [])
