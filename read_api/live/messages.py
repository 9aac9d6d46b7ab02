"""What messages of the WebSocket say: what is followed, with which token, how often."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.errors import Invalid, Unauthenticated

KINDS = ("dashboard", "query", "metric", "live", "watch")  # of what can be followed
MOST_OFTEN = 1_000.0  # frames a second that a subscription may ask for at most


def target_of(message: Mapping[str, Any]) -> tuple[str, str]:
    """What is followed and of which company, as the trail calls them."""
    named = (message[kind] for kind in KINDS if message.get(kind))
    return str(next(named, "")), str(message.get("company", ""))


def token_of(message: Mapping[str, Any]) -> str:
    """The token that it brings. Raises Unauthenticated for a message of another type."""
    if message.get("type") != "token":
        raise Unauthenticated("the first message must bring a token")
    return str(message.get("token", ""))


def pause_of(message: Mapping[str, Any]) -> float:
    """Seconds between two frames at least. Raises Invalid."""
    rate = message.get("max_rate") or MOST_OFTEN
    if not isinstance(rate, int | float) or not 0 < rate <= MOST_OFTEN:
        raise Invalid(f"max_rate is a number of frames a second, at most {MOST_OFTEN:g}", code="bad_message")
    return 1 / rate
