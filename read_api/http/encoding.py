"""Answers as JSON: those of many rows are encoded beside the event loop, in pieces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import msgspec

from projections.engine.query.wide_answers import CHUNK, FEW, beside
from read_api.answers.cached_answer import CachedAnswer

MANY = ("rows", "events")  # members of an answer that may be long: its rows, or the events of an explanation


async def encoded(company: str, answer: Mapping[str, Any], *, keep: bool = True) -> bytes:
    """The answer of a company as JSON; one that is not kept has no rows afterwards.

    Raises LimitExceeded where too many wait to have theirs encoded.
    """
    name = next((name for name in MANY if isinstance(rows := answer.get(name), list) and len(rows) > FEW), None)
    if name is None:
        return encoded_here(answer)
    return await beside(answer[name], company, partial(_in_pieces, answer, name), keep=keep)


def encoded_here(answer: Mapping[str, Any]) -> bytes:
    """An answer of few rows as JSON."""
    rows = answer.rows_json if isinstance(answer, CachedAnswer) else None
    return msgspec.json.encode(answer if rows is None else {**answer, "rows": rows})


def with_raw(answer: Mapping[str, Any]) -> dict[str, Any]:
    """The answer with its rows as JSON, for whoever only passes it on."""
    return {**answer, **{name: raw(answer[name]) for name in MANY if name in answer}}


def _in_pieces(answer: Mapping[str, Any], name: str, rows: Sequence[Any]) -> bytes:
    return msgspec.json.encode({**answer, name: raw(rows)})


def raw(rows: Sequence[Any]) -> msgspec.Raw:
    """Rows as a JSON list, made in pieces."""
    return msgspec.Raw(b"[%s]" % b",".join(_pieces(rows)))


def _pieces(rows: Sequence[Any]) -> list[bytes]:
    """The rows, some at a time, without the brackets of a list: between two pieces other threads have their turn."""
    return [msgspec.json.encode(rows[begin : begin + CHUNK])[1:-1] for begin in range(0, len(rows), CHUNK)]
