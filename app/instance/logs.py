"""Log lines on stderr: text for people at a terminal, one JSON object a line for machines. No line holds a secret.

What an instance's own processes say is also kept in its data folder (`logs/NAME.log`), as JSON, the oldest given up.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TextIO

from domain.errors import Invalid
from domain.request import correlation, tracing

FORMS = ("auto", "text", "json")
HIDDEN = "••••"
FILE_BYTES, OLDER_FILES = 10_000_000, 4
_SECRETS = (
    (re.compile(r"eyJ[\w-]{5,}\.[\w-]*\.?[\w-]*"), HIDDEN),  # a JWT, whole or cut off
    (re.compile(r"(?i)\b(bearer\s+)[\w.~+/=-]+"), rf"\1{HIDDEN}"),
    (re.compile(r"(://[^\s:/@]*:)[^\s@]*@"), rf"\1{HIDDEN}@"),  # the password in an address
    (
        re.compile(r"(?i)\b((?:password|passwd|secret|api_?key|token)[\"']?\s*[=:]\s*)(\"[^\"]*\"|'[^']*'|[^\s,;&}]+)"),
        rf"\1{HIDDEN}",
    ),
)


def without_secrets(text: str) -> str:
    """The text with tokens and passwords hidden."""
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text


class Lines(logging.Formatter):
    """Text lines without secrets."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as text."""
        return without_secrets(super().format(record))


class JsonLines(logging.Formatter):
    """time, level, role, pid, logger, message; correlation_id, trace_id and company where known; error if any."""

    def __init__(self, role: str) -> None:
        super().__init__()
        self._role = role

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line of JSON."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "role": self._role,
            "pid": os.getpid(),
            "logger": record.name,
            "message": without_secrets(record.getMessage()),
        }
        if correlation.current.get():
            line["correlation_id"] = correlation.current.get()
        if (trace := tracing.current.get()) is not None:
            line["trace_id"] = trace.trace_id
        if (company := getattr(record, "company", "")) != "":
            line["company"] = company
        if record.exc_info:
            line["error"] = without_secrets(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False)


def configure(level: str, form: str, role: str, stream: TextIO | None = None, file: Path | None = None) -> None:
    """Send all log lines of this process to stderr (or the stream given), and into the file.

    Raises Invalid for an unknown form, OSError where the file's folder cannot be made.
    """
    if form not in FORMS:
        raise Invalid(f"ANALYTICS_LOG_FORMAT is {form!r}, and must be one of {', '.join(FORMS)}", code="bad_setting")
    out = stream or sys.stderr
    as_text = form == "text" or (form == "auto" and out.isatty())
    handler: logging.Handler = logging.StreamHandler(out)
    plain = Lines(f"%(asctime)s {role:<11} %(levelname)-7s %(message)s", datefmt="%H:%M:%S")
    handler.setFormatter(plain if as_text else JsonLines(role))
    handlers = [handler] if file is None else [handler, _file_handler(file, role)]
    logging.basicConfig(level=level, handlers=handlers, force=True)
    for chatty in ("aiokafka", "alembic", "nats", "uvicorn", "asyncio", "httpx", "opentelemetry", "urllib3"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, logging.getLogger().level))


def log_file(folder: Path, name: str) -> Path:
    """Where a process of the data folder's instance keeps its log."""
    return folder / "logs" / f"{name}.log"


def _file_handler(file: Path, role: str) -> logging.Handler:
    for folder in (file.parent.parent, file.parent):  # parents that `mkdir` makes by itself would be open to others
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    handler = RotatingFileHandler(file, maxBytes=FILE_BYTES, backupCount=OLDER_FILES, encoding="utf-8", delay=True)
    handler.setFormatter(JsonLines(role))
    return handler
