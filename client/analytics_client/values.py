"""Values of answers as Python has them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from analytics.values_pb2 import Value


def python(value: Value) -> Any:
    """Money as Decimal, counts as int, other numbers as float, moments as datetime in UTC; None where undefined."""
    match value.WhichOneof("kind"):
        case "decimal":
            return Decimal(value.decimal)
        case "time":
            return moment(value.time)
        case None:
            return None
        case kind:
            return getattr(value, kind)


def moment(milliseconds: int) -> datetime:
    """A time of a message, which is in ms since 1970 UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def milliseconds(at: datetime | None) -> int:
    """A time as messages have it; 0 for none. A time without a zone is one of UTC."""
    if at is None:
        return 0
    return round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
