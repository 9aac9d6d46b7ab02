"""Live windows as their messages say them: events shuffled, repeated and delayed, against sums made by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from eventlog.publish.builders import trade_cancelled
from eventlog.publish.record import message_of
from projections.engine.declare.registry import all_windows
from projections.engine.live.question import ViewQuestion
from projections.engine.live.tenant import PATIENCE, SETTLE
from projections.engine.live.view import moment
from projections.engine.live.watermark import GRACE, IDLE, LATE, MOST_AHEAD
from projections.engine.live.widths import WIDTHS
from projections.engine.live.windows import LiveWindows
from tests.support.closed_trades import closed_trade
from tests.support.examples import examples

MINUTE = 60_000
BEGIN = 1_790_002_800_000  # a full hour
TOPIC = "trading-events"
FOREVER = BEGIN * 2
PROJECTION = all_windows()["trading"][0].name
Message = dict[str, Any]


def trade(
    at: int,
    pnl: int,
    *,
    number: int = 0,
    company: str = "acme",
    symbol: str = "AAPL",
    source: str = "",
    trade_id: str = "",
    currency: str = "",
) -> bytes:
    """A closed trade as the bus brings it; `pnl` in whole units."""
    event = closed_trade(
        company_id=company,
        trade_id=trade_id or f"t{at}-{number}",
        symbol=symbol,
        pnl=pnl,
        closed_at=at,
        timestamp=at,
        event_id=f"{company}-{at}-{number}",
        service_source=source,
        currency=currency,
    )
    return message_of(event.record)


@dataclass
class Lane:
    """Live windows with a clock, and all that they said."""

    now: int = BEGIN + 500
    said: list[Message] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.windows = LiveWindows(BEGIN - MINUTE)  # it has listened for a while

    def follow(self, width: str = "1m", by: Sequence[str] = (), company: str = "acme") -> None:
        self.windows.follow(ViewQuestion(company, "trading", width, tuple(by)), self.now, FOREVER)

    def take(self, *messages: bytes) -> None:
        self.windows.take(TOPIC, messages, self.now)
        self.say()

    def at(self, now: int) -> None:
        """Let the clock come to this moment."""
        self.now = now
        self.windows.advance(now)
        self.say()

    def say(self) -> None:
        self.said += [message for _, message in self.windows.messages(self.now)]

    def newest(self, start: int, width: str = "1m") -> Message:
        """The last message of the window that begins then."""
        return [m for m in self.said if m["start"] == moment(start) and m["width"] == width][-1]

    def kinds(self, start: int, width: str = "1m") -> list[str]:
        """What kinds of messages there were of the window, without repetitions."""
        kinds = [str(m["kind"]) for m in self.said if m["start"] == moment(start) and m["width"] == width]
        return [kind for number, kind in enumerate(kinds) if number == 0 or kinds[number - 1] != kind]


def total(message: Message) -> tuple[int, str]:
    """Trades and profit of a message with one row."""
    (row,) = message["rows"]
    return row["total_trades"], row["total_pnl"]


@settings(max_examples=examples(20))
@given(data=st.data())
def test_shuffled_repeated_and_late_events_end_as_the_sum_of_all(data: st.DataObject) -> None:
    """The last message of each window is the sum of its events, `final` came once, sliding is its five minutes."""
    span = 12 * MINUTE
    spec = st.tuples(st.integers(0, span - 1), st.integers(-50, 50), st.integers(0, 9 * MINUTE))
    events = data.draw(st.lists(spec, min_size=1, max_size=60))
    arrivals = sorted((at + delay, number) for number, (at, _, delay) in enumerate(events))
    arrivals += [(when + 1, number) for when, number in data.draw(st.lists(st.sampled_from(arrivals), max_size=20))]
    lane = Lane()
    for width in WIDTHS:
        lane.follow(width)
    for when, number in sorted(arrivals):
        for tick in range(lane.now + 15_000, BEGIN + when, 15_000):
            lane.at(tick)
        lane.now = max(lane.now, BEGIN + when)
        at, pnl, _ = events[number]
        lane.take(trade(BEGIN + at, pnl, number=number))
    for tick in range(lane.now, BEGIN + span + 75 * MINUTE, 15_000):
        lane.at(tick)
    for start, width in windows(span):
        inside = [pnl for at, pnl, _ in events if start <= BEGIN + at < start + WIDTHS[width].length * MINUTE]
        assert total(lane.newest(start, width)) == (len(inside), str(sum(inside))), (start, width)
    finals = Counter((m["start"], m["width"]) for m in lane.said if m["kind"] == "final")
    assert set(finals.values()) == {1}
    assert {(moment(start), width) for start, width in windows(span)} <= set(finals)
    for number in range(8):
        minutes = [total(lane.newest(BEGIN + (number + m) * MINUTE)) for m in range(5)]
        summed = sum(n for n, _ in minutes), str(sum(int(pnl) for _, pnl in minutes))
        assert total(lane.newest(BEGIN + number * MINUTE, "5m/1m")) == summed


def windows(span: int) -> Iterator[tuple[int, str]]:
    """Beginning and width of all windows that begin in so many ms and end while the clock of the test runs."""
    for width in WIDTHS.values():
        for start in range(BEGIN, BEGIN + span, width.every * MINUTE):
            yield start, width.name


def test_a_window_is_early_final_revised_and_durable_in_turn() -> None:
    """A late event replaces what was said; the projection's value counts when it comes, and nothing is added to it."""
    lane = Lane()
    lane.follow()
    first, late = trade(BEGIN + 1_000, 5), trade(BEGIN + 2_000, 7, number=1)
    lane.take(first)
    assert total(lane.newest(BEGIN)) == (1, "5")
    lane.at(BEGIN + MINUTE + GRACE + IDLE)
    lane.take(late)
    assert total(lane.newest(BEGIN)) == (2, "12")
    settle(lane, late, first)
    assert lane.kinds(BEGIN) == ["early", "final", "revised", "durable"]
    assert total(lane.newest(BEGIN)) == (2, "12")
    revisions = [m["revision"] for m in lane.said if m["start"] == moment(BEGIN)]
    assert revisions == list(range(1, len(revisions) + 1))


def settle(lane: Lane, *messages: bytes, minute: int = BEGIN // MINUTE, folded: int = PATIENCE) -> bool:
    """Let the projection have a minute, in which there were these; whether it was asked for that minute."""
    projection = LiveWindows(BEGIN - MINUTE)
    projection.take(TOPIC, messages, lane.now)
    rows = panes[minute].rows if minute in (panes := projection.panes("acme", "trading")) else {}
    through = {PROJECTION: lane.now + folded}
    pending = [a for a in lane.windows.pending(through, lane.now) if minute in a.minutes]
    for one in pending:
        lane.windows.settle(one, {minute: rows}, lane.now)
    lane.say()
    return bool(pending)


def test_the_projections_value_wins_even_if_it_differs_but_not_at_once() -> None:
    """The log may take an event a moment after the bus: the projection is asked again, and then it is right."""
    lane = Lane()
    lane.follow()
    stored = trade(BEGIN + 1_000, 5)
    lane.take(stored, trade(BEGIN + 1_500, 6, number=1))
    lane.at(BEGIN + MINUTE + GRACE + IDLE)
    settle(lane, stored)
    assert total(lane.newest(BEGIN)) == (2, "11")
    lane.at(lane.now + PATIENCE)
    settle(lane, stored)
    assert lane.newest(BEGIN)["kind"] == "durable"
    assert total(lane.newest(BEGIN)) == (1, "5")


def settled_minute() -> tuple[Lane, bytes, bytes]:
    """A lane whose first minute is the projection's, with the trade that it has, and one that comes late."""
    lane = Lane()
    lane.follow()
    first, late = trade(BEGIN + 1_000, 5), trade(BEGIN + 3_000, 9, number=4)
    lane.take(first)
    lane.at(BEGIN + MINUTE + GRACE + IDLE)
    settle(lane, first)
    return lane, first, late


def test_a_late_event_of_a_durable_window_is_asked_of_the_projection() -> None:
    """It is not added to what the projection has, which may count it already."""
    lane, first, late = settled_minute()
    lane.take(late)
    assert total(lane.newest(BEGIN)) == (1, "5")
    assert settle(lane, first, late)
    assert total(lane.newest(BEGIN)) == (2, "14")
    assert lane.kinds(BEGIN)[-1] == "durable"
    assert not settle(lane, first), "a minute that lacks nothing is not asked for again"


def test_what_comes_too_late_is_counted_and_changes_nothing() -> None:
    """`late_share` says how much of a window only the durable value has."""
    lane = Lane()
    lane.follow("1h")
    lane.take(*(trade(BEGIN + n, 1, number=n) for n in range(3)))
    lane.at(BEGIN + MINUTE + LATE + GRACE + IDLE)
    lane.take(trade(BEGIN + 500, 50, number=9))
    message = lane.newest(BEGIN, "1h")
    assert total(message) == (3, "3")
    assert message["late_share"] == 0.25
    assert lane.windows.figures()["late"] == 1


def test_the_watermark_waits_for_the_slowest_source_until_that_is_idle() -> None:
    """Two sources: the window stays open while one of them is behind; silence for ten seconds ends that."""
    lane = Lane()
    lane.follow()
    lane.take(trade(BEGIN + 1_000, 1, source="slow"))
    lane.now = BEGIN + MINUTE + GRACE + 1
    lane.take(trade(BEGIN + 2_000, 1, number=1, source="slow"), trade(lane.now, 1, number=2, source="fast"))
    lane.at(lane.now)
    assert lane.kinds(BEGIN) == ["early"]
    lane.now += IDLE
    lane.take(trade(lane.now, 1, number=3, source="fast"))
    lane.at(lane.now)
    assert lane.kinds(BEGIN) == ["early", "final"]


def test_an_event_from_the_future_never_moves_the_watermark() -> None:
    """It counts in its own minute, which is said when the clock is there; the present stays open."""
    lane = Lane()
    lane.follow()
    ahead = BEGIN + 3 * MINUTE
    lane.take(trade(BEGIN + 1_000, 1), trade(ahead, 7, number=1, source="fast clock"))
    lane.at(lane.now + 1)
    assert lane.kinds(BEGIN) == ["early"]
    assert ahead > lane.now + MOST_AHEAD
    assert not [m for m in lane.said if m["start"] == moment(ahead)]
    lane.at(ahead + 1)
    assert total(lane.newest(ahead)) == (1, "7")


def test_somebody_who_hands_in_old_events_holds_nobody_up() -> None:
    """A source that tells of times long gone is active, and the watermark goes on all the same."""
    lane = Lane()
    lane.follow()
    lane.take(trade(BEGIN + 1_000, 1))
    lane.now = BEGIN + MINUTE + GRACE + 2_000
    lane.take(trade(BEGIN - 60 * MINUTE, 1, number=1, source="archive"), trade(lane.now, 1, number=2))
    lane.at(lane.now)
    assert lane.kinds(BEGIN) == ["early", "final"]


def test_after_a_gap_open_minutes_are_partial_until_the_projection_has_them() -> None:
    """Messages may be missing: the minute says so, and the durable value does not."""
    lane = Lane()
    lane.follow()
    lane.take(trade(BEGIN + 1_000, 1))
    assert not lane.newest(BEGIN)["partial"]
    lane.windows.note_gap(lane.now, lane.now + 2_000)
    lane.at(lane.now + 2_000)
    assert lane.newest(BEGIN)["partial_reasons"] == ["gap"]
    lane.at(BEGIN + MINUTE + GRACE + IDLE)
    settle(lane, trade(BEGIN + 1_000, 1), trade(BEGIN + 1_600, 2, number=1))
    assert not lane.newest(BEGIN)["partial"]
    assert total(lane.newest(BEGIN)) == (2, "3")


def test_a_process_that_begins_within_a_minute_says_that_it_lacks_the_beginning() -> None:
    """After a kill the minute in hand is partial, the next one is right again."""
    lane = Lane(now=BEGIN + 30_000)
    lane.windows = LiveWindows(BEGIN + 30_000)
    lane.follow()
    lane.take(trade(BEGIN + 31_000, 1))
    assert lane.newest(BEGIN)["partial"]
    lane.at(BEGIN + MINUTE)
    lane.take(trade(BEGIN + MINUTE, 2, number=1))
    assert not lane.newest(BEGIN + MINUTE)["partial"]


def test_a_tenant_with_too_many_keys_harms_itself_alone() -> None:
    """What finds no room is counted and told; the neighbour's window stays whole."""
    lane = Lane()
    lane.windows = LiveWindows(BEGIN - MINUTE, most_rows=100)
    lane.follow(company="hostile")
    lane.follow()
    many = [trade(BEGIN + n, 1, number=n, company="hostile", symbol=f"S{n}") for n in range(1_000)]
    lane.take(*many, trade(BEGIN + 1, 4))
    of = {m["company"]: m for m in lane.said}
    assert of["hostile"]["partial_reasons"] == ["too_many_keys"]
    assert total(of["hostile"])[0] == 100
    assert (of["acme"]["partial"], total(of["acme"])) == (False, (1, "4"))
    figures = lane.windows.figures()
    assert figures["refused"] == 900
    assert figures["rows"] == 101


def test_minutes_that_nobody_follows_are_dropped_once_the_projection_has_them() -> None:
    """So memory is that of open minutes, whatever was before; who follows then gets it from the projection."""
    lane = Lane()
    for number in range(5):
        lane.now = BEGIN + number * MINUTE + 500
        lane.take(trade(lane.now, 1, number=number))
        lane.at(lane.now)
        assert lane.windows.pending({PROJECTION: lane.now}, lane.now) == []
    assert lane.windows.figures()["rows"] <= 3
    lane.at(lane.now + 3 * MINUTE)
    assert lane.windows.pending({PROJECTION: lane.now + 2 * SETTLE}, lane.now) == []
    assert (lane.windows.figures()["rows"], lane.windows.figures()["tenants"]) == (0, 0)
    lane.follow("5m/1m")
    lane.at(lane.now)
    assert lane.newest(BEGIN + 2 * MINUTE, "5m/1m")["partial_reasons"] == ["gap"], "the projection was not asked yet"


def test_bad_and_repeated_messages_are_counted_and_do_no_harm() -> None:
    """The log puts bad ones in quarantine; here the good ones around them count."""
    lane = Lane()
    lane.follow()
    good = trade(BEGIN + 1, 5)
    lane.take(b"\xff", good, b"", good)
    lane.take(good)
    assert total(lane.newest(BEGIN)) == (1, "5")
    figures = lane.windows.figures()
    assert (figures["bad"], figures["repeated"], figures["facts"]) == (2, 2, 1)


def test_a_late_event_of_a_minute_that_is_out_of_sight_is_asked_of_the_projection_too() -> None:
    """A view shows its newest minutes, but who follows message by message hears of all that is within ten."""
    lane, first, late = settled_minute()
    lane.at(BEGIN + 9 * MINUTE)
    lane.take(late)
    assert settle(lane, first, late)
    assert total(lane.newest(BEGIN)) == (2, "14")
    assert lane.kinds(BEGIN)[-1] == "durable"


def test_what_the_log_takes_after_the_projection_was_asked_is_asked_for_again() -> None:
    """An event comes while the answer of the projection is under way, or the log is slow: it is not forgotten."""
    lane, first, late = settled_minute()
    lane.take(late)
    assert not settle(lane, first, folded=SETTLE - 1), "the projection cannot have it yet"
    assert settle(lane, first, folded=SETTLE)
    assert total(lane.newest(BEGIN)) == (1, "5"), "the log was slow"
    assert settle(lane, first, late)
    assert total(lane.newest(BEGIN)) == (2, "14")
    assert not settle(lane, first)


def test_a_minute_is_durable_however_long_the_projector_was_away() -> None:
    """Also one in which nothing came, or of which the messages were lost."""
    lane = Lane()
    lane.follow()
    lane.take(trade(BEGIN + 1_000, 5))
    for minute in range(1, 10):
        lane.at(BEGIN + minute * MINUTE + GRACE + IDLE)
    pending = lane.windows.pending({PROJECTION: lane.now + SETTLE}, lane.now)
    assert [list(p.minutes) for p in pending] == [list(range(BEGIN // MINUTE - 1, BEGIN // MINUTE + 9))]


def test_what_a_correction_changes_is_the_projections_to_tell() -> None:
    """The minutes that a trade comes from and goes to are revised and partial, until the projection has them."""
    lane, _, _ = settled_minute()
    moved = trade(BEGIN + MINUTE + 500, 6, trade_id=f"t{BEGIN + 1_000}-0")
    lane.take(moved)
    assert (lane.newest(BEGIN)["kind"], lane.newest(BEGIN)["partial_reasons"]) == ("revised", ["corrected"])
    assert lane.newest(BEGIN + MINUTE)["partial_reasons"] == ["corrected"]
    settle(lane)
    assert (lane.newest(BEGIN)["kind"], total(lane.newest(BEGIN))) == ("durable", (0, "0"))
    assert not lane.newest(BEGIN)["partial"]
    lane.at(BEGIN + 2 * MINUTE + GRACE + IDLE)
    settle(lane, moved, minute=BEGIN // MINUTE + 1)
    assert total(lane.newest(BEGIN + MINUTE)) == (1, "6")
    assert not lane.newest(BEGIN + MINUTE)["partial"]


def test_what_takes_a_trade_back_is_asked_of_the_projection() -> None:
    """Also where nobody here knows which minute it was of: all that are the projection's are asked for again."""
    lane, first, _ = settled_minute()
    lane.take(back("reported before this process began"))
    assert lane.newest(BEGIN)["partial_reasons"] == ["corrected"]
    assert settle(lane, first)
    assert not lane.newest(BEGIN)["partial"]
    lane.take(trade(BEGIN + MINUTE + 500, 6, trade_id="early"))
    lane.take(back("early"))
    assert lane.newest(BEGIN + MINUTE)["partial_reasons"] == ["corrected"]
    assert not lane.newest(BEGIN)["partial"]


def back(trade_id: str) -> bytes:
    """What takes a trade back, as the bus brings it."""
    event = trade_cancelled(company_id="acme", trade_id=trade_id, event_id=f"back {trade_id}", timestamp=BEGIN)
    return message_of(event.record)
