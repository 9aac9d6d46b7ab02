"""The law of live windows, for every one that is declared: what the live lane folds is what the projection folds."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Mapping
from itertools import product
from typing import Any, NamedTuple

import pytest
from common.envelope_pb2 import AnalyticsProcessingEnvelope
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.events.catalogue import BATCHES, BY_NAME, LATEST
from projections.engine.declare.live_window import LiveWindow
from projections.engine.declare.registry import all_windows
from projections.engine.fold.deltas import plain_time
from projections.engine.live.arrivals import Reader
from projections.engine.live.durable import rows_of
from projections.engine.live.panes import Grouping, Groups, Pane, merge_groups
from projections.engine.live.question import ViewQuestion
from projections.engine.live.view import display_rows, moment
from projections.engine.live.widths import WIDTHS
from projections.engine.live.windows import LiveWindows, PendingMinutes
from tests.projections.harness import Logged, ReadModels
from tests.support.any_event import damaged, good_events
from tests.support.examples import examples

pytestmark = pytest.mark.slow

NewDatabase = Callable[[], str]
SLOW = settings(max_examples=examples(2), deadline=None, suppress_health_check=list(HealthCheck))
MINUTE = 60_000
BEGIN = 1_790_002_800_000  # a full hour
SPAN = 12 * MINUTE
TICK = 30_000
COMPANIES = ("acme", "globex")
LONG_AGO = 0  # the clock of these tests: nothing is late, nothing is closed


class Arrival(NamedTuple):
    """A message, and when (ms) it comes."""

    when: int
    topic: str
    message: bytes


@st.composite
def messages(draw: st.DrawFn, topic: str) -> list[bytes]:
    """Messages of a stream as the bus brings them: good ones, some damaged, some twice."""
    values = [e.SerializeToString() for e in draw(st.lists(good_events(topic), min_size=20, max_size=50))]
    values += draw(st.lists(damaged(topic).filter(_unstamped), max_size=10))
    values += draw(st.lists(st.sampled_from(values), max_size=10))
    return draw(st.permutations(values))


def _unstamped(value: bytes) -> bool:
    """Whether no publisher's stamp is in it: on the bus there is none, and in the log it tells repeats."""
    try:
        return not AnalyticsProcessingEnvelope.FromString(value).producer_id
    except Exception:  # damaged beyond reading
        return True


@pytest.mark.parametrize("name", all_windows())
@SLOW
@given(data=st.data())
async def test_live_rows_are_the_projections_rows_in_every_minute(
    name: str, new_database: NewDatabase, data: st.DataObject
) -> None:
    """The same events to both lanes, in whatever pieces, give the same rows, whole number by whole number."""
    projection, window = all_windows()[name]
    models, live, reader = ReadModels(new_database(), [projection]), LiveWindows(LONG_AGO), Reader()
    for topic in sorted({f.reads.stream for f in projection.folds_of(window)}):
        values = data.draw(messages(topic))
        # one partition, so that the order of the bus is the order of the log
        models.fold([Logged(topic, 0, number, value) for number, value in enumerate(values)])
        while values:
            size = data.draw(st.integers(1, 30))
            live.add(topic, reader.read(topic, values[:size], LATEST), LONG_AGO)
            values = values[size:]
    await models.reads.open()
    for company in ("acme", "globex"):
        panes = live.panes(company, name)
        durable = await rows_of(models.reads, PendingMinutes(company, window, sorted(panes) or [0]))
        assert durable is not None
        for minute, pane in panes.items():
            if pane.corrected:  # it says that it is the projection's to tell
                pane.replace(durable[minute])
            assert not pane.differs(durable[minute]), (company, minute, pane.rows, durable[minute])
        assert sum(pane.size for pane in panes.values()) == await stored(models, company, name)
    await models.close()


async def stored(models: ReadModels, company: str, name: str) -> int:
    """How many rows the projection has of a window, in all minutes."""
    projection, window = all_windows()[name]
    only = "".join(f" AND \"{column}\" = '{value}'" for column, value in window.only.items())
    found = 0
    for table in window.tables:
        sql = f"SELECT count(*) FROM {{{table.name}}} WHERE company_id = %s{only}"
        found += int(str((await models.reads.ask(company, projection.name, sql, (company,))).rows[0][0]))
    return found


@SLOW
@given(data=st.data())
async def test_what_is_shown_is_what_the_query_answers(new_database: NewDatabase, data: st.DataObject) -> None:
    """Quantiles, ratios and texts of a closed minute are those of the registered query."""
    projection, window = all_windows()["system_metrics"]
    models, live = ReadModels(new_database(), [projection]), LiveWindows(LONG_AGO)
    values = data.draw(messages("performance-data"))
    models.fold([Logged("performance-data", 0, number, value) for number, value in enumerate(values)])
    live.add("performance-data", Reader().read("performance-data", values, LATEST), LONG_AGO)
    by = ("service", "metric")
    for company in ("acme", "globex"):
        answered = await models.rows("system_metrics", company, by="minute,service,metric", limit="10000")
        found = [row for _, row in sorted(_rows(window, live.panes(company, "system_metrics"), by))]
        assert found == [{k: v for k, v in row.items() if k != "minute"} for row in answered]
    await models.close()


def _rows(
    window: LiveWindow, panes: Mapping[int, Pane], by: tuple[str, ...]
) -> list[tuple[tuple[Any, ...], dict[str, Any]]]:
    return [
        ((minute, *(row[name] for name in by)), row)
        for minute, pane in panes.items()
        for row in display_rows(window, Grouping(window, by, {}).groups(pane), by)
    ]


@st.composite
def timed_messages(draw: st.DrawFn, name: str) -> list[Arrival]:
    """Messages that fill a window within `SPAN`, up to nine minutes late, some twice: in the order of their coming."""
    projection, window = all_windows()[name]
    found = []
    for number in range(draw(st.integers(5, 20))):
        fold = draw(st.sampled_from(projection.folds_of(window)))
        event, at = draw(good_events(fold.reads.stream)), BEGIN + draw(st.integers(0, SPAN - 1))
        event.event_id, event.timestamp = f"e{number}", at
        _set_time(event, plain_time(fold, window.time), at)
        found.append(Arrival(at + draw(st.integers(0, 9 * MINUTE)), fold.reads.stream, event.SerializeToString()))
    found += [each._replace(when=each.when + 1) for each in draw(st.lists(st.sampled_from(found), max_size=10))]
    return sorted(found)


def _set_time(event: AnalyticsProcessingEnvelope, name: str, at: int) -> None:
    """Let the facts of an event be of this moment."""
    one, several = BY_NAME.get(event.message_type), BATCHES.get(event.message_type)
    form = one.message if one else several.batch if several else None
    assert form is not None
    payload: Any = form.FromString(event.payload)
    for fact in [payload] if one else payload.items:
        if name in fact.DESCRIPTOR.fields_by_name:
            setattr(fact, name, at)
    event.payload = payload.SerializeToString()


@pytest.mark.parametrize("name", all_windows())
@settings(max_examples=examples(2), deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_the_last_message_of_every_window_is_what_all_its_events_come_to(name: str, data: st.DataObject) -> None:
    """Shuffled, repeated, late by minutes, in whatever pieces: as if all had come at once; `final` comes once."""
    window, arrivals = all_windows()[name][1], data.draw(timed_messages(name))
    live, batch, reader = LiveWindows(BEGIN - MINUTE), LiveWindows(LONG_AGO), Reader()
    said: list[dict[str, Any]] = []
    for wide, company in product(WIDTHS, COMPANIES):
        live.follow(ViewQuestion(company, name, wide, window.dimensions), BEGIN, 2 * BEGIN)
    left = deque(arrivals)
    for now in range(BEGIN, BEGIN + SPAN + 75 * MINUTE, TICK):
        live.advance(now)
        while left and left[0].when < now + TICK:
            live.take(left[0].topic, [left[0].message], left.popleft().when)
            said += [message for _, message in live.messages(now)]
        said += [message for _, message in live.messages(now)]
    for each in arrivals:
        batch.add(each.topic, reader.read(each.topic, [each.message], LATEST), LONG_AGO)
    newest = {(m["company"], m["width"], m["start"]): m for m in said}
    finals = Counter((m["company"], m["width"], m["start"]) for m in said if m["kind"] == "final")
    for company, width in product(COMPANIES, WIDTHS.values()):
        panes = batch.panes(company, name)
        for start in range(BEGIN, BEGIN + SPAN, width.every * MINUTE):
            merged: Groups = {table: {} for table in window.tables}
            for minute in width.minutes(start // MINUTE):
                if minute in panes:
                    merge_groups(window, merged, Grouping(window, window.dimensions, {}).groups(panes[minute]))
            place = company, width.name, moment(start)
            assert newest[place]["rows"] == display_rows(window, merged, window.dimensions), place
            assert finals[place] == 1, place
    assert set(finals.values()) == {1}


def test_there_are_windows_to_hold_to_the_law() -> None:
    """A window enters by being declared; without any these tests would pass for nothing."""
    assert set(all_windows()) >= {"trading", "user_activity", "system_metrics", "operations", "market_bars"}
