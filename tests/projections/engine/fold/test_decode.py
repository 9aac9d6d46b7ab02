"""Decoding: with some fields alone, payloads give what they give as a whole."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.events.catalogue import CATALOGUE, EventType
from domain.events.field_rules import double_of
from projections.engine.fold.decode import decode_facts
from tests.support.any_event import envelopes
from tests.support.examples import examples

PLACE = ["_row", "_item"]


@pytest.mark.share(3)
@pytest.mark.parametrize("event", CATALOGUE, ids=lambda event: event.name)
@settings(max_examples=examples(12), deadline=None)
@given(data=st.data())
def test_some_fields_are_decoded_as_all_of_them_are(event: EventType, data: st.DataObject) -> None:
    """Any of them, in both forms, beside bytes that are no payload; what is asked of another type is not there."""
    drawn = data.draw(st.lists(envelopes(event), min_size=1, max_size=8))
    batch = drawn[0].message_type != event.name
    given_ = [e.payload for e in drawn if (e.message_type != event.name) == batch]
    payloads = pl.Series([*given_, b"\xff\xff"], dtype=pl.Binary)
    fields_by_name = event.message.DESCRIPTOR.fields_by_name
    names = [name for name in fields_by_name if double_of(name) not in fields_by_name]  # texts are in their decimals
    fields = data.draw(st.sets(st.sampled_from(names)))
    whole = decode_facts(event, batch=batch, payloads=payloads)
    some = decode_facts(event, batch=batch, payloads=payloads, fields=fields | {"elsewhere"})
    assert some.facts.select(*sorted(fields), *PLACE).equals(whole.facts.select(*sorted(fields), *PLACE))
    assert some.bad == whole.bad == [len(given_)]
    assert some.facts.height == whole.facts.height
