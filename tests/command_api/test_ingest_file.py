"""The command line's door."""

from __future__ import annotations

import io
import json

import pytest

from command_api.file_intake import ingest_file, is_protobuf
from domain.events.problems import Code
from eventlog.intake.quarantine import Filter
from tests.eventlog.publish.samples import Door, bad_envelopes, bad_lines, framed, line, trade, trade_members


async def test_a_file_of_lines_goes_in_and_bad_lines_are_set_aside(door: Door) -> None:
    """Every bad kind is in quarantine with the line of the file."""
    bad = bad_lines()
    data = b"".join(
        json.dumps(trade_members() | {"event_id": f"e{n}"}).encode() + b"\n" + text + b"\n"
        for n, (text, _) in enumerate(bad)
    )
    outcome = await ingest_file(door.ingest, io.BytesIO(data), size=len(data), report=None)
    assert (outcome.accepted, outcome.quarantined) == (len(bad), len(bad))
    entries = await door.quarantine.entries(Filter(door="cli", limit=1000))
    assert [(e.line, e.code) for e in reversed(entries)] == [(2 * n + 2, code) for n, (_, code) in enumerate(bad)]


async def test_a_file_of_protobuf_is_recognised(door: Door) -> None:
    """Length-delimited envelopes, good and bad, and a cut-off end."""
    bad = bad_envelopes()
    data = framed(trade("t1").record.value, *(d for d, _ in bad), trade("t2").record.value, b"cut off")[:-3]
    outcome = await ingest_file(door.ingest, io.BytesIO(data), size=None, report=None)
    assert outcome.accepted == 2
    assert [r.code for r in outcome.reasons] == [*(code for _, code in bad), Code.TRUNCATED]


async def test_an_empty_file_is_no_error(door: Door) -> None:
    """Nothing in, nothing wrong."""
    outcome = await ingest_file(door.ingest, io.BytesIO(), size=0, report=None)
    assert outcome.as_json() | {"reasons": 0} == {
        "accepted": 0,
        "duplicates": 0,
        "quarantined": 0,
        "position": "",
        "warnings": 0,
        "reasons": 0,
    }


async def test_progress_tells_rate_and_time_left(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """Events, rate, share and seconds left."""
    monkeypatch.setattr("command_api.file_intake.REPORT_EVERY", 0.0)
    told: list[str] = []
    data = b"".join(json.dumps(trade_members() | {"event_id": f"e{n}"}).encode() + b"\n" for n in range(2_000))
    await ingest_file(door.ingest, io.BytesIO(data), size=len(data), report=told.append)
    assert told[0].startswith("250 events, ")
    assert told[-1].endswith("0 in quarantine, 100%, 0 s left")


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        (line(), False),
        (b"\xef\xbb\xbf" + line(), False),
        (b'{"a": "\xff\xfe"}', False),
        (b"garbage\n{}", False),
        (b"", False),
        (framed(trade().record.value), True),
        (framed(trade("t" * 17, event_id="e" * 20).record.value), True),
        (b"\xff\xff\xff\x01\x02", True),
    ],
)
def test_the_form_of_a_file_is_told_by_its_beginning(first: bytes, expected: bool) -> None:
    """Damaged files are still taken for what they are."""
    assert is_protobuf(first) is expected
