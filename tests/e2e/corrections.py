"""python -m tests.e2e.corrections --histories 100000: trades are reported again and taken back while projectors die.

Each history is a trade of up to five reports: by other users, so that they lie in other partitions, with and without
revisions, at other times, of other amounts and currencies, and what takes it back, at any place. Projectors come, go,
freeze and are killed meanwhile. At the end every table that trades count in is compared with a recount of the last
reports in plain Python, and with a rebuild.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from domain.decimals import ONE
from projections.engine.declare.rows import Row
from projections.engine.store import sql
from projections.trading import AccountQuarter, Trade, TradingByMinute, TradingByQuarter, trading
from tests.e2e.exactness.doors import HttpDoor
from tests.e2e.handover import Members
from tests.support.instance import Instance
from tests.support.kafka_broker import work_place

COMPANIES, USERS, SYMBOLS = ("one", "two", "three"), 40, ("A", "B", "C")
CURRENCIES = "USD", "EUR", "JPY"
BEGIN, QUARTER, DAY = 1_760_000_000_000, 900_000, 86_400_000
PARCEL = 1_000  # events in one request
Key = tuple[str, str]  # company and trade


@dataclass
class Recount:
    """The last report of each trade, by what the service promises: revision, then what takes back, then time."""

    last: dict[Key, tuple[tuple[int, int, int], Mapping[str, Any] | None]] = field(default_factory=dict)
    events: int = 0

    def note(self, event: Mapping[str, Any], turn: int) -> None:
        """An event that the log took in this turn, after all those of the turns before."""
        payload = event["payload"]
        back = event["message_type"] == "trade_cancelled"
        order = (payload.get("revision", 0), int(back), turn)
        key = event["company_id"], payload["trade_id"]
        if key not in self.last or order > self.last[key][0]:
            self.last[key] = order, None if back else event
        self.events += 1

    def counting(self) -> Iterator[Mapping[str, Any]]:
        """The reports that count."""
        return (event for _, event in self.last.values() if event is not None)

    def sums(self, width: int, *names: str) -> dict[tuple[Any, ...], list[Any]]:
        """By company, time and these members: how many, their sum, the largest win and loss."""
        groups: dict[tuple[Any, ...], list[int]] = defaultdict(list)
        for event in self.counting():
            trade = {**event["payload"], "user_id": event["user_id"]}
            at = trade["closed_at"] // width * width
            groups[event["company_id"], at, *(trade[name] for name in names)].append(trade["pnl"] * ONE)
        return {
            key: [
                len(all_of),
                sum(all_of),
                max((pnl for pnl in all_of if pnl > 0), default=None),
                min((pnl for pnl in all_of if pnl < 0), default=None),
            ]
            for key, all_of in groups.items()
        }


def histories(number: int, chance: random.Random) -> Iterator[list[list[dict[str, Any]]]]:
    """Turns of events: in each at most one of a trade, so that the log has those of one trade in their order."""
    trades = [(chance.choice(COMPANIES), f"t{each}") for each in range(number)]
    left = {key: chance.choice((1, 2, 2, 3, 4, 5)) for key in trades}
    while left:
        turn = [_event(key, chance) for key in left if chance.random() < 0.8]
        for event in turn:
            key = event["company_id"], event["payload"]["trade_id"]
            left[key] -= 1
            if not left[key]:
                del left[key]
        chance.shuffle(turn)
        yield [turn[start : start + PARCEL] for start in range(0, len(turn), PARCEL)]


def _event(key: Key, chance: random.Random) -> dict[str, Any]:
    company, trade_id = key
    user = f"u{chance.randrange(USERS)}"
    payload: dict[str, Any] = {"trade_id": trade_id}
    if chance.random() < 0.3:
        payload["revision"] = chance.randrange(3)
    event = {"company_id": company, "user_id": user, "event_id": f"{chance.getrandbits(64):x}", "payload": payload}
    if chance.random() < 0.2:
        return {"message_type": "trade_cancelled", "timestamp": BEGIN, **event}
    closed_at = BEGIN + chance.randrange(3 * DAY // 60_000) * 60_000
    payload |= {"account_id": user, "symbol": chance.choice(SYMBOLS), "side": "long", "strategy": "s"}
    payload |= {"quantity": 1, "entry_price": 1, "exit_price": 1, "closed_at": closed_at}
    payload |= {"pnl": chance.randrange(-1_000, 1_000), "currency": chance.choice(CURRENCIES)}
    return {"message_type": "trading_result", "timestamp": closed_at, **event}


@dataclass(frozen=True)
class Proof:
    """What a run has shown: rows compared by table, those that differ, and whether a rebuild gave the same."""

    events: int
    trades: int
    done: Mapping[str, int]
    rows: Mapping[str, int]
    wrong: Mapping[str, int]
    examples: Sequence[str]
    rebuilt: bool
    seconds: float

    @property
    def exact(self) -> bool:
        """Whether nothing differs."""
        return not any(self.wrong.values()) and self.rebuilt

    def report(self) -> str:
        """The figures."""
        rows = ", ".join(f"{name} {count:,} rows, {self.wrong[name]} wrong" for name, count in self.rows.items())
        members = ", ".join(f"{count} {how}" for how, count in self.done.items())
        rebuilt = "equal" if self.rebuilt else "DIFFERENT"
        lines = [f"{self.trades:,} trades, {self.events:,} reports in {self.seconds:.0f} s; projectors: {members}"]
        return "\n".join([*lines, rows, f"a rebuild is {rebuilt}", *self.examples])


def prove(folder: Path, number: int, seed: int = 18) -> Proof:
    """Publish so many histories while projectors die, then compare."""
    instance = Instance(folder)
    instance.start()
    members, recount, over = Members(instance, {}, random.Random(seed)), Recount(), threading.Event()
    began = time.monotonic()
    try:
        stirring = threading.Thread(target=members.stir, args=(over, 3.0))
        stirring.start()
        try:
            _publish(instance, recount, number, random.Random(seed))
        finally:
            over.set()
            stirring.join()
        waited = instance.command("projections", "wait", "--timeout", "300")
        assert waited.exit_code == 0, waited.output
        seconds = time.monotonic() - began
        rows, wrong, examples = _compared(instance.addresses["database"], recount)
        built = instance.command("projections", "rebuild", "trading")
        rebuilt = instance.command("projections", "verify", "trading") if built.exit_code == 0 else built
        equal = rebuilt.exit_code == 0
        notes = [*examples[:5], *([] if equal else [rebuilt.output[-500:]])]
        return Proof(recount.events, len(recount.last), members.done, rows, wrong, notes, equal, seconds)
    finally:
        members.end()
        instance.stop()


def _publish(instance: Instance, recount: Recount, number: int, chance: random.Random) -> None:
    with closing(HttpDoor(instance, instance.token("service", "*"))) as door:
        for turn, parcels in enumerate(histories(number, chance)):
            for parcel in parcels:
                door.send([json.dumps(event).encode() for event in parcel])
                for event in parcel:
                    recount.note(event, turn)


ACCOUNT = "user_id", "account_id"
MEASURES: Mapping[type[Row], tuple[int, str, tuple[str, ...], str, str]] = {
    TradingByQuarter: (QUARTER, "quarter", (*ACCOUNT, "symbol", "currency"), "total_trades", "total_pnl"),
    TradingByMinute: (60_000, "minute", ("symbol", "currency"), "total_trades", "total_pnl"),
    AccountQuarter: (QUARTER, "quarter", (*ACCOUNT, "currency"), "trades", "pnl"),
}


def _compared(database: str, recount: Recount) -> tuple[dict[str, int], dict[str, int], list[str]]:
    rows, wrong, examples = dict[str, int](), Counter[str](), list[str]()
    with psycopg.connect(database, options="-c timezone=UTC") as connection:
        for row, (width, time_column, names, count, pnl) in MEASURES.items():
            extremes = "largest_win, largest_loss" if row is not AccountQuarter else "NULL, NULL"
            columns = ", ".join(names)
            found = connection.execute(
                f"SELECT company_id, (extract(epoch FROM {time_column}) * 1000)::bigint, {columns}, {count}, {pnl},"
                f" {extremes} FROM {sql.table_name(row.table.name, trading.version)}".encode()
            ).fetchall()
            stored = {tuple(each[:-4]): [None if v is None else int(v) for v in each[-4:]] for each in found}
            expected = recount.sums(width, *names)
            if row is AccountQuarter:
                expected = {key: [*values[:2], None, None] for key, values in expected.items()}
            differ = [key for key in stored.keys() | expected.keys() if stored.get(key) != expected.get(key)]
            rows[row.table.name], wrong[row.table.name] = len(stored), len(differ)
            examples += [f"{row.table.name} {key}: {stored.get(key)}, not {expected.get(key)}" for key in differ[:3]]
        ledger = connection.execute(
            f"SELECT company_id, trade_id, event_id FROM {sql.readable(Trade.table, trading.version)}".encode()
        ).fetchall()
        ids = {(e["company_id"], e["payload"]["trade_id"], e["event_id"]) for e in recount.counting()}
        rows["trade"], wrong["trade"] = len(ledger), len(set(ledger) ^ ids)
    return rows, dict(wrong), examples


def main() -> int:
    """Run it and print what it has shown; 0 when it is exact."""
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.corrections", description=__doc__)
    parser.add_argument("--histories", type=int, default=100_000)
    with work_place("corrections", None) as folder:
        proof = prove(folder, parser.parse_args().histories)
    print(proof.report())
    return 0 if proof.exact else 1


if __name__ == "__main__":
    sys.exit(main())
