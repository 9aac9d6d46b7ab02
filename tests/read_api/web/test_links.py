"""Every link of every page leads somewhere, whoever follows it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from html.parser import HTMLParser
from http import HTTPStatus
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from domain.configuration.dashboard import FILTERS
from tests.support.instance import Instance
from tests.support.pages import signed_in
from tests.support.two_months import COMPANY

MOST = 150  # pages that are looked at
SEALED_WITHIN = 60.0  # seconds


class Links(HTMLParser):
    """The addresses that a page leads to."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a link."""
        address = dict(attrs).get("href")
        if tag == "a" and address is not None and not address.startswith("#"):
            self.found.append(address)


def kind(address: str) -> tuple[str, ...]:
    """The same for addresses that differ in values alone: one of each is followed."""
    parts = urlsplit(address)
    steps = parts.path.rpartition(".")[2].split("/")  # files: their ending
    shown = steps[:2] if steps[1:2] == ["metric"] else steps[:3]  # what follows is the name of a thing
    names = sorted({name for name, _ in parse_qsl(parts.query)})
    filters = [name for name in names if name in FILTERS]
    dashboard = steps[1:2] == ["dashboards"] and "panel" not in names
    narrowed = filters[:1] if dashboard else []  # to narrow a page twice is as to narrow it once, and what it leads to
    return *shown, str(len(steps)), *narrowed, *(name for name in names if name not in FILTERS)


def followed(client: httpx.Client, address: str) -> httpx.Response:
    """What a link leads to; where it is the proof of an event that was written just now, once its block is sealed."""
    deadline = time.monotonic() + SEALED_WITHIN
    while (answer := client.get(address)).status_code == HTTPStatus.PRECONDITION_FAILED:
        assert time.monotonic() < deadline, answer.text
        time.sleep(0.5)
    return answer


def crawled(client: httpx.Client, begin: str) -> Iterator[tuple[str, httpx.Response]]:
    """Every page that can be reached from one, by following links, and its answer."""
    left, seen = [begin], {kind(begin)}
    while left:
        address = left.pop(0)
        answer = followed(client, address)
        yield address, answer
        if not answer.headers.get("content-type", "").startswith("text/html") or not answer.is_success:
            continue
        for each in Links(answer.text).found:
            whole = str(answer.url.join(each))
            if whole.startswith(str(client.base_url)) and kind(whole) not in seen:
                seen.add(kind(whole))
                left.append(whole)


@pytest.mark.ci
@pytest.mark.parametrize("role", ["viewer", "analyst", "admin", "auditor", "engineer"])
def test_every_link_of_every_page_leads_somewhere(filled: Instance, role: str) -> None:
    """A hundred pages, most with all tiles of a dashboard: a minute, so this runs in CI after `make test`."""
    with signed_in(filled, filled.token(role, COMPANY)) as client:
        client.follow_redirects = True
        answers = dict(crawled(client, f"/?company={COMPANY}"))
        assert len(answers) < MOST, sorted(answers)
        for entry in client.get("/search.json", params={"company": COMPANY}).json():
            answers[entry["href"]] = client.get(entry["href"])
    assert len(answers) > 3
    assert {address: answer.status_code for address, answer in answers.items() if not answer.is_success} == {}
