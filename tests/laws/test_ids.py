"""An event id is unique in its tenant and producer: the same id again is a repeat where it says the same, else bad."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from contextlib import closing

import grpc
import httpx
import psycopg
import pytest
from analytics.user_analytics_pb2 import UserEvent
from common.envelope_pb2 import AnalyticsProcessingEnvelope
from google.protobuf import json_format
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from services import operations_pb2 as operations
from services.analytics_service_pb2_grpc import AnalyticsServiceStub

from adapters.postgres.read_models.projection_store import PostgresProjectionStore
from domain.errors import Fenced
from domain.events.catalogue import BY_NAME
from eventlog.publish.event import Event
from eventlog.publish.record import record_of
from projections.engine.declare.registry import projection
from projections.engine.fold.admission import Admission, Records
from projections.engine.project.cohort import Cohort
from tests.laws.test_folds import NewDatabase
from tests.laws.test_rebuild import compared, rebuilt
from tests.projections.harness import Log, Logged, ReadModels, chunks_of, split
from tests.support.examples import examples
from tests.support.instance import Instance

AT = 1_760_000_000_000
SLOW = settings(max_examples=examples(5), deadline=None, suppress_health_check=list(HealthCheck))
CODE = "conflicting_duplicate"
ACTIVITY = projection("user_activity")


def click(event_id: str, company: str, producer: str, user: str = "u1", page: str = "/") -> AnalyticsProcessingEnvelope:
    """A good event; the producer's name is its id where it begins with an i, else its service."""
    envelope = AnalyticsProcessingEnvelope(
        message_type="user_event",
        company_id=company,
        user_id=user,
        timestamp=AT,
        event_id=event_id,
        payload=UserEvent(name="click", page=page).SerializeToString(),
    )
    setattr(envelope, "producer_id" if producer.startswith("i") else "service_source", producer)
    return envelope


def name_of(event: AnalyticsProcessingEnvelope) -> tuple[str, str, str]:
    """What it is known by: its tenant, its producer and its id."""
    return event.company_id, event.producer_id or event.service_source, event.event_id


def logged(envelopes: Sequence[AnalyticsProcessingEnvelope]) -> list[Logged]:
    """The events as the content of a log."""
    return Log().append(Event.of(each, record_of(each, BY_NAME[each.message_type])) for each in envelopes)


def quarantined(url: str) -> dict[tuple[str, int, int], str]:
    """Codes of what was set aside, by place."""
    with psycopg.connect(url) as connection:
        rows = connection.execute('SELECT topic, partition, "offset", code FROM quarantine').fetchall()
    return {(topic, partition, offset): code for topic, partition, offset, code in rows}


EVENTS = st.builds(
    click,
    st.sampled_from(["1", "2"]),
    st.sampled_from(["acme", "globex"]),
    st.sampled_from(["bot", "id"]),
    st.sampled_from(["u1", "u2", "u3"]),
    st.sampled_from(["/", "/a"]),
)


@SLOW
@given(events=st.lists(EVENTS, max_size=30), sizes=st.lists(st.integers(1, 9), min_size=1, max_size=3))
def test_each_id_of_a_producer_counts_once_with_one_content(
    new_database: NewDatabase, events: list[AnalyticsProcessingEnvelope], sizes: list[int]
) -> None:
    """Whatever the batches and the partitions: what says otherwise waits in quarantine; a rebuild comes to the same."""
    url, records = new_database(), logged(events)
    models = ReadModels(url, [ACTIVITY])
    for batch in split(records, sizes):
        models.fold(batch)
        models.restart()
    aside, counted = quarantined(url), dict[tuple[str, str, str], set[tuple[str, str]]]()
    for event, record in zip(events, records, strict=True):
        if (record.topic, record.partition, record.offset) not in aside:
            said = (event.user_id, UserEvent.FromString(event.payload).page)
            counted.setdefault(name_of(event), set()).add(said)
    assert set(aside.values()) <= {CODE}
    assert all(len(contents) == 1 for contents in counted.values())
    assert counted.keys() == {name_of(event) for event in events}
    for company, number in asyncio.run(events_of_companies(models)).items():
        assert number == sum(key[0] == company for key in counted)
    comparison = compared(url, ACTIVITY, asyncio.run(rebuilt(url, ACTIVITY, records, 2, 3)))
    assert comparison is not None
    assert comparison.differences == ()


async def events_of_companies(models: ReadModels) -> dict[str, int]:
    """How many events count."""
    try:
        rows = {company: await models.rows("user_activity", company) for company in ("acme", "globex")}
        return {company: sum(row["events"] for row in found) for company, found in rows.items()}
    finally:
        await models.close()


def test_of_two_workers_that_admit_an_id_at_once_one_decides_again(read_models_url: str) -> None:
    """They have other partitions; neither sees what the other has not stored. Nothing of the second is written."""
    records = logged([click("1", "acme", "bot", user) for user in ("u1", "u2", "u3", "u4", "u5", "u6")])
    one, two = records[0], next(r for r in records if r.partition != records[0].partition)
    models = ReadModels(read_models_url, [ACTIVITY])
    with closing(PostgresProjectionStore(read_models_url)) as store:
        chunks = chunks_of([two])
        progress = store.progress(two.topic, [two.partition], [ACTIVITY])
        facts, admitted = Admission(two.topic, store.admitted_before, {}).decide(Records.of(chunks))
        models.fold([one])
        with pytest.raises(Fenced):
            store.commit(Cohort([ACTIVITY], dict(progress.admission)).commit(two.topic, chunks, facts, admitted))
    models.fold([two])
    models.store.close()
    assert quarantined(read_models_url) == {(two.topic, two.partition, two.offset): CODE}


def over_http(instance: Instance, company: str, events: Sequence[AnalyticsProcessingEnvelope]) -> tuple[int, ...]:
    """Accepted, duplicates, quarantined."""
    headers = {
        "Authorization": f"Bearer {instance.token('service', company)}", "Content-Type": "application/x-ndjson"
    }  # fmt: skip
    lines = "".join(json.dumps(json_format.MessageToDict(event)) + "\n" for event in events)
    answer = httpx.post(f"{instance.addresses['command_api']}/api/v1/events", content=lines, headers=headers).json()
    assert {reason["code"] for reason in answer["reasons"]} <= {CODE}, answer
    return answer["accepted"], answer["duplicates"], answer["quarantined"]


def over_grpc(instance: Instance, company: str, events: Sequence[AnalyticsProcessingEnvelope]) -> tuple[int, ...]:
    """Accepted, duplicates, quarantined."""
    metadata = (("authorization", f"Bearer {instance.token('service', company)}"),)
    with grpc.insecure_channel(instance.addresses["grpc"]) as channel:
        requests = iter([operations.PublishRequest(events=events)])
        answer = AnalyticsServiceStub(channel).Publish(requests, metadata=metadata)
    assert {reject.code for reject in answer.rejects} <= {CODE}, answer
    return answer.accepted, answer.duplicates, answer.quarantined


def out_of_a_file(instance: Instance, company: str, events: Sequence[AnalyticsProcessingEnvelope]) -> tuple[int, ...]:
    """Accepted, duplicates, quarantined."""
    path = instance.folder.parent / f"{company}.ndjson"
    path.write_text("".join(json.dumps(json_format.MessageToDict(event)) + "\n" for event in events))
    answer = json.loads(instance.command("ingest", str(path), "--json").stdout.strip().splitlines()[-1])
    return answer["accepted"], answer["duplicates"], answer["quarantined"]


DOORS = (over_http, over_grpc, out_of_a_file)
COMPANIES, PRODUCERS = ("ids-one", "ids-two"), ("bot", "id")


def events_of(company: str, page: str) -> Iterator[AnalyticsProcessingEnvelope]:
    """Each producer's, with the same ids."""
    for producer in PRODUCERS:
        for number in range(3):
            yield click(f"{number}", company, producer, f"u{number}", page)


def test_ids_are_of_a_tenant_and_a_producer_at_every_door(instance: Instance) -> None:
    """Of two tenants and two producers that have the same ids everything counts; again through any door it is a repeat,
    and what says otherwise waits in quarantine, whether the projectors have seen the first or not.
    """
    for company, door in zip(COMPANIES, DOORS, strict=False):
        assert door(instance, company, list(events_of(company, "/"))) == (6, 0, 0)
        assert door(instance, company, [*events_of(company, "/"), *events_of(company, "/other")]) == (0, 6, 6)
    assert instance.command("projections", "wait").exit_code == 0
    for company in COMPANIES:
        for door in DOORS:
            assert door(instance, company, [*events_of(company, "/"), *events_of(company, "/else")]) == (0, 6, 6)
        waiting = instance.answer("quarantine", "list", "--company", company, "--json")
        assert {entry["code"] for entry in waiting} == {CODE}
        with instance.client("viewer", company) as client:
            rows = client.get("/api/v1/query/user_activity", params={"company": company}).json()["rows"]
        assert [row["events"] for row in rows] == [6]
        replayed = instance.command("quarantine", "replay", str(waiting[0]["id"]))
        assert replayed.exit_code != 0, replayed.output
        assert CODE in replayed.output
