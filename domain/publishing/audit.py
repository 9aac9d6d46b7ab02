"""Audit events: who did what to what, in which tenant, with which outcome. Published by this service alone."""

from __future__ import annotations

from dataclasses import dataclass

from domain.events import BY_NAME
from domain.publishing.event import Event, Origin, single

SYSTEM = "_system"  # the company of what concerns no tenant, or one whose name cannot be read


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: the subject of a token, or the operator of the machine; and in which role."""

    subject: str
    role: str


LOCAL_OPERATOR = Actor("local-operator", "engineer")


def audit(
    actor: Actor, action: str, target: str, outcome: str, *, company: str = "", position: str = "", **origin: str
) -> Event:
    """The event of one action; `origin` may give event_id, correlation_id, causation_id. Raises Refused."""
    told: Origin = {"service_source": "analytics", **origin}  # type: ignore[typeddict-item]  # texts of Origin
    fields = {
        "subject": actor.subject,
        "role": actor.role,
        "action": action,
        "target": target,
        "outcome": outcome,
        "position": position,
    }
    return single(BY_NAME["audit_event"], company or SYSTEM, "", fields, told)
