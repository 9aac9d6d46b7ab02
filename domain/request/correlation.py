"""The correlation id: one name for everything that one request causes, in answers, events and log lines."""

from __future__ import annotations

import re
from contextvars import ContextVar

from domain.events.identity import new_event_id

current: ContextVar[str] = ContextVar("correlation_id", default="")
_GOOD = re.compile(r"[\w.:/+=@-]{1,128}", re.ASCII)  # what may stand in a header and in a log line as it came


def good_or_new(text: str | None) -> str:
    """The caller's id where it is a good one, otherwise a new one."""
    return text if text and _GOOD.fullmatch(text) else new_event_id()
