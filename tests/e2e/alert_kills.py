"""python -m tests.e2e.alert_kills --kills 100: two alerters of one instance, one of them killed again and again.

Rules that were made hours ago catch up while that goes on, more of them as long as kills are left. At the end the
history has each change that a recount of the events gives, once, and each was told once (or the same once more, under
its id, where the process ended before it could say that it was sent); a back-test says the same.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

from tests.e2e.schedule_kills import BETWEEN, TwoOfARole, command
from tests.support.event_store import aggregate, decide, state
from tests.support.hooks import Hooks
from tests.support.instance import Instance

COMPANY = "alarmed"
PERIOD = 300_000
PERIODS = 96  # back from now that rules were made: eight hours
SERVICES, RULES_AT_ONCE = 5, 4
PATIENCE = 600.0  # seconds after the last kill until all is done
Change = tuple[str, str, int, str]  # rule, series, end of the period (ms), state after it


@dataclass
class Outcome:
    """The changes that a recount expects, and what there is of them."""

    expected: Sequence[Change]
    history: Sequence[Change]
    backtest: Sequence[Change]  # of the first rule
    hooks: Hooks
    kills: int
    end: int  # ms: later periods are not recounted

    def faults(self) -> list[str]:
        """What is wrong."""
        expected, history = set(self.expected), set(self.history)
        found = [f"{each} is not in the history" for each in sorted(expected - history)]
        found += [f"{each} is in the history without reason" for each in sorted(history - expected)]
        if len(self.history) != len(history):
            found.append("changes are in the history twice")
        told = [each for bodies in self.hooks.messages.values() for each in _told(bodies[0]) if each[2] <= self.end]
        found += [f"{each} was not told" for each in sorted(expected - set(told))]
        found += [f"{each} was told without reason" for each in sorted(set(told) - expected)]
        if len(told) != len(set(told)):
            found.append("changes were told under two ids")
        for notice, bodies in self.hooks.messages.items():
            if any(body != bodies[0] for body in bodies):
                found.append(f"notice {notice} came with two contents")
        first = {each for each in history if each[0] == self.expected[0][0]} if self.expected else set()
        found += [f"{each}: back-test and history differ" for each in sorted(set(self.backtest) ^ first)]
        return found

    def report(self) -> str:
        """For people."""
        faults, sent = self.faults(), [len(each) for each in self.hooks.messages.values()]
        told = f"{self.kills} kills; {len(self.expected)} changes, {len(self.history)} there; {sum(sent)} messages"
        return "\n".join((f"{told}, {sum(n > 1 for n in sent)} of them again", *faults[:20], f"wrong: {len(faults)}"))


def _told(body: Mapping[str, Any]) -> list[Change]:
    """The changes of a message, whose series have no spaces as the history has them."""
    data = body["data"]
    at = _ms(data["at"])
    return [
        (data["rule_id"], json.dumps(each["series"], separators=(",", ":")), at, each["state"])
        for each in data["series"]
    ]


def _ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def run(instance: Instance, receiver: Hooks, kills: int, seed: int) -> Outcome:
    """Kill alerters at work, and see what came of it. `instance` is running."""
    chance, url = random.Random(seed), instance.addresses["database"]
    end = time.time_ns() // 1_000_000 // PERIOD * PERIOD - PERIOD
    counts = {(n, s): chance.randint(0, 4) for n in range(1, PERIODS + 1) for s in range(SERVICES)}
    instance.take([_metric(end, *place, each) for place, count in counts.items() for each in range(count)])
    alerters, expected = TwoOfARole(instance, receiver, "alerter"), list[Change]()
    try:
        for number in range(kills):
            if number % 5 == 0:
                for each in range(RULES_AT_ONCE):
                    expected += _rule(url, f"rule-{number}-{each}", (number + each) % 3 + 1, end, counts, receiver.url)
            time.sleep(chance.uniform(*BETWEEN))
            alerters.kill(chance)
        _wait(url, end)
    finally:
        alerters.end()
    instance.wait()
    first, asked = expected[0][0], ("alert", "history", "--company", COMPANY, "-n", "10000", "--json")
    rows: list[Any] = []
    for rule_id in dict.fromkeys(rule_id for rule_id, *_ in expected):  # one answer does not hold them all
        rows += instance.answer(*asked, "--id", rule_id)
    begin = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime((end - PERIODS * PERIOD) / 1000))
    until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(end / 1000))
    tried: Any = instance.answer(
        "alert", "backtest", first, "--company", COMPANY, "--from", begin, "--to", until, "--json"
    )
    history, backtest = (_changes(each, end) for each in (rows, tried))
    return Outcome(expected, history, backtest, receiver, kills, end)


def _changes(rows: Sequence[Mapping[str, Any]], end: int) -> list[Change]:
    """What later periods brought is not recounted."""
    changes = [(each["rule_id"], each["series"], _ms(each["at"]), each["after"]) for each in rows]
    return [each for each in changes if each[2] <= end]


def _metric(end: int, period: int, service: int, number: int) -> dict[str, object]:
    at = end - (PERIODS - period + 1) * PERIOD + number
    payload = {"service": f"s{service}", "metric": "jobs", "value": 1.0}
    return {
        "message_type": "system_metric", "event_id": f"{period}-{service}-{number}", "company_id": COMPANY,
        "timestamp": at, "service_source": "test", "payload": payload,
    }  # fmt: skip


def _rule(url: str, name: str, above: int, end: int, counts: Mapping[tuple[int, int], int], hook: str) -> list[Change]:
    """Put a rule into the event store that was made long ago, which watches something of its own; its changes."""
    begin = end - PERIODS * PERIOD
    watched = {
        "kind": "query", "query": "system_metrics", "measure": "count", "by": ["service"],
        "params": {"metric": "jobs", "limit": str(9_000 + int(name.split("-")[1]))},
    }  # fmt: skip
    body = {
        "name": name,
        "trigger": {
            "watched": watched, "condition": {"kind": "threshold", "compare": "above", "value": str(above)},
            "every": "5m", "no_data": "normal",
        },
        "notification": {"channels": [{"kind": "webhook", "url": hook}], "repeat_seconds": 604_800},
    }  # fmt: skip
    with psycopg.connect(url, autocommit=True) as connection:
        said = json.dumps(state(COMPANY, at=begin, body=body)).encode()
        decide(connection, name, 1, said, topic="alert_rule.created")
    changes, firing = list[Change](), set[int]()
    for period in range(1, PERIODS + 1):
        for service in range(SERVICES):
            fires = counts[period, service] > above
            if fires != (service in firing):
                (firing.add if fires else firing.remove)(service)
                series, at = f'{{"service":"s{service}"}}', begin + period * PERIOD
                changes.append((str(aggregate(name)), series, at, "firing" if fires else "normal"))
    return changes


def _wait(url: str, end: int) -> None:
    """Until every watch is evaluated up to the end, and everything is written and sent."""
    until = time.monotonic() + PATIENCE
    left = (
        "SELECT (SELECT count(*) FROM alert_watches WHERE (book->>'until')::bigint < %s)"
        " + (SELECT count(*) FROM alert_outbox) + (SELECT count(*) FROM alert_notices WHERE state = 'waiting')"
    )
    with psycopg.connect(url, autocommit=True) as connection:
        while time.monotonic() < until:
            row: Any = connection.execute(left.encode(), (end,)).fetchone()
            if row[0] == 0:
                return
            time.sleep(0.5)


if __name__ == "__main__":
    command("alerts", run, __doc__)
