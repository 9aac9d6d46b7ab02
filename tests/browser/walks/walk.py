"""Somebody at work: a tab in which they are signed in, and the API with the same rights to compare with."""

from __future__ import annotations

import json
from typing import Any

from tests.browser.chromium import Page
from tests.browser.test_pages import complaints, link
from tests.support.instance import Instance


class Walk:
    """What somebody sees and presses on the pages of a company."""

    def __init__(self, instance: Instance, tab: Page, company: str, role: str) -> None:
        self.instance, self.tab, self.company, self.role = instance, tab, company, role

    def begin(self, path: str) -> None:
        """Sign in by a link that leads there."""
        self.tab.open(link(self.instance, self.company, self.role, path))
        self.tab.until(".who", f"{self.role}-of-{self.company}")

    def end(self) -> None:
        """Nothing has complained on the way."""
        assert not complaints(self.tab), complaints(self.tab)

    def live(self) -> None:
        """Wait until the page follows its figures."""
        self.tab.until("#live", "Live")

    def press(self, selector: str) -> None:
        """Press a button or follow a link, once it is there."""
        self.tab.until_true(f"document.querySelector({json.dumps(selector)}) !== null")
        self.tab.script(f"document.querySelector({json.dumps(selector)}).click()")

    def follow(self, tile: str, column: str, value: str) -> None:
        """Follow the name in a tile's table that stands for a value, to the page of that alone."""
        table = self.table(tile)
        row = next(place for place, row in enumerate(table, 1) if row[column] == value)
        at = 1 + list(table[0]).index(column)
        self.press(f"#tile-{tile} tbody tr:nth-child({row}) > :nth-child({at}) a")

    def chosen(self, **params: str) -> None:
        """Wait until the address has these parameters, and its page is live."""
        for name, value in params.items():
            self.tab.until_true(f"new URLSearchParams(location.search).get({name!r}) === {json.dumps(value)}")
        self.tab.until_true("document.readyState === 'complete'")
        self.live()

    def figure(self, tile: str) -> str:
        """The number of a tile as its query answers it."""
        self.tab.until_true(f"document.querySelector('#tile-{tile} .figure a') !== null")
        return str(self.tab.script(f"document.querySelector('#tile-{tile} .figure a').dataset.value"))

    def table(self, tile: str) -> list[dict[str, str]]:
        """The rows of a tile's table as its query answers them, also where it stands below a chart."""
        self.tab.until_true(f"document.querySelector('#tile-{tile} td') !== null")
        heads = f"[...document.querySelectorAll('#tile-{tile} thead th')].map((head) => head.dataset.name)"
        cells = "[...row.cells].map((cell) => cell.dataset.value)"
        rows = f"[...document.querySelectorAll('#tile-{tile} tbody tr')].map((row) => {cells})"
        names, values = self.tab.script(f"[{heads}, {rows}]")
        return [dict(zip(names, row, strict=True)) for row in values]

    def answer(self, query: str, **params: str) -> list[dict[str, Any]]:
        """The rows that the query answers, asked with the rights of whoever walks."""
        with self.instance.client(self.role, self.company) as api:
            answer = api.get(f"/api/v1/query/{query}", params={"company": self.company, **params}, timeout=60)
        assert answer.is_success, answer.text
        rows: list[dict[str, Any]] = answer.json()["rows"]
        return rows

    def same(self, tile: str, query: str, *columns: str, **params: str) -> list[dict[str, str]]:
        """The rows of a tile's table, once these columns of them are what the query answers."""
        shown, rows = self.table(tile), self.answer(query, **params)
        seen = [[plain(row[name]) for name in columns] for row in shown]
        told = [[plain(text(row[name])) for name in columns] for row in rows[: len(shown)]]
        assert seen == told != [], (seen, told)
        return shown


def plain(value: str) -> float | str:
    """A number however it is written: a server writes 0.0 where a script writes 0."""
    try:
        return float(value)
    except ValueError:
        return value


def text(value: Any) -> str:
    """A value as an attribute of the page carries it."""
    return value if isinstance(value, str) else "" if value is None else json.dumps(value, separators=(",", ":"))
