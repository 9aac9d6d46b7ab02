"""What is lost to live windows, and what their followers hear of it; what is a repeat, and what is not."""

from __future__ import annotations

import pytest

from projections.engine.live.folding import Envelopes, FoldedFacts, fold_events
from projections.engine.live.question import ViewQuestion
from projections.engine.live.view import moment
from projections.engine.live.watermark import GRACE, IDLE
from projections.engine.live.windows import LiveWindows
from tests.projections.engine.live.test_windows import BEGIN, FOREVER, MINUTE, PROJECTION, Lane, total, trade


def test_an_event_that_cannot_be_folded_is_lost_alone_and_its_tenant_hears_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A fold is code, and may fail: what came with such an event counts, and its minute is partial until durable."""
    lane = Lane()

    def failing(topic: str, envelopes: Envelopes, first: int) -> FoldedFacts:
        if any(b"POISON" in envelope.payload for envelope in envelopes):
            raise ArithmeticError("no fold for this")
        return fold_events(topic, envelopes, first)

    monkeypatch.setattr("projections.engine.live.arrivals.fold_events", failing)
    lane.follow()
    lane.follow(company="globex")
    others = [trade(BEGIN + 1_000, 1, number=number) for number in range(5)]
    lane.take(trade(BEGIN, 2, company="globex"), *others, trade(BEGIN, 7, number=9, symbol="POISON"))
    newest = {message["company"]: message for message in lane.said if message["start"] == moment(BEGIN)}
    assert (total(newest["acme"]), newest["acme"]["partial_reasons"]) == ((5, "5"), ["gap"])
    assert (total(newest["globex"]), newest["globex"]["partial"]) == ((1, "2"), False)
    assert lane.windows.figures()["failed"] == 1
    lane.at(BEGIN + MINUTE + GRACE + IDLE)
    minute, whole = BEGIN // MINUTE, Lane()
    monkeypatch.undo()
    whole.take(*others, trade(BEGIN, 7, number=9, symbol="POISON"))
    (pending,) = [p for p in lane.windows.pending({PROJECTION: FOREVER}, lane.now) if p.company == "acme"]
    lane.windows.settle(pending, {minute: whole.windows.panes("acme", "trading")[minute].rows}, lane.now)
    lane.say()
    last = [m for m in lane.said if m["company"] == "acme" and m["start"] == moment(BEGIN)][-1]
    assert (last["kind"], last["partial"], total(last)) == ("durable", False, (6, "12"))


def test_who_heard_of_a_minute_from_another_process_hears_how_it_ends() -> None:
    """It was final, perhaps, before the process was killed: the next one says it durable, late events included."""
    minute, lane = BEGIN // MINUTE, Lane(now=BEGIN + 8 * MINUTE)
    lane.windows = LiveWindows(lane.now)
    lane.windows.follow(ViewQuestion("acme", "trading"), lane.now, FOREVER, minute)
    first, late = trade(BEGIN + 1_000, 5), trade(BEGIN + 2_000, 7, number=1)
    for messages, value in (([first], (1, "5")), ([first, late], (2, "12"))):
        whole = Lane()
        whole.take(*messages)
        lane.take(*messages[1:])
        (pending,) = lane.windows.pending({PROJECTION: FOREVER}, lane.now)
        lane.windows.settle(pending, {minute: whole.windows.panes("acme", "trading")[minute].rows}, lane.now)
        lane.say()
        assert total(lane.newest(BEGIN)) == value
    assert lane.kinds(BEGIN) == ["durable"]


def test_ids_are_of_their_producers_in_live_windows() -> None:
    """Another producer's event of the same id counts; one of the same producer that says otherwise does not."""
    lane = Lane()
    lane.follow()
    for source, pnl, trade_id in (("a", 5, "t1"), ("b", 7, "t2"), ("a", 9, "t3"), ("b", 7, "t2")):
        lane.take(trade(BEGIN + 1_000, pnl, source=source, trade_id=trade_id))
    assert total(lane.newest(BEGIN)) == (2, "12")
