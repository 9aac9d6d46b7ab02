"""Two companies that publish the same of everything with the same ids, and one that does so with ids of its own.

But for its own name each must be answered the same, at every door: what here is compared, and how.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import grpc
import httpx
from common.envelope_pb2 import AnalyticsProcessingEnvelope
from google.protobuf import json_format
from services import operations_pb2 as operations
from services.analytics_service_pb2_grpc import AnalyticsServiceStub

from projections.engine.declare.registry import all_registered
from tests.laws.matrix.test_two_tenants import envelopes as events_of
from tests.laws.matrix.test_two_tenants import everybody
from tests.support.instance import Instance
from tests.support.needed import needed_by

# of one length, and alike in order: what is sorted by them is sorted alike
COMPANIES = {"twintwo": "same", "twinone": "same", "lonelyo": "solo"}
# where something lies in the log, how new an answer is, and what is made anew for each
SHARED = frozenset(
    (
        *("position", "as_of", "complete", "lag_ms", "cursor", "topic", "partition", "offset", "scanned"),
        *("correlation_id", "correlationId", "trace_context", "traceContext"),
        "token",
    )
)
# ids that were made, and moments of this test: the events are of 2025
MADE = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    r"|\bquarantine-\d+|20(?:2[6-9]|[3-9]\d)-\d\d-\d\dT[\d:.]+Z|\b1(?:7[7-9]|[89]\d)\d{10}\b"
)
PERIOD = {"from": "2025-10-01", "to": "2025-11-01"}
BODIES: Mapping[str, dict[str, object]] = {
    "dashboard/config": {"name": "the same", "sharing": {"audience": "company"}},
    "company/profile": {"name": "the same"},
    "alerts/config": {
        "name": "the same",
        "trigger": {
            "watched": {"kind": "metric", "key": "win_rate"},
            "condition": {"kind": "threshold", "compare": "below", "value": "0.4"},
        },
    },
    "reports/schedule": {
        "name": "the same", "report": {"kind": "executive"}, "timing": {"cron": "0 7 * * mon"},
    },
}  # fmt: skip


def events(company: str) -> list[AnalyticsProcessingEnvelope]:
    """Its events, stamped by a producer that calls itself the same."""
    found = list(events_of(COMPANIES[company]))
    for number, event in enumerate(found, 1):
        event.company_id = company
        event.producer_id, event.producer_seq = f"{COMPANIES[company]}-bot", number
    return found


def published(instance: Instance, company: str) -> Iterator[str]:
    """By gRPC with stamps, by HTTP and out of a file; some of it again. The position of each."""
    token = instance.token("service", company)
    first, second, third = (events(company)[part::3] for part in range(3))
    with grpc.insecure_channel(instance.addresses["grpc"]) as channel:
        for some in (first, first[-4:]):
            answer = AnalyticsServiceStub(channel).Publish(
                iter([operations.PublishRequest(events=some)]), metadata=(("authorization", f"Bearer {token}"),)
            )
            assert answer.quarantined == 0, answer.rejects
            yield answer.position
    lines = "".join(json.dumps(json_format.MessageToDict(event)) + "\n" for event in second)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/x-ndjson"}
    for _ in range(2):
        told = httpx.post(f"{instance.addresses['command_api']}/api/v1/events", content=lines, headers=headers)
        assert told.json()["accepted"] + told.json()["duplicates"] == len(second), told.text
        yield told.json()["position"]
    path = Path(instance.folder.parent) / f"{company}.ndjson"
    path.write_text("".join(json.dumps(json_format.MessageToDict(event)) + "\n" for event in third))
    answered = instance.answer("ingest", str(path), "--json")
    assert (answered["accepted"], answered["duplicates"], answered["quarantined"]) == (len(third), 0, 0)
    yield answered["position"]
    for where, body in BODIES.items():
        keyed = {**everybody(instance, company), "Idempotency-Key": f"same-{where[:7]}"}
        address = f"{instance.addresses['command_api']}/api/v1/{where}"
        made = [httpx.post(address, json=body, headers=keyed) for _ in range(2)]
        assert [each.is_success for each in made] == [True, True], made[0].text
        yield str(made[0].json()["position"])


def masked(text: str, company: str) -> Any:
    """An answer without names, places and what is new in each."""
    named = text.replace(company, "COMPANY").replace(f"{COMPANIES[company]}-", "IDS-")
    return _plain(json.loads(MADE.sub(lambda found: "0" if found[0].isdigit() else "MADE", named)))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in sorted(value.items()) if name not in SHARED}
    if isinstance(value, list):
        plain = [_plain(inner) for inner in value]
        # events come by partition, and the hash of a key has the company in it
        of_events = bool(plain) and isinstance(plain[0], dict) and "event_id" in str(plain[0])
        return sorted(plain, key=json.dumps) if of_events else plain
    return value


def asked(name: str, company: str) -> dict[str, str]:
    """Parameters of a query, with the company's ids."""
    query = all_registered()[name]
    names, needed = {param.name for param in query.params}, needed_by(query)
    if "symbol" in needed:
        needed |= {"symbol": f"{COMPANIES[company]}-symbol-0", "interval": "1m"}
    return needed | {name: value for name, value in PERIOD.items() if name in names}


def answers(companies: dict[str, httpx.Client], path: str, params: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What each of them is answered, by company."""
    found = {}
    for company, client in companies.items():
        own = path.replace("IDS-", f"{COMPANIES[company]}-")
        answer = client.get(f"/api/v1{own}", params={**params[company], "company": company})
        assert answer.status_code < 500, answer.text
        found[company] = masked(answer.text, company)
    return found


def same(found: Mapping[str, Any]) -> Any:
    """The answer that all of them got; fails where one got another."""
    assert found["twintwo"] == found["lonelyo"]
    assert found["twinone"] == found["lonelyo"]
    return found["lonelyo"]
