"""What of the event history somebody may see: which topics, which events, and what of an event."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from common.envelope_pb2 import CONFIDENTIAL, PERSONAL, AnalyticsProcessingEnvelope

from domain.access.rights import Principal, Right, may, require
from domain.errors import Invalid
from domain.events.catalogue import STREAMS, event_type
from eventlog.search.criteria import Criteria, Scanned

_RIGHTS = {"audit-events": Right.TRAIL, "quarantine": Right.QUARANTINE}
_FOR_THE_TENANT = frozenset({CONFIDENTIAL, PERSONAL})


def readable_topics(principal: Principal, company: str, names: Sequence[str]) -> list[str]:
    """The topics to read: those asked for, or all that the principal may read.

    Raises Invalid for an unknown topic, Forbidden for one that the principal may not read.
    """
    if principal.member:
        require(principal, Right.OWN, company)
    if not names:
        if principal.member:
            return [topic for topic in STREAMS if _right(topic) is Right.EVENTS]
        # somebody who may read none of them is told which right is missing
        require(principal, Right.EVENTS, company)
        return [topic for topic in STREAMS if may(principal, _right(topic), company)]
    for topic in names:
        if topic not in STREAMS:
            raise Invalid(f"{topic!r} is no stream; there are {', '.join(STREAMS)}", code="unknown_stream")
        if not principal.member or _right(topic) is not Right.EVENTS:
            require(principal, _right(topic), company)
    return list(dict.fromkeys(names))


def own(principal: Principal, criteria: Criteria) -> Criteria:
    """What somebody may find of what is wanted: a member events of its users, and none without a user.

    Raises Forbidden for a member who wants another user's.
    """
    member = principal.member
    if member is None:
        return criteria
    if criteria.user_id:
        member.check_user(criteria.user_id)
    only = min(member.user_ids) if len(member.user_ids) == 1 else criteria.user_id  # the index looks for one
    return replace(criteria, user_id=only, users=member.user_ids)


def scanned_for(principal: Principal, scanned: Scanned) -> Scanned:
    """What a search looked at, as somebody may know it: what was read for a member is the company's."""
    return Scanned() if principal.member else scanned


def reduce_to_visible(principal: Principal, envelope: AnalyticsProcessingEnvelope) -> bool:
    """Reduce the envelope to what the principal may see; True where that leaves the payload out.

    Nobody sees the publisher's token, which could be used again. What is personal is a member's own.
    """
    envelope.ClearField("auth_token")
    allowed = may(principal, Right.PAYLOADS, envelope.company_id)
    if principal.member:
        allowed = envelope.data_class == PERSONAL
    withheld = envelope.data_class in _FOR_THE_TENANT and not allowed
    if withheld:
        envelope.ClearField("payload")
        envelope.ClearField("unknown_members")
    return withheld


def with_batches(names: Iterable[str]) -> frozenset[str]:
    """These event types, each with its batch form; raises Invalid for one that is none."""
    both_forms: set[str] = set()
    for name in names:
        kind = event_type(name)
        if kind is None:
            raise Invalid(f"{name!r} is no event type of the catalogue", code="unknown_type")
        both_forms |= {kind.name, kind.batch_name} if name == kind.name else {name}
    return frozenset(both_forms)


def _right(topic: str) -> Right:
    return _RIGHTS.get(topic, Right.EVENTS)
