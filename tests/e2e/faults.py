"""python -m tests.e2e.faults: kill -9, 20 s of SIGSTOP and a full disk for each process and server, under load.

Callers publish, query, and ask about the past all the time, each with a deadline. Afterwards an independent recount
compares what was acknowledged with the log and with the read models.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import httpx
import psutil

from adapters.servers.process import alive
from tests.e2e.test_processes import family
from tests.support.instance import Instance, trade

DEADLINE = 30.0  # seconds that a caller gives each of its calls
FROZEN = 20.0  # seconds of SIGSTOP, and of a full disk
HEALED = 30.0  # seconds after the cause has ended
GIVEN_UP = 180.0  # seconds after which healing is no longer waited for
DISK = "700m"  # of the database, and of everything else in the folder
COMPANY = "faulty"


@dataclass(slots=True)
class Calls:
    """What callers met: calls by outcome, those that were late, and the events that were acknowledged."""

    outcomes: dict[str, int] = field(default_factory=dict)
    late: list[str] = field(default_factory=list)
    acknowledged: set[str] = field(default_factory=set)


class Load:
    """Callers that call until `stop`: each in a thread of its own, a new connection for each call."""

    def __init__(self, instance: Instance) -> None:
        self.calls = Calls()
        self._read, self._command = (instance.addresses[name] for name in ("read_api", "command_api"))
        roles = ("service", "auditor")
        self._headers = {role: {"Authorization": f"Bearer {instance.token(role, COMPANY)}"} for role in roles}
        self._stop, self._number, self._lock = threading.Event(), 0, threading.Lock()
        kinds: Sequence[Callable[[], bool]] = (self.publish, self.publish, self.query, self.ask_past)
        self._threads = [threading.Thread(target=self._go_on, args=(kind,)) for kind in kinds]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End, after the calls that are under way."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def publish(self) -> bool:
        """Hand in five trades; whether they are in the log."""
        with self._lock:
            first, self._number = self._number, self._number + 5
        events = [trade(COMPANY, number) for number in range(first, first + 5)]
        post = partial(httpx.post, f"{self._command}/api/v1/events", json=events, headers=self._headers["service"])
        if not self._called("publish", post):
            return False
        with self._lock:
            self.calls.acknowledged |= {str(event["event_id"]) for event in events}
        return True

    def query(self) -> bool:
        """Ask for the totals."""
        return self._called("query", partial(self._totals))

    def ask_past(self) -> bool:
        """Ask for the totals of a moment."""
        return self._called("past", partial(self._totals, as_of="2030-01-01"))

    def _totals(self, timeout: float, **params: str) -> httpx.Response:
        address = f"{self._read}/api/v1/query/trading_totals"
        return httpx.get(address, params=params, headers=self._headers["auditor"], timeout=timeout)

    def _called(self, kind: str, call: Callable[..., httpx.Response]) -> bool:
        began = time.monotonic()
        try:
            outcome = str(call(timeout=DEADLINE).status_code)
        except httpx.TimeoutException:
            outcome = "none"
        except httpx.TransportError:
            outcome = "refused"
        seconds = time.monotonic() - began
        with self._lock:
            name = f"{kind} {outcome}"
            self.calls.outcomes[name] = self.calls.outcomes.get(name, 0) + 1
            if outcome == "none" or seconds > DEADLINE + 1:
                self.calls.late.append(f"{kind} after {seconds:.0f} s")
        return outcome == "200"

    def _go_on(self, kind: Callable[[], bool]) -> None:
        while not self._stop.wait(0.2):
            kind()


@dataclass(frozen=True, slots=True)
class Case:
    """One cause, and how long it took to heal; None where it did not."""

    name: str
    seconds: float | None
    late: Sequence[str]


@dataclass(frozen=True, slots=True)
class Proof:
    """What a run found. `lost`: acknowledged and not in the log; `counted`: trades that the read models tell."""

    cases: Sequence[Case]
    calls: Calls
    lost: int
    in_log: int
    counted: int
    orphans: Sequence[str]

    @property
    def right(self) -> bool:
        """Nothing lost, everything once, everybody answered, all healed in time, nothing left over."""
        healed = all(case.seconds is not None and case.seconds <= HEALED for case in self.cases)
        return healed and not self.lost and self.in_log == self.counted and not self.calls.late and not self.orphans

    def report(self) -> str:
        """In some lines."""
        lines = [
            f"{case.name:<50} healed in {'never' if case.seconds is None else f'{case.seconds:.1f} s'}"
            + (f"; late: {', '.join(case.late)}" if case.late else "")
            for case in self.cases
        ]
        return "\n".join(
            (
                *lines,
                f"calls: {json.dumps(dict(sorted(self.calls.outcomes.items())))}",
                f"acknowledged {len(self.calls.acknowledged):,}, of these lost {self.lost}; in the log {self.in_log:,},"
                f" counted {self.counted:,}",
                f"late calls {len(self.calls.late)}; left over: {', '.join(self.orphans) or 'nothing'}",
            )
        )


def prove(folder: Path, causes: Sequence[str]) -> Proof:
    """Run all causes in turn; disks are small ones where they can be mounted (as root)."""
    instance = Instance(folder).start()
    load, cases = Load(instance), list[Case]()
    try:
        _healed(instance, load, set(family(instance).values()))
        names = sorted(set(family(instance).values()))
        for cause, target in [(c, n) for c in causes if c != "disk" for n in names] + _disks(folder, causes):
            before = len(load.calls.late)
            with CAUSES[cause](instance, target):
                pass
            seconds = _healed(instance, load, set(names))
            cases.append(Case(f"{cause} {Path(target).name}", seconds, load.calls.late[before:]))
            print(cases[-1], flush=True)
    finally:
        load.stop()
    lost, in_log, counted = _recount(instance, load.calls)
    everybody = family(instance)
    instance.stop()
    orphans = [name for pid, name in everybody.items() if alive(pid)]
    return Proof(cases, load.calls, lost, in_log, counted, orphans)


def _disks(folder: Path, causes: Sequence[str]) -> list[tuple[str, str]]:
    places = [folder / "postgres", folder]
    return [("disk", str(place)) for place in places if "disk" in causes and os.path.ismount(place)]


def _healed(instance: Instance, load: Load, names: set[str]) -> float | None:
    """Seconds until every kind of call succeeds and every process is there; None where that does not happen."""
    began = time.monotonic()
    while time.monotonic() - began < GIVEN_UP:
        if set(family(instance).values()) == names and load.publish() and load.query() and load.ask_past():
            return time.monotonic() - began
        time.sleep(0.2)
    return None


def _recount(instance: Instance, calls: Calls) -> tuple[int, int, int]:
    """Acknowledged events that are not in the log, different ones in the log, and trades that are told."""
    read = instance.command("log", "read", "--company", COMPANY, "--topic", "trading-events", "--limit", "0")
    ids = {json.loads(line)["event_id"] for line in read.stdout.splitlines()}
    instance.wait()
    rows = instance.answer("query", "trading_totals", "--company", COMPANY)["rows"]
    return len(calls.acknowledged - ids), len(ids), rows[0]["total_trades"]


def _processes(instance: Instance, name: str) -> list[psutil.Process]:
    """The processes of this name; of PostgreSQL its backends as well."""
    found = [psutil.Process(pid) for pid, each in family(instance).items() if each == name]
    return [*found, *(c for p in found if name.endswith("postgres") for c in p.children(recursive=True))]


@contextmanager
def _killed(instance: Instance, name: str) -> Iterator[None]:
    _processes(instance, name)[0].kill()
    yield


@contextmanager
def _frozen(instance: Instance, name: str) -> Iterator[None]:
    processes = _processes(instance, name)
    for process in processes:
        process.send_signal(signal.SIGSTOP)
    time.sleep(FROZEN)
    for process in processes:
        if process.is_running():
            process.send_signal(signal.SIGCONT)
    yield


@contextmanager
def _full(_instance: Instance, place: str) -> Iterator[None]:
    ballast = Path(place) / "ballast"
    with ballast.open("wb", buffering=0) as file:
        file.write(bytes(shutil.disk_usage(place).free))
    ends = time.monotonic() + FROZEN
    while time.monotonic() < ends:
        with ballast.open("ab", buffering=0) as file, suppress(OSError):
            file.write(bytes(max(1, shutil.disk_usage(place).free)))
        time.sleep(0.5)
    ballast.unlink()
    yield


CAUSES = {"kill": _killed, "stop": _frozen, "disk": _full}


@contextmanager
def small_disks(folder: Path) -> Iterator[None]:
    """Two small disks where they can be mounted: one for the database, one for all else in the folder."""
    folder.mkdir(mode=0o700, parents=True)
    places = [folder, folder / "postgres"]
    try:
        if os.geteuid() == 0:
            _mount(folder)
            Instance(folder).start().stop()  # makes the database
            kept = (folder / "postgres").rename(folder / "kept")
            _mount(folder / "postgres")
            shutil.copystat(kept, folder / "postgres")
            subprocess.run(["cp", "-a", f"{kept}/.", str(folder / "postgres")], check=True)
            os.chown(folder / "postgres", kept.stat().st_uid, kept.stat().st_gid)
            shutil.rmtree(kept)
        yield
    finally:
        for place in reversed(places):
            subprocess.run(["umount", "--lazy", str(place)], check=False, capture_output=True)


def _mount(place: Path) -> None:
    place.mkdir(mode=0o700, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=700", "tmpfs", str(place)], check=True)


def main() -> int:
    """Run it and say what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--causes", nargs="*", default=["kill", "stop", "disk"], choices=list(CAUSES))
    parent = Path(tempfile.mkdtemp(prefix="analytics-faults-"))
    with small_disks(parent / "data"):
        proof = prove(parent / "data", parser.parse_args().causes)
    print(proof.report())
    shutil.rmtree(parent, ignore_errors=True)
    return 0 if proof.right else 1


if __name__ == "__main__":
    sys.exit(main())
