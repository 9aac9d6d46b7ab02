"""Log lines: one form for people, one for machines, and never a secret in either."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest

from app.instance.logs import HIDDEN, configure, without_secrets
from domain.errors import Invalid
from domain.request import correlation, tracing

TOKEN = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl-_x"


@pytest.fixture
def root() -> Iterator[None]:
    """The root logger as it was, afterwards."""
    logger = logging.getLogger()
    handlers, level = logger.handlers[:], logger.level
    yield
    logger.handlers[:], logger.level = handlers, level


def line_of(form: str, message: str, *arguments: object, **more: str) -> str:
    """One line as it is written."""
    out = io.StringIO()
    configure("INFO", form, "read-api", out)
    logging.getLogger("some").warning(message, *arguments, extra=more)
    return out.getvalue().strip()


async def test_a_json_line_ties_itself_to_the_request(root: None) -> None:
    """Ids, trace and tenant where they are known, and where the line comes from."""
    correlation.accepted("c-1")
    with tracing.request("test", "", "") as trace:
        line = json.loads(line_of("json", "it took %d ms", 7, company="acme"))
    assert line["message"] == "it took 7 ms"
    assert (line["level"], line["role"], line["correlation_id"]) == ("WARNING", "read-api", "c-1")
    assert (line["trace_id"], line["company"]) == (trace.trace_id, "acme")
    assert isinstance(line["pid"], int)


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f"refused {TOKEN}", TOKEN),
        (f"Authorization: Bearer {TOKEN}", TOKEN),
        (f"cut off {TOKEN[:40]}", TOKEN[:40]),
        ("bearer abc.def", "abc.def"),
        ("connect to postgresql://analytics:s3cr3t@db:5432/x failed", "s3cr3t"),
        ("host=db user=a password=s3cr3t dbname=x", "s3cr3t"),
        ("{'api_key': 's3cr3t', 'x': 1}", "s3cr3t"),
    ],
)
def test_no_line_holds_a_secret(root: None, form: str, text: str, secret: str) -> None:
    """Wherever it came from: also in an error's text."""
    assert secret not in line_of(form, text)
    assert HIDDEN in line_of(form, "%s", text)


def test_what_is_no_secret_stays() -> None:
    """Addresses, ids and positions are what log lines are for."""
    for text in ("http://127.0.0.1:8003/api/v1/query", "trading-events:0=120,1=98", "token of ann has ended"):
        assert without_secrets(text) == text


def test_an_unknown_form_is_refused() -> None:
    """By name, before anything runs."""
    with pytest.raises(Invalid, match="ANALYTICS_LOG_FORMAT is 'xml'"):
        configure("INFO", "xml", "up")
