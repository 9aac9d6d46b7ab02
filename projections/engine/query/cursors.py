"""Cursors: where the next page of an answer begins, as a text that whoever asks gives back."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any


def cursor_of(place: Sequence[object]) -> str:
    """The place as a text."""
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def read_cursor(text: str) -> list[Any]:
    """The place of a text. It comes from outside, and its members may be anything. Raises ValueError."""
    try:
        place = json.loads(base64.urlsafe_b64decode(text.encode()))
    except (ValueError, RecursionError):
        place = None
    if not isinstance(place, list):
        raise ValueError(f"{text!r} is no cursor that this query has given")
    return place
