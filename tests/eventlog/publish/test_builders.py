"""The typed builders."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from common.envelope_pb2 import DataClassification
from trading.trading_signals_pb2 import LONG, TradingResult, TradingResultBatch

from domain.errors import Invalid
from domain.events.catalogue import CATALOGUE
from domain.events.problems import Code, RefusedEvent
from eventlog.publish import builders
from eventlog.publish.event import Event
from eventlog.publish.signatures import FILE, signatures
from tests.eventlog.publish.samples import trade
from tests.support.closed_trades import NOON, closed_trade


def test_there_is_a_builder_for_every_event_and_every_batch() -> None:
    """The catalogue and the builders name the same events."""
    names = {k.name for k in CATALOGUE} | {k.batch_name for k in CATALOGUE if k.batch is not None}
    assert set(builders.BUILDERS) == names


def test_the_signatures_are_those_of_the_messages() -> None:
    """builders.pyi is what `python -m eventlog.publish.signatures` writes now."""
    assert FILE.read_text(encoding="utf-8") == signatures()


def test_a_builder_fills_envelope_and_payload() -> None:
    """Enums by name, the event time as timestamp, an event id where none is given."""
    event = closed_trade(correlation_id="c-1", data_class="personal")
    envelope = event.envelope
    assert (envelope.timestamp, envelope.correlation_id, len(envelope.event_id)) == (NOON, "c-1", 36)
    assert envelope.data_class == DataClassification.PERSONAL
    assert TradingResult.FromString(envelope.payload).side == LONG
    assert event.record.key == b"acme:u1"
    assert event.record.headers["message_type"] == b"trading_result"


def test_a_batch_builder_takes_messages() -> None:
    """The timestamp of a batch is its latest event time."""
    items = [TradingResult.FromString(trade(name).envelope.payload) for name in ("t1", "t2")]
    items[1].closed_at += 5
    envelope = builders.trading_result_batch(company_id="acme", user_id="u1", items=items).envelope
    assert envelope.timestamp == NOON + 5
    assert list(TradingResultBatch.FromString(envelope.payload).items) == items


@pytest.mark.parametrize(
    ("build", "code"),
    [
        (lambda: trade(company_id="a b"), Code.BAD_COMPANY),
        (lambda: trade(user_id=""), Code.MISSING_FIELD),
        (lambda: trade(trade_id="x" * 5_000), Code.BAD_TEXT),
        (lambda: builders.BUILDERS["payment"](company_id="acme", kind="nothing"), Code.WRONG_TYPE),
        (lambda: builders.BUILDERS["payment"](company_id="acme", nothing_known=1), Code.WRONG_TYPE),
    ],
)
def test_a_bad_event_is_refused_where_it_is_made(build: Callable[[], Event], code: Code) -> None:
    """The builder raises an Invalid with the code."""
    with pytest.raises(Invalid) as refused:
        build()
    assert isinstance(refused.value, RefusedEvent)
    assert refused.value.code == code
