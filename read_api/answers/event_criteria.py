"""What is searched for, from texts as people write them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from domain.access.rights import EVERY_COMPANY
from domain.errors import Invalid
from domain.whole_number import whole_number
from eventlog.search.criteria import ALWAYS, NEVER, Criteria
from eventlog.search.rights import with_batches
from projections.engine.query.params import read_time


def criteria(asked: Mapping[str, str], types: Sequence[str]) -> Criteria:
    """What is wanted, from texts as people write them. Raises Invalid for what cannot be meant."""
    return Criteria(
        company_id=asked.get("company", EVERY_COMPANY),
        event_id=asked.get("event_id", ""),
        user_id=asked.get("user", ""),
        correlation_id=asked.get("correlation_id", ""),
        causation_id=asked.get("causation_id", ""),
        message_types=with_batches(types),
        from_time=_time("from", asked, ALWAYS),
        to_time=_time("to", asked, NEVER),
    )


def _time(name: str, asked: Mapping[str, str], otherwise: int) -> int:
    text = asked.get(name, "")
    if not text:
        return otherwise
    try:
        return whole_number(text) if text.isdecimal() else int(read_time(text).timestamp() * 1000)
    except ValueError as error:
        raise Invalid(f"parameter {name}: {error}", code="bad_parameter") from None
