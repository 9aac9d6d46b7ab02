"""One browser for all tests of pages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browser.chromium import Browser, Page, opened


@pytest.fixture(scope="package")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """It, begun once."""
    with opened(tmp_path_factory.mktemp("browser") / "profile") as begun:
        yield begun


@pytest.fixture
def tab(browser: Browser) -> Iterator[Page]:
    """A new tab of a browser in which nobody is signed in, on an ordinary screen."""
    with browser.tab() as tab:
        tab.sign_out()
        tab.screen(1280)
        tab.language("en-US")
        yield tab
