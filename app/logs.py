"""Log lines on stderr: text for people at a terminal, one JSON object a line for machines."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import TextIO

from domain import correlation


class JsonLines(logging.Formatter):
    """time, level, logger, message, role, correlation_id where there is one, error where there is one."""

    def __init__(self, role: str) -> None:
        super().__init__()
        self._role = role

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line of JSON."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "role": self._role,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if correlation.current.get():
            line["correlation_id"] = correlation.current.get()
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def configure(level: str, role: str, stream: TextIO | None = None) -> None:
    """Send all log lines of this process to stderr (or the stream given)."""
    out = stream or sys.stderr
    handler = logging.StreamHandler(out)
    plain = logging.Formatter(f"%(asctime)s {role:<11} %(levelname)-7s %(message)s", datefmt="%H:%M:%S")
    handler.setFormatter(plain if out.isatty() else JsonLines(role))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for chatty in ("aiokafka", "alembic", "nats", "uvicorn", "asyncio", "httpx"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, logging.getLogger().level))
