"""Admission: what counts, what is left out, what is set aside — as columns exactly as one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from analytics import user_analytics_pb2 as users
from analytics.business_events_pb2 import SubscriptionEvent
from common.envelope_pb2 import AnalyticsProcessingEnvelope
from google.protobuf.message import Message
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from trading.trading_signals_pb2 import MarketBar, MarketBarBatch

from domain.events.catalogue import EARLIEST, LATEST, MAX_ID, SECONDS, STREAMS
from domain.events.field_rules import ENVELOPE, FieldRule, Form
from domain.events.identity import content, earlier_identity, identity
from domain.events.validation import judge
from domain.ports import Chunk
from eventlog.read import until
from projections.engine.fold.admission import Admission, Records
from projections.engine.store.port import Admitted
from tests.support.any_event import damaged
from tests.support.examples import examples

TOPIC = "user-behavior"
TAKEN = 1_760_000_000_000
NO_ITEMS = b"\x08\x02"  # a batch by its type, whose only field is of another


def chunk(values: Sequence[bytes], partition: int = 0, start: int = 0) -> Chunk:
    """Consecutive records of one partition."""
    stop = start + len(values)
    return Chunk(partition, range(start, stop), values, stop, 0, stop)


def event(number: int, *, seq: int = 0, producer: str = "", user: str = "u1", company: str = "acme") -> bytes:
    """A good user event, stamped where a producer is given."""
    return AnalyticsProcessingEnvelope(
        message_type="user_event",
        company_id=company,
        user_id=user,
        timestamp=1_760_000_000_000 + number,
        event_id=f"e{number}",
        producer_id=producer,
        producer_seq=seq,
        payload=users.UserEvent(name="click").SerializeToString(),
    ).SerializeToString()


class Memory:
    """What a store would remember of decisions."""

    def __init__(self) -> None:
        self.identities: dict[bytes, int] = {}
        self.highest: dict[tuple[int, str, str], int] = {}

    def known(self, identities: Sequence[bytes]) -> dict[bytes, int | None]:
        return {i: self.identities[i] for i in identities if i in self.identities}

    def keep(self, admitted: Admitted) -> None:
        self.identities.update((i.identity, i.content) for i in admitted.identities)
        self.highest.update(admitted.highest)


def decide(memory: Memory, values: Sequence[bytes], start: int = 0) -> Admitted:
    """Decide on a batch as a fresh worker would, and keep the decision."""
    admission = Admission(TOPIC, memory.known, memory.highest)
    _, admitted = admission.decide(Records.of([chunk(values, start=start)]))
    memory.keep(admitted)
    return admitted


@pytest.mark.parametrize("stream", STREAMS)
@settings(max_examples=examples(30), deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_columns_judge_as_validation_does(stream: str, data: st.DataObject) -> None:
    """The engine sets aside exactly the events that `domain.events.validation` finds bad, with its code and item."""
    raw = data.draw(st.lists(damaged(stream), min_size=1, max_size=12))
    _, admitted = Admission(stream, lambda _ids: {}, {}).decide(Records.of([chunk(raw)]))
    expected = {i: p for i, value in enumerate(raw) if (p := judge(value, stream)) is not None}
    found = {b.offset: (b.code, b.item) for b in admitted.quarantined}
    assert found == {i: (p.code, p.item) for i, p in expected.items()}
    assert all(b.raw == raw[b.offset] for b in admitted.quarantined)


AT_THE_BOUNDS = {
    Form.COMPANY: ("", "a" * 64, "a" * 65, "a b", "a\n", "acme"),
    Form.TIME: (-1, 0, 1, EARLIEST - 1, EARLIEST, *SECONDS, LATEST - 1, LATEST),
    Form.SEQUENCE: (0, 2**63 - 1, 2**63, 2**64 - 1),
    Form.TEXT: ("", "u", "n\0l", "z" * MAX_ID, "z" * (MAX_ID + 1), "é" * (MAX_ID // 2), "é" * (MAX_ID // 2) + "z"),
}


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_envelopes_at_the_bounds_of_their_rules_are_judged_alike(data: st.DataObject) -> None:
    """Each rule of the envelope is drawn around its bound, several at once: columns and judge name the same fault."""
    payload = users.UserEvent(name="click").SerializeToString()
    raw = []
    for _ in range(8):
        envelope = AnalyticsProcessingEnvelope(message_type="user_event", payload=payload)
        for rule in ENVELOPE:
            setattr(envelope, rule.name, data.draw(st.sampled_from(AT_THE_BOUNDS[rule.form])))
        raw.append(envelope.SerializeToString())
    _, admitted = Admission(TOPIC, lambda _ids: {}, {}).decide(Records.of([chunk(raw)]))
    judged = {place: problem.code for place, value in enumerate(raw) if (problem := judge(value, TOPIC)) is not None}
    assert {bad.offset: bad.code for bad in admitted.quarantined} == judged


@pytest.mark.parametrize("rule", ENVELOPE, ids=lambda rule: rule.name)
def test_every_rule_of_the_envelope_sets_an_event_aside(rule: FieldRule) -> None:
    """Broken alone, each is found by the columns, with the field in the reason."""
    broken = {Form.COMPANY: "a b", Form.TIME: -1, Form.SEQUENCE: 2**63, Form.TEXT: "z" * (MAX_ID + 1)}[rule.form]
    envelope = AnalyticsProcessingEnvelope.FromString(event(1, producer="p"))
    setattr(envelope, rule.name, broken)
    (bad,) = decide(Memory(), [event(0), envelope.SerializeToString()]).quarantined
    assert bad.offset == 1
    assert bad.reason.startswith(rule.name)


@given(sizes=st.lists(st.integers(0, 3), min_size=1, max_size=8))
def test_every_fact_has_the_envelope_that_it_came_in(sizes: list[int]) -> None:
    """Whatever batches hold that came together: one that holds none is set aside, and takes nothing along."""
    raw, expected = [], []
    for number, size in enumerate(sizes):
        done = [users.UserEvent(name="click", feature=f"{number}-{item}") for item in range(size)]
        company, payload = f"company{number}", users.UserEventBatch(items=done).SerializeToString() or NO_ITEMS
        envelope = AnalyticsProcessingEnvelope(
            message_type="user_event_batch", company_id=company, user_id="u", timestamp=TAKEN, payload=payload
        )
        raw.append(envelope.SerializeToString())
        expected += [(company, f"{number}-{item}") for item in range(size)]
    facts, admitted = Admission(TOPIC, lambda _ids: {}, {}).decide(Records.of([chunk(raw)]))
    assert [bad.offset for bad in admitted.quarantined] == [number for number, size in enumerate(sizes) if not size]
    found = facts["user_event"].select("company_id", "feature").rows() if any(sizes) else []
    assert found == expected


def test_a_foreign_event_is_admitted_once_in_a_batch_and_across_batches() -> None:
    """The same event_id of the same tenant and producer counts once; of another producer it is another event."""
    memory = Memory()
    first = decide(memory, [event(1), event(1), event(2), event(1, producer="other"), event(1, company="globex")])
    assert (first.admitted, list(first.duplicates)) == (4, [(0, 1)])
    second = decide(memory, [event(2), event(3)], start=5)
    assert (second.admitted, list(second.duplicates)) == (1, [(0, 5)])


def test_an_id_that_was_taken_is_no_name_for_something_else() -> None:
    """In the same batch and in a later one; the first of them counts, and no stamp is needed to tell."""
    memory = Memory()
    first = decide(memory, [event(1), event(1, user="u2"), event(2, producer="p", seq=1)])
    second = decide(memory, [event(1, user="u3"), event(1), event(2, producer="p", seq=2, user="u2")], start=3)
    assert [(b.offset, b.code) for b in (*first.quarantined, *second.quarantined)] == [
        (1, "conflicting_duplicate"),
        (3, "conflicting_duplicate"),
    ]
    assert (first.admitted, second.admitted, list(second.duplicates)) == (2, 1, [(0, 4)])


def test_what_says_the_same_is_the_same_however_it_is_written() -> None:
    """Fields in another order, sent at another time where the payload has its own, by another request."""
    bar = MarketBar(symbol="AAPL", interval="1m", start=TAKEN, open=1, high=1, low=1, close=1)
    fields = bar.SerializeToString()
    turned = fields[6:] + fields[:6]  # the symbol last
    assert turned != fields
    assert MarketBar.FromString(turned) == bar
    one, two = (content("market_bar", "", at, payload) for at, payload in ((TAKEN, fields), (TAKEN + 1, turned)))
    assert one == two
    click, labels = users.UserEvent(name="click"), [("a", "1"), ("b", "2")]
    contents = set()
    for order in (labels, labels[::-1]):
        click.properties.clear()
        click.properties.update(order)
        contents.add(content("user_event", "u1", TAKEN, click.SerializeToString()))
    assert len(contents) == 1
    assert content("user_event", "u1", TAKEN + 1, click.SerializeToString()) not in contents


def test_what_an_earlier_release_took_is_a_repeat() -> None:
    """It was known by its stream, company and user, and nothing is known of what it said."""
    taken = {earlier_identity(TOPIC, b"acme:u1", "e1"): None}
    admission = Admission(TOPIC, lambda ids: {i: taken[i] for i in ids if i in taken}, {}, earlier=True)
    _, admitted = admission.decide(Records.of([chunk([event(1), event(2)])]))
    assert (admitted.admitted, list(admitted.duplicates)) == (1, [(0, 0)])


def test_a_stamped_event_is_admitted_by_rising_sequence() -> None:
    """A repeated or lower sequence of a producer is a duplicate, also when a later batch or worker meets it."""
    memory = Memory()
    first = decide(memory, [event(i, producer="p", seq=s) for i, s in enumerate([1, 2, 2, 5, 3])])
    assert list(first.duplicates) == [(0, 2), (0, 4)]
    assert memory.highest == {(0, "acme", "p"): 5}
    second = decide(memory, [event(9, producer="p", seq=5), event(10, producer="p", seq=6)], start=5)
    assert list(second.duplicates) == [(0, 5)]


def test_stamps_are_of_a_tenant() -> None:
    """Two tenants may call their producers alike; what was stored before stamps had a company holds for both."""
    memory = Memory()
    first = decide(
        memory, [event(1, producer="p", seq=9, company="acme"), event(2, producer="p", seq=3, company="beta")]
    )
    assert (first.admitted, list(first.duplicates)) == (2, [])
    second = decide(memory, [event(3, producer="p", seq=4, company=c) for c in ("acme", "beta")], start=2)
    assert list(second.duplicates) == [(0, 2)]
    memory.highest[0, "", "old"] = 5
    third = decide(memory, [event(seq, producer="old", seq=seq) for seq in (5, 6)], start=4)
    assert list(third.duplicates) == [(0, 4)]


def ahead(kind: str, payload: Message, timestamp: int = TAKEN) -> bytes:
    """An event with these times."""
    return AnalyticsProcessingEnvelope(
        message_type=kind, company_id="acme", user_id="u1", timestamp=timestamp, payload=payload.SerializeToString()
    ).SerializeToString()


def test_events_of_the_future_are_set_aside_by_the_time_at_which_the_log_took_them() -> None:
    """More than 24 hours ahead, in the envelope or a fact of a batch, by the time of each record's own append, so that
    it does not matter how the log is cut into reads. What takes effect later is no event of the future.
    """
    day = 86_400_000
    far = TAKEN + day + 1
    bars = MarketBarBatch(
        items=[
            MarketBar(symbol="A", interval="1d", start=at, open=1, high=1, low=1, close=1)
            for at in (TAKEN, TAKEN + day, far)
        ]
    )
    values = [
        ahead("user_event", users.UserEvent(name="click"), far),
        ahead("user_event", users.UserEvent(name="click"), TAKEN + day),
        ahead("user_event", users.UserEvent(name="click"), far),
    ]
    chunks = [replace(chunk(values), taken=[(2, TAKEN), (1, TAKEN + 1)])]
    for cut in (chunks, [until(chunks[0], 1)]):
        _, admitted = Admission(TOPIC, Memory().known, {}).decide(Records.of(cut))
        assert [(b.offset, b.code) for b in admitted.quarantined] == [(0, "in_the_future")]
    _, admitted = Admission("trading-events", Memory().known, {}).decide(
        Records.of([replace(chunk([ahead("market_bar_batch", bars)]), appended_at=TAKEN)])
    )
    assert [(b.item, b.code) for b in admitted.quarantined] == [(2, "in_the_future")]
    later = SubscriptionEvent(event="STARTED", customer_id="c", subscription_id="s", effective_at=4 * 10**12)
    _, admitted = Admission("business-events", Memory().known, {}).decide(
        Records.of([replace(chunk([ahead("subscription", later)]), appended_at=TAKEN)])
    )
    assert (admitted.admitted, admitted.quarantined) == (1, [])


def test_times_in_seconds_are_refused_with_a_hint() -> None:
    """They would be of January 1970, without a word."""
    _, admitted = Admission(TOPIC, Memory().known, {}).decide(
        Records.of([chunk([ahead("user_event", users.UserEvent(name="click"), TAKEN // 1000)])])
    )
    assert [b.code for b in admitted.quarantined] == ["bad_time"]
    assert "in seconds" in admitted.quarantined[0].reason


def test_a_batch_not_yet_stored_is_remembered() -> None:
    """While a batch is being stored the next one already knows its identities; after that the store does."""
    memory = Memory()
    admission = Admission(TOPIC, memory.known, {})
    _, one = admission.decide(Records.of([chunk([event(1)])]))
    _, two = admission.decide(Records.of([chunk([event(1)], start=1)]))
    assert list(two.duplicates) == [(0, 1)]
    memory.keep(one)
    admission.stored(one)
    _, three = admission.decide(Records.of([chunk([event(1)], start=2)]))
    assert list(three.duplicates) == [(0, 2)]


def test_a_batch_that_is_stored_while_the_next_is_decided_is_remembered() -> None:
    """The commit may end just after the store was asked: the identity must not fall between the two memories."""

    def known(identities: Sequence[bytes]) -> dict[bytes, int | None]:
        snapshot = memory.known(identities)
        for admitted in stored:
            memory.keep(admitted)
            admission.stored(admitted)
        return snapshot

    memory, stored = Memory(), list[Admitted]()
    admission = Admission(TOPIC, known, {})
    stored.append(admission.decide(Records.of([chunk([event(1)])]))[1])
    _, two = admission.decide(Records.of([chunk([event(1)], start=1)]))
    assert list(two.duplicates) == [(0, 1)]


def test_a_bad_event_does_not_take_the_identity_of_a_good_one() -> None:
    """Validity comes first: a broken event with the same id leaves room for the good one."""
    broken = AnalyticsProcessingEnvelope.FromString(event(1))
    broken.payload = users.UserEvent().SerializeToString()
    admitted = decide(Memory(), [broken.SerializeToString(), event(1)])
    assert [b.code for b in admitted.quarantined] == ["missing_field"]
    assert admitted.admitted == 1
    assert admitted.identities[0].identity == identity("acme", "", "e1")
