"""Answers as JSON: those of many rows are encoded beside the event loop, in pieces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from projections.engine.wide import CHUNK, FEW, beside


async def encoded(company: str, answer: Mapping[str, Any]) -> bytes:
    """The answer of a company as JSON. Raises LimitExceeded where too many wait to have theirs encoded."""
    rows = answer.get("rows", ())
    if len(rows) <= FEW:
        return msgspec.json.encode(answer)
    return await beside(len(rows), company, _in_pieces, answer)


def _in_pieces(answer: Mapping[str, Any]) -> bytes:
    return msgspec.json.encode({**answer, "rows": msgspec.Raw(b"[%s]" % b",".join(_pieces(answer["rows"])))})


def _pieces(rows: Sequence[Any]) -> list[bytes]:
    """The rows, some at a time, without the brackets of a list: between two pieces other threads have their turn."""
    return [msgspec.json.encode(rows[begin : begin + CHUNK])[1:-1] for begin in range(0, len(rows), CHUNK)]
