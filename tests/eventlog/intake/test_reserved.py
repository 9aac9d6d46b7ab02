"""What only this service publishes: no door takes it, and the quarantine gives back only what had lain in the log."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from adapters.postgres.log.log import EmbeddedLog
from adapters.postgres.tables.quarantine import PostgresQuarantine
from adapters.postgres.tables.seen import PostgresSeenEvents
from domain.events.catalogue import STREAMS
from domain.events.problems import RefusedEvent
from eventlog.intake.framing import Item
from eventlog.intake.intake import Ingest
from eventlog.intake.json_mapping import from_json
from eventlog.intake.quarantine import Entry
from eventlog.intake.repair import Change, repaired
from eventlog.publish.publisher import Publisher

EVENT = json.dumps(
    {
        "message_type": "config_event",
        "event_id": "e1",
        "company_id": "acme",
        "timestamp": 1_760_000_000_000,
        "payload": {"topic": "dashboard.renamed", "aggregate_id": "d", "body": "{}"},
    }
).encode()


def entry(door: str) -> Entry:
    """An entry of the quarantine that came in there."""
    return Entry(
        1, datetime(2026, 1, 1, tzinfo=UTC), "c", "r", "", None, None, None, None, door, 1, "", "", "waiting", 0
    )


async def test_a_door_sets_aside_what_only_this_service_publishes(database_url: str) -> None:
    """Whoever could publish configuration events could command."""
    log = EmbeddedLog(database_url)
    await log.create_topics(dict.fromkeys(STREAMS, 1))
    quarantine, seen, publisher = (
        PostgresQuarantine(database_url),
        PostgresSeenEvents(database_url),
        Publisher(log, stamp=False),
    )

    async def items() -> AsyncIterator[list[Item]]:
        yield [Item(1, EVENT)]

    outcome = await Ingest(publisher, quarantine, seen).take(items(), from_json, door="http")
    assert [reason.code for reason in outcome.reasons] == ["reserved_type"]
    assert (await log.heads("config-events")) == {0: 0}
    for opened in (publisher, quarantine, seen, log):
        await opened.close()


def test_what_lay_in_the_log_is_replayed_and_what_a_door_refused_is_not() -> None:
    """A parked event of a newer release must be able to come back."""
    assert repaired(entry("log"), EVENT, Change()).topic == "config-events"
    with pytest.raises(RefusedEvent, match="this service alone"):
        repaired(entry("http"), EVENT, Change())
