"""The routes of the auditor's pages."""

from __future__ import annotations

from read_api.web.audit.event import event_page, proof_of_event, public_key
from read_api.web.audit.replay import replay_page
from read_api.web.audit.search import correlation_page, events_page
from read_api.web.audit.trail import trail_page
from read_api.web.audit.verification import begin_verification, verification_page

AUDIT = (
    events_page, event_page, proof_of_event, public_key, correlation_page, replay_page,
    verification_page, begin_verification, trail_page,
)  # fmt: skip
