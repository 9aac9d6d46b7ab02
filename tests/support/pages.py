"""Pages as a browser without scripts has them: a client that is signed in, and what a page shows."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from html.parser import HTMLParser

import httpx

from tests.support.instance import Instance

WITHIN = 60.0  # seconds until what takes long is there


@contextmanager
def signed_in(instance: Instance, token: str) -> Iterator[httpx.Client]:
    """A browser with a session of this token; it follows nothing by itself."""
    where = instance.addresses["pages"]
    with httpx.Client(base_url=where, headers={"Origin": where}, timeout=120) as client:
        assert client.post("/sign-in", data={"token": token}).status_code == 303
        yield client


def settled(
    reader: httpx.Client, path: str, asked: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
) -> str:
    """The page, once nothing of it is still being made: what takes long comes after the page."""
    deadline = time.monotonic() + WITHIN
    while True:
        page = reader.get(path, params=asked, headers=headers)
        assert page.status_code == 200, page.text
        if "pending" not in Shown(page.text).states.values():
            return page.text
        assert time.monotonic() < deadline, Shown(page.text).states
        time.sleep(0.2)


class Shown(HTMLParser):
    """What a page shows, by tile: its state, its figure, the rows of its tables by column, as the query has them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.states: dict[str, str] = {}
        self.figures: dict[str, str] = {}
        self.tables: dict[str, list[dict[str, str]]] = {}
        self.position = ""
        self._tile, self._columns, self._cells = "", list[str](), list[str]()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tile, a figure, a column or a cell."""
        named = {name: value or "" for name, value in attrs}
        if tag == "article":
            self._tile, self._columns = named["data-id"], []
            self.states[self._tile] = named["data-state"]
        elif tag == "a" and "data-value" in named:
            self.figures[self._tile] = named["data-value"]
        elif "data-name" in named:
            self._columns.append(named["data-name"])
        elif tag in ("td", "th") and "data-value" in named:
            self._cells.append(named["data-value"])
        elif named.get("id") == "position":
            self.position = named["title"]

    def handle_endtag(self, tag: str) -> None:
        """A row is whole."""
        if tag == "tr" and self._cells:
            row = dict(zip(self._columns, self._cells, strict=True))
            self.tables.setdefault(self._tile, []).append(row)
            self._cells = []
