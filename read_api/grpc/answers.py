"""What all answers over gRPC have: what they stand for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from common.provenance_pb2 import Provenance
from msgspec import convert

from domain.configuration.company import Calendar
from domain.position import Position
from domain.request.caller import Caller
from projections.engine.query.composed import least_position
from projections.engine.query.params import read_time
from projections.queries.metrics.periods import of_cut
from read_api.grpc.messages import ms


def provenance(caller: Caller, *answers: Mapping[str, Any]) -> Provenance:
    """What one answer stands for; of several to the same query, what all of them have seen and no newer."""
    first, several = answers[0], {answer["position"] for answer in answers}
    return Provenance(
        query=first["query"],
        definition_version=first["definition_version"],
        position=first["position"] if len(several) == 1 else least_position(map(_with_topics, several)),
        as_of=min(ms(answer["as_of"]) for answer in answers),
        complete=all(answer["complete"] for answer in answers),
        lag_ms=max(answer["lag_ms"] for answer in answers),
        correlation_id=caller.correlation_id,
        limited=sorted({each for answer in answers for each in answer.get("limited", ())}),
        unknown={name: text for answer in answers for name, text in answer.get("unknown", {}).items()},
        calendar=first.get("calendar"),
        rates=_rates([answer["rates"] for answer in answers if answer.get("rates")]),
        **_period(first.get("period", {})),
    )


def goes_on(dimension: str, begin: Any, answer: Mapping[str, Any]) -> bool:
    """Whether the period that begins so, by the answer's calendar, ends after the moment that the answer is of."""
    if answer["as_of"] is None or not answer.get("calendar"):
        return False
    span = of_cut(dimension, begin, convert(answer["calendar"], Calendar))
    moment = read_time(answer["as_of"])
    return span.start is not None and span.start <= moment < span.bounds[1]


def _period(period: Mapping[str, str | None]) -> dict[str, int]:
    """Begin and end of the period that an answer is about, in ms; without those that are open."""
    bounds = {"from_time": period.get("from"), "to_time": period.get("to")}
    return {name: ms(at) for name, at in bounds.items() if at is not None}


def _rates(accounts: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """What an answer says of the rates of exchange that it took; of several that all of them took, of one policy."""
    if len(accounts) < 2:
        return accounts[0] if accounts else None
    listed = {tuple(rate.items()) for account in accounts for rate in account.get("used", ())}
    days = [account[name] for account in accounts for name in ("first_day", "last_day") if account[name] is not None]
    return {
        "policy": accounts[0]["policy"],
        "number": len(listed) or max(account["number"] for account in accounts),
        "sources": sorted({source for account in accounts for source in account["sources"]}),
        "first_day": min(days, default=None),
        "last_day": max(days, default=None),
        "used": [dict(rate) for rate in sorted(listed)],
    }


def _with_topics(position: str) -> tuple[frozenset[str], str]:
    """A position with the topics that it names: of an answer no more is known of what it read."""
    return frozenset(topic for topic, _ in Position.parse(position).offsets), position
