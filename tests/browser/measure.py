"""What pages cost, printed: `python -m tests.browser.measure [FOLDER] [--company acme]`.

First byte of each dashboard, the first time after the start (nothing is kept yet) and then from kept answers, with the
processor that it takes, beside a bare server that answers as many bytes; first and largest paint; and what an open
trading page costs while its figures move, and one of ten of its tiles: shares of a core of the process that answers and
of the browser's tab, beside the same time without the page. An instance of its own is started with the sample data,
unless a folder is named: then what lies there is started, and stopped in the end.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import httpx
import psutil

from tests.browser import chromium
from tests.browser.chromium import Page, page
from tests.support.instance import Instance, command_line
from tests.support.pages import settled, signed_in

DASHBOARDS = ("executive", "trading", "users", "system")
WARM = 25  # requests from what is kept
SECONDS = 20.0  # that an open page is looked at
PAINT = """
    window.paints = {};
    for (const type of ['paint', 'largest-contentful-paint'])
        new PerformanceObserver((list) => list.getEntries().forEach((each) => { paints[type] = each.startTime; }))
            .observe({ type, buffered: true });
"""


def first_byte(client: httpx.Client, path: str) -> tuple[float, int]:
    """Milliseconds until the first byte of a page's body, and how many bytes that has as it is sent."""
    began = time.perf_counter()
    with client.stream("GET", path) as answer:
        parts = answer.iter_raw()
        size = len(next(parts))
        took = 1000 * (time.perf_counter() - began)
        assert answer.status_code == 200, (path, answer.status_code)
        return took, size + sum(map(len, parts))


def floor_of(size: int) -> float:
    """The same of a bare server that answers as many bytes, in the middle."""
    with subprocess.Popen([sys.executable, "-m", "app.bench.bare_server", str(size)], stdout=subprocess.PIPE) as bare:
        assert bare.stdout is not None
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{int(bare.stdout.readline())}") as client:
                return statistics.median(first_byte(client, "/")[0] for _ in range(WARM))
        finally:
            bare.terminate()


def first_bytes(instance: Instance, company: str) -> None:
    """Of every dashboard: cold, then warm."""
    answering = serving(instance)
    with signed_in(instance, instance.token("admin", company)) as client:
        for name in DASHBOARDS:
            path = f"/dashboards/{name}?company={company}"
            cold, _ = first_byte(client, path)
            settled(client, path)
            begin = used(answering)
            warm, sizes = zip(*sorted(first_byte(client, path) for _ in range(WARM)), strict=True)
            cost = 1000 * (used(answering) - begin) / WARM
            print(f"first byte {name:10} cold {cold:6.0f} ms, kept p50 {statistics.median(warm):5.1f} ms,"
                  f" p95 {warm[int(0.95 * WARM)]:5.1f} ms, {cost:4.1f} ms of processor"
                  f" (bare page of {sizes[0] // 1024} KB: {floor_of(sizes[0]):.1f} ms)", flush=True)  # fmt: skip


def paints(instance: Instance, tab: Page, company: str) -> None:
    """First and largest paint of every dashboard, scripts out of the browser's cache."""
    with tab.first_runs(PAINT):
        for name in DASHBOARDS:
            tab.open(f"{instance.addresses['pages']}/dashboards/{name}?company={company}")
            tab.until("#live", "Live")
            time.sleep(1)
            first, largest = tab.script("[paints.paint, paints['largest-contentful-paint']]")
            print(f"paint {name:10} first {first:6.0f} ms, largest {largest:6.0f} ms", flush=True)


def serving(instance: Instance) -> Sequence[psutil.Process]:
    """The process that answers pages."""
    return [each for each in instance.children() if "read-api" in each.cmdline()]


def used(processes: Sequence[psutil.Process]) -> float:
    """Seconds of processor that they have taken."""
    return sum(sum(each.cpu_times()[:2]) for each in processes)


def cores(*groups: Sequence[psutil.Process]) -> list[float]:
    """Shares of a core that each of these groups takes for a while."""
    begin = [used(group) for group in groups]
    time.sleep(SECONDS)
    return [(used(group) - before) / SECONDS for before, group in zip(begin, groups, strict=True)]


def ten_tiles(instance: Instance, company: str) -> str:
    """The id of a dashboard of the trading page's first ten tiles, saved by a command."""
    with instance.client("admin", company) as client:
        document = client.get("/api/v1/dashboards/trading/config", params={"company": company}).json()
        body = {name: document[name] for name in ("name", "description", "sharing")}
        body |= {"tiles": document["tiles"][:10]}
        url = f"{instance.addresses['command_api']}/api/v1/dashboard/config"
        answer = client.post(url, params={"company": company}, json=body)
        assert answer.is_success, answer.text
        return str(answer.json()["id"])


def open_pages(instance: Instance, tab: Page, company: str) -> None:
    """What an open trading page costs beside none: the standard one, and one of its first ten tiles."""
    answering = serving(instance)
    tab.screen(1280, 900)
    tab.open("about:blank")
    (without,) = cores(answering)
    print(f"no open page: server {without:.1%} of a core", flush=True)
    for name in ("trading", ten_tiles(instance, company)):
        tab.open(f"{instance.addresses['pages']}/dashboards/{name}?company={company}")
        tab.until("#live", "Live")
        time.sleep(5)
        tiles = tab.script("document.querySelectorAll('.tile').length")
        tabs = [each for each in psutil.Process().children(recursive=True) if "--type=renderer" in command_line(each)]
        server, drawing = cores(answering, tabs)
        print(f"open trading page of {tiles} tiles: server {server:.1%} of a core, tab {drawing:.1%}", flush=True)


def main() -> None:
    """Print all of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", default="")
    parser.add_argument("--company", default="acme")
    asked = parser.parse_args()
    chromium.PATIENCE = 120.0
    with tempfile.TemporaryDirectory() as home, page(Path(home) / "profile") as tab:
        instance = Instance(Path(asked.folder or f"{home}/data").absolute()).start("--demo")
        try:
            instance.command("projections", "wait", "--timeout", "600")
            first_bytes(instance, asked.company)
            token = instance.token("admin", asked.company, "--subject", "ada")
            tab.open(f"{instance.addresses['pages']}/pipeline#token={token}&company={asked.company}")
            tab.until(".who", "ada")
            paints(instance, tab, asked.company)
            open_pages(instance, tab, asked.company)
        finally:
            instance.stop()


if __name__ == "__main__":
    main()
