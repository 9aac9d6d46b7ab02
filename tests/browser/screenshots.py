"""`make pages`: every page with the sample data as PNG, in both themes and three widths, into build/pages.

Before them come the pictures that README and docs show, in their places; `--docs` makes those alone. An instance of its
own is started in build/pages/data, unless the folder of one that runs is named.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path

from PIL import Image

from tests.browser import chromium
from tests.browser.chromium import Page, page
from tests.support.instance import Instance

FOLDER = Path("build/pages")
DOCS_ALONE = "--docs"
PAGES = {name: f"/dashboards/{name}" for name in ("executive", "trading", "users", "system")}
PAGES |= {
    "pipeline": "/pipeline",
    "panel": "/dashboards/executive",
    "filtered": "/dashboards/trading",
    "reports": "/reports",
}
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
# What README and docs show: the page, and the height of which they show it (px).
PICTURES = {
    Path("docs/pages.png"): ("executive", 1_800),
    Path("docs/tutorial/pictures/audit.png"): ("audit", 760),
    Path("docs/tutorial/pictures/engine.png"): ("projection", 660),
    Path("docs/tutorial/pictures/admin.png"): ("editor", 900),
}
PICTURE_WIDTH, COLOURS = 1_100, 96  # few colours, so that a picture is small
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


def picture(tab: Page, address: str, path: Path, height: int) -> None:
    """The top of a page, as docs show it."""
    tab.screen(PICTURE_WIDTH, TALLEST)
    tab.open(address)
    tab.until_true(SETTLED)
    tab.screen(PICTURE_WIDTH, height)
    path.parent.mkdir(parents=True, exist_ok=True)
    tab.screenshot(path)
    with Image.open(path) as whole:
        whole.convert("RGB").quantize(COLOURS).save(path, optimize=True)


def pages_of(role: str) -> dict[str, str]:
    """The pages that somebody of the role looks at, by name."""
    return {
        name: f"{path}?company=acme{WITH.get(name, '')}"
        for name, path in PAGES.items()
        if PEOPLE.get(path.split("/")[1], "admin") == role
    }


def main(folder: str, *, docs_alone: bool) -> None:
    """Make the pictures of docs, and all others unless these are wanted alone."""
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
            own = pages_of(role)
            for path, (name, height) in PICTURES.items():
                if name in own:
                    picture(tab, pages + own[name], path, height)
                    print(path, flush=True)
            for (name, address), width, theme in () if docs_alone else product(own.items(), WIDTHS, THEMES):
                take(tab, pages + address, name, width, theme)
                print(FOLDER / f"{name}-{width}-{theme}.png", flush=True)


if __name__ == "__main__":
    given = [each for each in sys.argv[1:] if each != DOCS_ALONE]
    main(given[0] if given else "", docs_alone=DOCS_ALONE in sys.argv)
