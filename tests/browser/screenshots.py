"""`make pages`: every page with the sample data as PNG, in both themes and three widths, into build/pages.

An instance of its own is started in build/pages/data, unless the folder of one that runs is named.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path

from tests.browser import chromium
from tests.browser.chromium import Page, page
from tests.support.instance import Instance

FOLDER = Path("build/pages")
PAGES = {name: f"/dashboards/{name}" for name in ("executive", "trading", "users", "system")}
PAGES |= {"pipeline": "/pipeline", "panel": "/dashboards/executive", "filtered": "/dashboards/trading"}
PAGES |= {
    "audit": "/audit", "then-and-now": "/audit/replay", "verify": "/audit/verification", "trail": "/audit/trail",
    "engine": "/engine", "projection": "/engine/projections/trading", "quarantine": "/engine/quarantine",
}  # fmt: skip
PAGES |= {
    "funnel": "/users/funnel", "retention": "/users/retention", "admin": "/admin", "dashboards": "/admin/dashboards",
    "editor": "/admin/dashboards/new", "alert": "/admin/alerts/new",
}  # fmt: skip
PEOPLE = {
    "audit": "auditor",
    "engine": "engineer",
}  # whose pages they are, by the first part of the path; else an admin's
WITH = {"panel": "&panel=mrr", "filtered": "&period=5y&symbol=AAPL", "editor": "&like=users"}
WITH |= {"funnel": "&steps=page_view&steps=feature_used&steps=click", "retention": "&unit=week&view=line"}
WIDTHS, THEMES = (390, 1280, 2560), ("light", "dark")
TALLEST = 8_000
SETTLED = (
    "document.readyState === 'complete' && (document.querySelector('#live')?.dataset.state ?? 'live') === 'live' &&"
    " [...document.querySelectorAll('.chart')].every((chart) => chart.querySelector('svg, canvas'))"
)


@contextmanager
def running(folder: str) -> Iterator[Instance]:
    """The instance of a folder that runs, else one of our own until all is done."""
    if folder:
        yield Instance(Path(folder))
        return
    own = Instance((FOLDER / "data").absolute()).start("--demo")
    try:
        own.command("projections", "wait", "--timeout", "600")
        yield own
    finally:
        own.stop()


def take(tab: Page, address: str, name: str, width: int, theme: str) -> None:
    """One picture, as high as the page is."""
    tab.screen(width, TALLEST, theme)
    tab.open(address)
    tab.until_true(SETTLED)
    height = int(tab.script("document.body.getBoundingClientRect().height")) + 1
    tab.screen(width, min(TALLEST, max(height, 900)), theme)
    tab.screenshot(FOLDER / f"{name}-{width}-{theme}.png")


def main(folder: str) -> None:
    """Make all pictures."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    chromium.PATIENCE = 120.0  # the first page of a company is made of all its events
    with running(folder) as instance, tempfile.TemporaryDirectory() as profile, page(Path(profile) / "profile") as tab:
        pages = instance.addresses["pages"]
        tab.screen(1280)
        tab.open(pages)
        tab.until("h1", "Sign in")
        tab.until_true("document.readyState === 'complete' && sessionStorage.getItem('again') !== null")
        tab.screenshot(FOLDER / "sign-in.png")
        for role in ("admin", *PEOPLE.values()):
            tab.sign_out()
            tab.open(f"{pages}/#token={instance.token(role, '*', '--subject', f'ada-{role}')}&company=acme")
            tab.until(".who", f"ada-{role}")
            own = {name: path for name, path in PAGES.items() if PEOPLE.get(path.split("/")[1], "admin") == role}
            for (name, path), width, theme in product(own.items(), WIDTHS, THEMES):
                take(tab, f"{pages}{path}?company=acme{WITH.get(name, '')}", name, width, theme)
                print(FOLDER / f"{name}-{width}-{theme}.png", flush=True)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "")
