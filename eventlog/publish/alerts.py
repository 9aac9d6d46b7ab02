"""Changes of the states of alert rules as records of the log, published by this service alone."""

from __future__ import annotations

import msgspec
from analytics.control_events_pb2 import AlertTransition
from common.envelope_pb2 import AnalyticsProcessingEnvelope

from domain.alerting.evaluation import Transition
from domain.events.catalogue import BY_NAME
from domain.events.problems import storable
from domain.ports import Record
from eventlog.publish.record import record_of

ALERT_TRANSITION = BY_NAME["alert_transition"]


def transition_record(company: str, change: Transition) -> Record:
    """The record of one change, with the id that it has however often it is written."""
    said = msgspec.structs.asdict(change)
    words = {name: storable(said[name]) for name in ("rule", "value", "condition", "reason")}
    fact = AlertTransition(**{**said, **words})
    envelope = AnalyticsProcessingEnvelope(
        message_type=ALERT_TRANSITION.name,
        company_id=company,
        payload=fact.SerializeToString(),
        timestamp=change.at,
        service_source="analytics",
        event_id=change.event_id(company),
    )
    return record_of(envelope, ALERT_TRANSITION)
