"""Predictions as records of the log, published by this service alone. What is predicted once is one event."""

from __future__ import annotations

from hashlib import blake2b

from analytics.control_events_pb2 import Prediction
from common.envelope_pb2 import AnalyticsProcessingEnvelope

from domain.events.catalogue import BY_NAME
from domain.ports import Record
from eventlog.publish.record import record_of

PREDICTION = BY_NAME["prediction"]


def prediction_record(company: str, fact: Prediction, made_at: int) -> Record:
    """The record of one prediction, made then (ms since 1970 UTC)."""
    envelope = AnalyticsProcessingEnvelope(
        message_type=PREDICTION.name,
        company_id=company,
        payload=fact.SerializeToString(),
        timestamp=made_at,
        service_source="analytics",
        event_id=prediction_id(fact),
    )
    return record_of(envelope, PREDICTION)


def prediction_id(fact: Prediction) -> str:
    """The same for all predictions of the same thing by the same method from the same day: the first of them stands."""
    about = (fact.what, fact.subject, fact.filters, fact.method, fact.method_version, fact.due_at, fact.horizon_days)
    return blake2b("\0".join(map(str, about)).encode(), digest_size=16).hexdigest()
