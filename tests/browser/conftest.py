"""One browser for all tests of pages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browser.chromium import Page, page


@pytest.fixture(scope="package")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """Its one tab."""
    with page(tmp_path_factory.mktemp("browser") / "profile") as opened:
        yield opened


@pytest.fixture
def tab(browser: Page) -> Page:
    """The tab of a browser in which nobody is signed in, on an ordinary screen."""
    browser.scripts(run=True)
    browser.open("about:blank")
    browser.sign_out()
    browser.screen(1280)
    browser.language("en-US")
    return browser
