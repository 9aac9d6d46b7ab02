"""What can be wrong with an event: a closed set of codes, each with its meaning.

The codes are stable: quarantine rows, answers of the doors and documentation carry them.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from domain.errors import Invalid


class Code(StrEnum):
    """Stable codes of the reasons for which an event is set aside."""

    UNDECODABLE = "undecodable"
    TRUNCATED = "truncated"
    UNKNOWN_TYPE = "unknown_type"
    RESERVED_TYPE = "reserved_type"
    WRONG_STREAM = "wrong_stream"
    MISSING_FIELD = "missing_field"
    WRONG_TYPE = "wrong_type"
    NOT_FINITE = "not_finite"
    OUT_OF_RANGE = "out_of_range"
    TOO_FINE = "too_fine"
    BAD_DECIMAL = "bad_decimal"
    CONTRADICTION = "contradiction"
    BAD_TIME = "bad_time"
    IN_THE_FUTURE = "in_the_future"
    BAD_TEXT = "bad_text"
    BAD_CHOICE = "bad_choice"
    BAD_COMPANY = "bad_company"
    FORBIDDEN_COMPANY = "forbidden_company"
    EMPTY_BATCH = "empty_batch"
    TOO_LARGE = "too_large"
    BAD_JSON = "bad_json"
    DUPLICATE_KEY = "duplicate_key"
    CONFLICTING_DUPLICATE = "conflicting_duplicate"
    TOO_DEEP = "too_deep"
    NEWER_SCHEMA = "newer_schema"
    BAD_TOKEN = "bad_token"
    FOLD_FAILED = "fold_failed"
    STORE_REJECTED = "store_rejected"


MEANINGS: Mapping[Code, str] = MappingProxyType(
    {
        Code.UNDECODABLE: "the bytes are no envelope, or its payload is not of its message_type",
        Code.TRUNCATED: "a length-delimited frame ends before its length, so nothing after it can be read",
        Code.UNKNOWN_TYPE: "the message_type is not in the event catalogue",
        Code.RESERVED_TYPE: "the message_type is published by this service alone and taken at no door",
        Code.WRONG_STREAM: "the event lies in a topic that its message_type does not belong to",
        Code.MISSING_FIELD: "a required field is absent or empty",
        Code.WRONG_TYPE: "a JSON value has another type than its field",
        Code.NOT_FINITE: "a number is NaN or infinite",
        Code.OUT_OF_RANGE: "a number breaks its bound: whole ones 64 bits, others 10^15, products of them 10^18",
        Code.TOO_FINE: "an amount has more than 12 decimal places, and they make over one part in a million of it",
        Code.BAD_DECIMAL: "a decimal text is no number, or not what the double beside it says",
        Code.CONTRADICTION: "fields of one fact cannot all be true: closed before it was opened, a high below the low",
        Code.BAD_TIME: "a time is not within 1970-01-01T00:00:00.001Z and 2100-01-01T00:00:00Z, or given in seconds",
        Code.IN_THE_FUTURE: "a time (but effective_at) is more than 24 hours after the log took the event",
        Code.BAD_TEXT: "a text is too long, holds U+0000, or is not UTF-8",
        Code.BAD_CHOICE: "a value is not one of the field's closed set",
        Code.BAD_COMPANY: "company_id is not 1 to 64 of the characters A-Z a-z 0-9 _ -",
        Code.FORBIDDEN_COMPANY: "the caller may not publish for this company",
        Code.EMPTY_BATCH: "a batch event holds no fact",
        Code.TOO_LARGE: "an event is larger than 1 MiB, or a batch event holds more than 10,000 facts",
        Code.BAD_JSON: "the text is not JSON",
        Code.DUPLICATE_KEY: "a JSON object names the same field twice",
        Code.CONFLICTING_DUPLICATE: "another event of the company and producer, with other content, has this event_id",
        Code.TOO_DEEP: "JSON is nested more than 32 levels deep",
        Code.NEWER_SCHEMA: "the schema_version is newer than this code knows; replay it after an upgrade",
        Code.BAD_TOKEN: "the event's auth_token is not valid, had ended, or allows no publishing for its company",
        Code.FOLD_FAILED: "the fold of one projection fails on the event; for the others it counts",
        Code.STORE_REJECTED: "the database does not take what one projection makes of it; for the others it counts",
    }
)


class Problem(NamedTuple):
    """The first thing that is wrong with an event: code, one sentence, and which fact of a batch event (from 0)."""

    code: Code
    reason: str
    item: int | None = None


class RefusedEvent(Invalid):
    """One event that cannot go in, with what could be read of it. Raised and caught within the doors."""

    def __init__(self, problem: Problem, *, company_id: str = "", event_id: str = "", message_type: str = "") -> None:
        super().__init__(problem.reason, code=problem.code)
        self.problem = problem
        self.company_id = storable(company_id)
        self.event_id = storable(event_id)
        self.message_type = storable(message_type)


def shown(value: object) -> str:
    """A value as it stands in a reason: quoted and short."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}…"


def storable(text: str) -> str:
    """The text as it can be stored and sent: short, without U+0000 and lone surrogates."""
    return text[:1024].replace("\0", "�").encode(errors="replace").decode()
