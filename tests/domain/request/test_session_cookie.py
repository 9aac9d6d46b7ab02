"""Which cookie is a session's, and which request comes from a page of our own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Forbidden, Unauthenticated
from domain.request.session_cookie import check_own_page, cookie_name, session_of, session_of_own_page

HOST = (b"host", b"analytics.example:8003")
OWN = (b"origin", b"http://analytics.example:8003")


def test_the_name_says_the_port_and_behind_tls_that_nobody_else_sets_it() -> None:
    assert cookie_name([HOST], "http") == "analytics-8003"
    assert cookie_name([HOST], "wss") == "__Host-analytics-8003"
    assert cookie_name([(b"host", b"[::1]")], "http") == "analytics-session"


@pytest.mark.parametrize(
    "cookies",
    [[], [b"other=1"], [b"analytics-8003="], [b"analytics-8003=a; analytics-8003=b"], [b"analytics-8003=a"] * 2],
)
def test_what_is_not_exactly_one_session_is_none(cookies: list[bytes]) -> None:
    with pytest.raises(Unauthenticated):
        session_of([HOST, *((b"cookie", each) for each in cookies)], "http")


def test_a_session_is_found_among_other_cookies() -> None:
    assert session_of([HOST, (b"cookie", b"a=1; analytics-8003=secret; b=2")], "http") == "secret"


def test_a_cookie_that_was_not_set_over_tls_counts_for_nothing_there() -> None:
    with pytest.raises(Unauthenticated):
        session_of([HOST, (b"cookie", b"analytics-8003=secret")], "https")


@given(st.text(alphabet="abcdefghijklmnop.:/@#?-0189", max_size=40))
def test_only_the_own_host_is_an_own_page(text: str) -> None:
    """Whatever an Origin says, nothing but the host that was addressed passes."""
    headers = [HOST, (b"origin", text.encode())]
    if text.partition("://")[2].split("/")[0].split("?")[0].split("#")[0] == "analytics.example:8003":
        return
    with pytest.raises(Forbidden):
        check_own_page(headers)


def test_a_page_of_others_has_no_session_here() -> None:
    cookie = (b"cookie", b"analytics-8003=secret")
    assert session_of_own_page([HOST, OWN, cookie], "ws") == "secret"
    assert session_of_own_page([HOST, (b"origin", b"http://evil.example"), cookie], "ws") == ""
    assert session_of_own_page([HOST, cookie], "ws") == ""
