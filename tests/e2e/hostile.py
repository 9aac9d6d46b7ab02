"""python -m tests.e2e.hostile --minutes 60 --inputs 5000: odd and hostile inputs at all doors of one of two tenants.

Both tenants publish and ask all the while. The calm one's answers must be right and come within LATEST seconds. The
rude one sends what is odd: every event is good or bad by the way it is made here, from the contract alone, so that the
count of the bad ones is independent of the service; quarantine and totals must agree with it in the end.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

import httpx
import psycopg

from tests.e2e.odd_inputs import Rude, Tally
from tests.support.instance import Instance, trade

CALM, RUDE = "calmco", "rudeco"
LATEST = 2.0  # seconds that an answer to the calm tenant may take
STEP = 0.5  # seconds between two parcels of a tenant
PARCEL = 20  # events


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
        answer = self._timed("a parcel", lambda: self.publishing.post("/api/v1/events", content=body))
        if answer is None or answer.json()["accepted"] != PARCEL:
            self.tally.wrong.append(f"{self.company}: a parcel was not taken: {answer and answer.text}")
            return
        self.sent += PARCEL
        self.pnl += sum(Decimal(n % 7) for n in range(PARCEL))
        position = {"X-Min-Position": answer.json()["position"]}
        for path in ("/api/v1/query/trading_totals", "/api/v1/query/trades?limit=50", "/api/v1/kpis"):
            self._asked(path, position)

    def _asked(self, path: str, position: dict[str, str]) -> None:
        found = self._timed(path, lambda: self._reached(path, position))
        if found is None or self.company != CALM:
            return
        if found.status_code != 200:
            self.tally.wrong.append(f"{self.company}: {path}: {found.status_code} {found.text[:200]}")
        elif path.endswith("totals"):
            row = found.json()["rows"][0]
            if (row["total_trades"], row["total_pnl"]) != (self.sent, str(self.pnl)):
                self.tally.wrong.append(f"{self.company}: {self.sent} trades, {self.pnl}, but it says {row}")

    def _reached(self, path: str, position: dict[str, str]) -> httpx.Response:
        """The answer at that position; told that it is not reached yet, they ask again: that is late, not wrong."""
        until = time.monotonic() + 60
        while True:
            found = self.asking.get(path, headers=position)
            if found.status_code != 412 or time.monotonic() > until:
                return found

    def _timed(self, what: str, ask: Callable[[], httpx.Response]) -> httpx.Response | None:
        try:
            return self.tally.timed(what, ask)
        except httpx.HTTPError as error:
            self.tally.wrong.append(f"{self.company}: {type(error).__name__}")
            return None


def run(folder: Path, minutes: float, inputs: int, seed: int = 7) -> tuple[Tally, Tally, list[str]]:
    """Both tallies, and what is wrong in the end."""
    instance, calm, rude = Instance(folder).start(), Tally(), Tally()
    try:
        tenants = [Tenant(instance, CALM, calm), Tenant(instance, RUDE, Tally())]
        end, attacker = time.monotonic() + 60 * minutes, Rude(instance, RUDE, rude, seed)
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
    """What does not agree with the judge: quarantine by its bytes, both tenants' trades, and deaths of processes."""
    instance.command("projections", "wait", "--timeout", "120")
    with psycopg.connect(instance.addresses["database"]) as connection:
        rows = connection.execute("SELECT raw, code, reason FROM quarantine").fetchall()
    kept = {sha256(raw).digest(): (code, reason) for raw, code, reason in rows}
    if len(rows) != len(rude.bad):
        yield f"{len(rows)} events are in quarantine, {len(rude.bad)} different ones were bad"
    yield from (f"in quarantine, and not made as bad: {kept[each]}"[:300] for each in kept.keys() - rude.bad)
    if missing := len(rude.bad - kept.keys()):
        yield f"{missing} that were made as bad are not in quarantine"
    for tenant, more in zip(tenants, (0, rude.good), strict=True):
        rows = instance.answer("query", "trading_totals", "--company", tenant.company)["rows"]
        found = rows[0]["total_trades"] if rows else 0
        if found != tenant.sent + more:
            yield f"{tenant.company} has {found} trades, {tenant.sent + more} were published"
    yield from (line[:300] for line in instance.log.read_text().splitlines() if "ended with code" in line)


def _say(call: tuple[float, float, str]) -> str:
    return f"{time.strftime('%H:%M:%S', time.gmtime(call[0]))} {call[2]} {call[1]:.2f} s"


def _meets(one: tuple[float, float, str], other: tuple[float, float, str], before: float = 5) -> bool:
    """Whether one was under way while the other was, or in the seconds before."""
    return one[0] < other[0] + other[1] and one[0] + one[1] > other[0] - before


def main() -> None:
    """Run it and say how it went."""
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.hostile", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--inputs", type=int, default=5_000)
    parser.add_argument("--seed", type=int, default=7, help="of the inputs")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="analytics-hostile-") as parent:
        calm, rude, wrong = run(Path(parent) / "data", chosen.minutes, chosen.inputs, chosen.seed)
    seconds = sorted(took for _, took, _ in calm.calls)
    late = [call for call in calm.calls if call[1] > LATEST]
    print(f"inputs: {sum(rude.inputs.values()):,}, {len(rude.different):,} different; {dict(rude.inputs)}")
    print(f"judge: good events {rude.good:,}, different bad ones {len(rude.bad):,}, which quarantine must hold")
    print(
        f"calm: {len(seconds):,} answers, p50 {seconds[len(seconds) // 2]:.3f} s, p99"
        f" {seconds[len(seconds) * 99 // 100]:.3f} s, latest {seconds[-1]:.3f} s, {len(late)} later than {LATEST:g} s"
    )
    for call in late:
        print(
            f"late: {_say(call)}; until then, of the other tenant: {[_say(c) for c in rude.calls if _meets(c, call)]}"
        )
    problems = [*calm.wrong, *rude.wrong, *wrong, *(["answers came late"] if late else [])]
    print(f"wrong: {len(problems)}", *problems[:30], sep="\n")
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
