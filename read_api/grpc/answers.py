"""What all answers over gRPC have: what they stand for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from common.provenance_pb2 import Provenance

from domain.position import Position
from domain.request.caller import Caller
from projections.engine.query.params import read_time


def provenance(caller: Caller, *answers: Mapping[str, Any]) -> Provenance:
    """What one answer stands for; of several to the same query, what all of them have seen and no newer."""
    first = answers[0]
    return Provenance(
        query=first["query"],
        definition_version=first["definition_version"],
        position=str(_least([Position.parse(answer["position"]) for answer in answers])),
        as_of=min(ms(answer["as_of"]) for answer in answers),
        complete=all(answer["complete"] for answer in answers),
        lag_ms=max(answer["lag_ms"] for answer in answers),
        correlation_id=caller.correlation_id,
    )


def _least(positions: Sequence[Position]) -> Position:
    """Of each partition the least that an answer which reads it has reached."""
    places = {place for position in positions for place in position.offsets}
    return Position({p: min(each[p] for each in positions if p in each.offsets) for p in places})


def ms(time: str | None) -> int:
    """A time of an answer as ms since 1970 UTC; 0 where there is none."""
    return round(read_time(time).timestamp() * 1000) if time else 0
