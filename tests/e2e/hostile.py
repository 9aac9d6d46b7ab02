"""python -m tests.e2e.hostile --minutes 60 --inputs 5000: odd and hostile inputs at all doors of one of two tenants.

Both tenants publish and ask all the while. The calm one's answers must be right and come within LATEST seconds. The
rude one sends what is odd: every event is good or bad by the way it is made here, from the contract alone, so that the
count of the bad ones is independent of the service; quarantine and totals must agree with it in the end.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import grpc
import httpx
import psycopg
from common.envelope_pb2 import AnalyticsProcessingEnvelope
from services import operations_pb2 as operations
from services.analytics_service_pb2_grpc import AnalyticsServiceStub
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from tests.publishing.samples import trade as sample
from tests.support.instance import Instance, trade
from tests.support.spellings import Raw, request, spellings

CALM, RUDE = "calmco", "rudeco"
LATEST = 2.0  # seconds that an answer to the calm tenant may take
STEP = 0.5  # seconds between two parcels of a tenant
PARCEL = 20  # events
NASTY = "\x1b[2J\x9b\u202e\ufeff'\";--<script>%n%s\\"
Line = Callable[[dict[str, Any], str], bytes]


def _with(line: dict[str, Any], **payload: object) -> bytes:
    return json.dumps({**line, "payload": {**line["payload"], **payload}}).encode()


# Bad events as lines of JSON, by what the contract says of them; the second argument makes each one another.
BAD: Mapping[str, Line] = {
    "not_finite": lambda line, _: _with(line, quantity=float("nan")),
    "infinite": lambda line, _: _with(line, pnl=float("-inf")),
    "beyond 64 bits": lambda line, _: _with(line, pnl=1e30),
    "no trade_id": lambda line, _: _with(line, trade_id=""),
    "unknown type": lambda line, word: json.dumps({**line, "message_type": f"odd_{word}"}).encode(),
    "reserved type": lambda line, _: json.dumps({**line, "message_type": "audit"}).encode(),
    "time of nothing": lambda line, _: json.dumps({**line, "timestamp": -1}).encode(),
    "time after 2100": lambda line, _: json.dumps({**line, "timestamp": 4_200_000_000_000}).encode(),
    "text for a number": lambda line, word: _with(line, quantity=f"ten{word}"),
    "U+0000": lambda line, _: _with(line, symbol="A\0B"),
    "too long a text": lambda line, _: _with(line, symbol="é" * 5_000),
    "no such side": lambda line, word: _with(line, side=f"side{word}"),
    "bad company": lambda line, word: json.dumps({**line, "company_id": f"../{word}"}).encode(),
    "somebody else's": lambda line, _: json.dumps({**line, "company_id": CALM}).encode(),
    "twice the same member": lambda line, _: json.dumps(line).encode()[:-1] + b', "user_id": "u2"}',
    "too deep": lambda line, word: (
        json.dumps({**line, "x": word}).encode()[:-1] + b',"y":' + b"[" * 60 + b"]" * 60 + b"}"
    ),
    "bad UTF-8": lambda line, _: json.dumps(line).encode().replace(b"donchian", b"don\xff\xfechian"),
    "half an object": lambda line, _: json.dumps(line).encode()[:-7],
    "no JSON": lambda line, word: f"{NASTY}{word}".encode(),
    "digits without end": lambda line, word: f'{{"message_type": {"9" * 6_000}{word}}}'.encode(),
}
# Good events that look bad.
GOOD: Mapping[str, Line] = {
    "plain": lambda line, _: json.dumps(line).encode(),
    "odd texts": lambda line, word: _with(line, symbol=f"{NASTY}{word}", strategy="😀" * 200),
    "longest texts": lambda line, word: _with(line, symbol=random.Random(word).randbytes(1_500).hex()),
    "smallest": lambda line, _: _with(line, quantity=0.000001, fees=0),
    "spaced": lambda line, _: json.dumps(line, indent=3).replace("\n", " \t").encode(),
}


@dataclass
class Tally:
    """What the inputs were made to be, and what went wrong."""

    bad: int = 0
    good: int = 0
    inputs: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


class Tenant:
    """A tenant's own traffic: it publishes, and asks until it sees what it published."""

    def __init__(self, instance: Instance, company: str, tally: Tally) -> None:
        self.company, self.tally, self.sent = company, tally, 0
        self.pnl = Decimal(0)
        token = instance.token("service", company)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/x-ndjson"}
        self.publishing = httpx.Client(base_url=instance.addresses["command_api"], headers=headers, timeout=60)
        self.asking = instance.client("admin", company)
        self.asking.timeout = httpx.Timeout(60)

    def parcel(self) -> None:
        """Publish some trades, wait for them, and compare; every answer is timed."""
        events = [trade(self.company, self.sent + n, pnl=float(n % 7)) for n in range(PARCEL)]
        body = b"".join(json.dumps(event).encode() + b"\n" for event in events)
        answer = self._timed(lambda: self.publishing.post("/api/v1/events", content=body))
        if answer is None or answer.json()["accepted"] != PARCEL:
            self.tally.wrong.append(f"{self.company}: a parcel was not taken: {answer and answer.text}")
            return
        self.sent += PARCEL
        self.pnl += sum(Decimal(n % 7) for n in range(PARCEL))
        position = {"X-Min-Position": answer.json()["position"]}
        for path in ("/api/v1/query/trading_totals", "/api/v1/query/trades?limit=50", "/api/v1/kpis"):
            found = self._timed(lambda path=path: self.asking.get(path, headers=position))  # type: ignore[misc]  # one lambda a path
            if path.endswith("totals") and self.company == CALM:
                row = found.json()["rows"][0] if found is not None and found.status_code == 200 else {}
                if (row.get("total_trades"), row.get("total_pnl")) != (self.sent, str(self.pnl)):
                    self.tally.wrong.append(f"{self.company}: {self.sent} trades, {self.pnl}, but it says {row}")

    def _timed(self, ask: Callable[[], httpx.Response]) -> httpx.Response | None:
        began = time.monotonic()
        try:
            return ask()
        except httpx.HTTPError as error:
            self.tally.wrong.append(f"{self.company}: {type(error).__name__}")
            return None
        finally:
            self.tally.seconds.append(time.monotonic() - began)


class Rude:
    """Makes one odd or hostile input after the other, at every door."""

    def __init__(self, instance: Instance, tally: Tally, seed: int) -> None:
        self.instance, self.tally, self.chance, self.number = instance, tally, random.Random(seed), 0
        self.service, self.admin = instance.token("service", RUDE), instance.token("admin", RUDE)
        self.client = httpx.Client(timeout=60)
        self.channel = grpc.insecure_channel(instance.addresses["grpc"])
        self.file = instance.folder.parent / "odd.ndjson"
        self.doors = (
            self.http,
            self.http,
            self.call,
            self.socket,
            self.query,
            self.command,
            self.from_file,
            self.bytes,
        )

    def one(self) -> None:
        """One input at some door."""
        self.number += 1
        door = self.chance.choice(self.doors)
        self.tally.inputs[door.__name__] += 1
        try:
            door()
        except (httpx.HTTPError, OSError, WebSocketException, grpc.RpcError) as error:
            self.tally.wrong.append(f"{door.__name__}: {type(error).__name__}: {error}"[:200])

    def event(self) -> tuple[bytes, bool]:
        """An event as a line, and whether it is good."""
        line: dict[str, Any] = trade("odd", 1_000_000 + self.number)
        line |= {"company_id": RUDE, "user_id": "odd", "event_id": f"odd-{self.number}"}
        good = self.chance.random() < 0.3
        kinds = GOOD if good else BAD
        return kinds[self.chance.choice(sorted(kinds))](line, str(self.number)), good

    def count(self, good: bool) -> None:
        """It was taken as what it is."""
        self.tally.good += good
        self.tally.bad += not good

    def http(self) -> None:
        """As a document or as a line; what is refused as a whole is one event in quarantine, too."""
        data, good = self.event()
        kind = self.chance.choice(("application/json", "application/x-ndjson"))
        headers = {"Authorization": f"Bearer {self.service}", "Content-Type": kind}
        answer = self.client.post(
            f"{self.instance.addresses['command_api']}/api/v1/events", content=data, headers=headers
        )
        self.count(good)
        if answer.status_code != 200 and (good or answer.status_code != 400):
            self.tally.wrong.append(f"http: {answer.status_code} {answer.text[:200]}")

    def call(self) -> None:
        """As an envelope over gRPC, its payload as it should be or not."""
        good = self.chance.random() < 0.3
        event = sample(f"call-{self.number}", "odd", RUDE, f"odd-{self.number}")
        envelope = AnalyticsProcessingEnvelope.FromString(event.record.value)
        if not good:
            envelope.payload = b"\xff" + str(self.number).encode()
        self.count(good)
        stub = AnalyticsServiceStub(self.channel)
        metadata = (("authorization", f"Bearer {self.service}"),)
        answer = stub.Publish(iter([operations.PublishRequest(events=[envelope])]), metadata=metadata, timeout=60)
        if (answer.accepted, answer.quarantined) != (int(good), int(not good)):
            self.tally.wrong.append(f"grpc: {answer}"[:200])

    def socket(self) -> None:
        """Messages that are none, of nobody, or of no sense."""
        messages: list[str | bytes] = [
            '{"type": "token", "token": "eyJ.eyJ.x"}', "[" * 50_000, '{"type": 7}', b"\xff\xfe", NASTY, "x" * 60_000,
            json.dumps({"type": "token", "token": self.admin}),
            json.dumps({"type": "subscribe", "id": NASTY, "query": NASTY, "company": CALM, "params": {"by": "99"}}),
        ]  # fmt: skip
        address = self.instance.addresses["read_api"].replace("http", "ws")
        with connect(f"{address}/api/v1/live") as socket, suppress(WebSocketException, TimeoutError):
            for message in self.chance.sample(messages, 4):
                socket.send(message)
                socket.recv(timeout=0.3)

    def query(self) -> None:
        """Questions with parameters that nobody has thought of."""
        name = self.chance.choice(
            ("trading_totals", "trades", "metric", "kpis", "funnel", "retention", "user_activity")
        )
        param = self.chance.choice(("by", "from", "to", "limit", "cursor", "key", "company", "as_of", "steps", "no"))
        value = self.chance.choice(("9" * 5_000, NASTY, "NaN", CALM, "1;2", "-1", "0001-01-01", "," * 500, "\0"))
        self._asked("GET", "read_api", f"/api/v1/query/{name}", params={param: value})

    def command(self) -> None:
        """Commands of odd bodies, versions and keys."""
        bodies: tuple[bytes, ...] = (b"", b"[" * 9_000, b'{"name": "\\u0000"}', b"\xff", b'{"name": 1e999}', b"{}" * 99)
        headers = {"Content-Type": "application/json", "If-Match": self.chance.choice(("7", "x", "9" * 30, "*"))}
        path = self.chance.choice(
            ("/api/v1/dashboard/config", f"/api/v1/dashboard/config/{'0' * 32}", "/api/v1/company/x")
        )
        self._asked("POST", "command_api", path, content=self.chance.choice(bodies), headers=headers)

    def _asked(self, method: str, api: str, path: str, headers: Mapping[str, str] | None = None, **more: Any) -> None:
        signed = {"Authorization": f"Bearer {self.admin}", **(headers or {})}
        answer = self.client.request(method, self.instance.addresses[api] + path, headers=signed, **more)
        if answer.status_code >= 500 and answer.status_code != 503:
            self.tally.wrong.append(f"{path}: {answer.status_code} {answer.text[:200]}")

    def from_file(self) -> None:
        """A file of some lines for the command line, which acts for every company."""
        lines = [pair for pair in (self._line() for _ in range(3)) if CALM.encode() not in pair[0]]
        self.file.write_bytes(b"".join(data + b"\n" for data, _ in lines))
        for _, good in lines:
            self.count(good)
        result = self.instance.command("ingest", str(self.file), "--json")
        if result.exit_code not in (0, 3):
            self.tally.wrong.append(f"ingest: {result.output[:200]}")

    def _line(self) -> tuple[bytes, bool]:
        self.number += 1
        return self.event()

    def bytes(self) -> None:
        """What is no request, or one of a path that is written in an odd way, without a token."""
        paths = list(spellings("/api/v1/query/trades"))
        sent = self.chance.choice(
            (
                request(self.chance.choice(paths)),
                self.chance.randbytes(2_000),
                b"GET / HTTP/1.1\r\nX: " + b"y" * 200_000,
            )
        )
        with suppress(OSError, IndexError, ValueError), Raw(self.instance.addresses["read_api"]) as connection:
            connection.send(sent + b"\r\n\r\n")
            if connection.answer()[0] == 200:
                self.tally.wrong.append(f"bytes: answered without a token: {sent[:100]!r}")


def run(folder: Path, minutes: float, inputs: int, seed: int = 7) -> tuple[Tally, Tally, list[str]]:
    """Both tallies, and what is wrong in the end."""
    instance, calm, rude = Instance(folder).start(), Tally(), Tally()
    try:
        tenants = [Tenant(instance, CALM, calm), Tenant(instance, RUDE, Tally())]
        end, attacker = time.monotonic() + 60 * minutes, Rude(instance, rude, seed)
        threads = [threading.Thread(target=_load, args=(tenant, end), daemon=True) for tenant in tenants]
        for thread in threads:
            thread.start()
        for number in range(inputs):
            attacker.one()
            time.sleep(max(0.0, (end - time.monotonic()) / (inputs - number)))
        for thread in threads:
            thread.join()
        return calm, rude, list(_verdict(instance, tenants, rude))
    finally:
        instance.stop()


def _load(tenant: Tenant, end: float) -> None:
    while time.monotonic() < end:
        tenant.parcel()
        time.sleep(STEP)


def _verdict(instance: Instance, tenants: list[Tenant], rude: Tally) -> Iterator[str]:
    """What does not agree with the judge: the quarantine's count, and the trades of both tenants."""
    instance.command("projections", "wait", "--timeout", "120")
    with psycopg.connect(instance.addresses["database"]) as connection:
        row = connection.execute("SELECT count(*) FROM quarantine").fetchone()
    if row is None or row[0] != rude.bad:
        yield f"{row and row[0]} events are in quarantine, {rude.bad} were bad"
    for tenant, more in zip(tenants, (0, rude.good), strict=True):
        rows = instance.answer("query", "trading_totals", "--company", tenant.company)["rows"]
        if rows[0]["total_trades"] != tenant.sent + more:
            yield f"{tenant.company} has {rows[0]['total_trades']} trades, {tenant.sent + more} were published"


def main() -> None:
    """Run it and say how it went."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--inputs", type=int, default=5_000)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="analytics-hostile-") as parent:
        calm, rude, wrong = run(Path(parent) / "data", chosen.minutes, chosen.inputs)
    seconds = sorted(calm.seconds)
    late = [each for each in seconds if each > LATEST]
    print(f"inputs: {dict(rude.inputs)}; good events {rude.good:,}, bad {rude.bad:,}")
    print(
        f"calm: {len(seconds):,} answers, p50 {seconds[len(seconds) // 2]:.3f} s, p99"
        f" {seconds[len(seconds) * 99 // 100]:.3f} s, latest {seconds[-1]:.3f} s, {len(late)} later than {LATEST:g} s"
    )
    problems = [*calm.wrong, *rude.wrong, *wrong, *(["answers came late"] if late else [])]
    print(f"wrong: {len(problems)}", *problems[:30], sep="\n")
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
