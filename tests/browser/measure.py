"""What pages cost, printed: `python -m tests.browser.measure [FOLDER] [--company acme]`.

First byte of each dashboard, the first time after the start (nothing is kept yet) and then from kept answers; largest
paint; and what an open trading page costs while its figures move: shares of a core of the process that answers and of
the browser's tab, beside the same time without the page. An instance of its own is started with the sample data, unless
a folder is named: then what lies there is started, and stopped in the end.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import httpx
import psutil

from tests.browser import chromium
from tests.browser.chromium import Page, page
from tests.support.instance import Instance
from tests.support.pages import signed_in

DASHBOARDS = ("executive", "trading", "users", "system")
WARM = 25  # requests from what is kept
SECONDS = 20.0  # that an open page is looked at
PAINT = """
    window.paint = 0;
    new PerformanceObserver((list) => list.getEntries().forEach((each) => { paint = each.startTime; }))
        .observe({ type: 'largest-contentful-paint', buffered: true });
"""


def first_byte(client: httpx.Client, path: str) -> float:
    """Milliseconds until the first byte of a page's body."""
    began = time.perf_counter()
    with client.stream("GET", path) as answer:
        parts = answer.iter_raw()
        next(parts)
        took = 1000 * (time.perf_counter() - began)
        assert answer.status_code == 200, (path, answer.status_code)
        for _ in parts:
            pass
    return took


def first_bytes(instance: Instance, company: str) -> None:
    """Of every dashboard: cold, then warm."""
    with signed_in(instance, instance.token("admin", company)) as client:
        for name in DASHBOARDS:
            path = f"/dashboards/{name}?company={company}"
            cold = first_byte(client, path)
            warm = sorted(first_byte(client, path) for _ in range(WARM))
            print(f"first byte {name:10} cold {cold:6.0f} ms, kept p50 {statistics.median(warm):5.1f} ms,"
                  f" p95 {warm[int(0.95 * WARM)]:5.1f} ms", flush=True)  # fmt: skip


def paints(instance: Instance, tab: Page, company: str) -> None:
    """Largest paint of every dashboard, scripts out of the browser's cache."""
    with tab.first_runs(PAINT):
        for name in DASHBOARDS:
            tab.open(f"{instance.addresses['pages']}/dashboards/{name}?company={company}")
            tab.until("#live", "Live")
            time.sleep(1)
            print(f"largest paint {name:10} {tab.script('paint'):6.0f} ms", flush=True)


def cores(*groups: Sequence[psutil.Process]) -> list[float]:
    """Shares of a core that each of these groups takes for a while."""

    def used() -> list[float]:
        return [sum(sum(each.cpu_times()[:2]) for each in group) for group in groups]

    begin = used()
    time.sleep(SECONDS)
    return [(after - before) / SECONDS for before, after in zip(begin, used(), strict=True)]


def open_page(instance: Instance, tab: Page, company: str) -> None:
    """What an open trading page costs beside none."""
    serving = [each for each in instance.children() if "read-api" in each.cmdline()]
    tab.screen(1280, 900)
    tab.open("about:blank")
    (without,) = cores(serving)
    tab.open(f"{instance.addresses['pages']}/dashboards/trading?company={company}")
    tab.until("#live", "Live")
    time.sleep(5)
    tabs = [each for each in psutil.Process().children(recursive=True) if "--type=renderer" in each.cmdline()]
    server, drawing = cores(serving, tabs)
    print(f"open trading page: server {server:.1%} of a core, without it {without:.1%}; tab {drawing:.1%}")


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
            open_page(instance, tab, asked.company)
        finally:
            instance.stop()


if __name__ == "__main__":
    main()
