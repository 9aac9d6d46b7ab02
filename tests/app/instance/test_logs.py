"""Log lines: one form for people, one for machines, and never a secret in either."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.instance import logs
from app.instance.logs import HIDDEN, configure, without_secrets
from domain.errors import Invalid
from domain.request import correlation, tracing
from tests.support.instance import Instance, command_line

TOKEN = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl-_x"


@pytest.fixture
def root() -> Iterator[None]:
    """The root logger as it was, afterwards."""
    logger = logging.getLogger()
    handlers, level = logger.handlers[:], logger.level
    yield
    for handler in logger.handlers:
        if handler not in handlers:
            handler.close()
    logger.handlers[:], logger.level = handlers, level


def line_of(form: str, message: str, *arguments: object, **more: str) -> str:
    """One line as it is written."""
    out = io.StringIO()
    configure("INFO", form, "read-api", out)
    logging.getLogger("some").warning(message, *arguments, extra=more)
    return out.getvalue().strip()


async def test_a_json_line_ties_itself_to_the_request(root: None) -> None:
    """Ids, trace and tenant where they are known, and where the line comes from."""
    correlation.current.set("c-1")
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


def test_lines_are_kept_in_a_file_that_does_not_grow_for_ever(
    root: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As JSON, whatever the terminal gets; the folder is its owner's alone."""
    monkeypatch.setattr(logs, "FILE_BYTES", 1_000)
    file = logs.log_file(tmp_path / "data", "read-api")
    configure("INFO", "text", "read-api", io.StringIO(), file)
    for number in range(100):
        logging.getLogger("some").info("line %d, password=hunter2", number)
    kept = sorted(file.parent.iterdir())
    assert len(kept) == 1 + logs.OLDER_FILES
    assert all(part.stat().st_size <= 1_000 for part in kept)
    assert json.loads(file.read_text().splitlines()[-1])["message"] == f"line 99, password={logs.HIDDEN}"
    assert [folder.stat().st_mode & 0o777 for folder in (file.parent, file.parent.parent)] == [0o700, 0o700]


def test_an_instance_keeps_what_each_of_its_processes_says(instance: Instance) -> None:
    """In a file of its own."""
    words = [command_line(child) for child in instance.children()]
    files = [line[line.index("--log-file") + 1] for line in words]
    assert len(set(files)) == len(files) > 5
    assert {Path(file).parent for file in files} == {instance.folder / "logs"}
