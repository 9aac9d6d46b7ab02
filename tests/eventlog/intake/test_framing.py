"""Cutting streams of bytes into events."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from domain.events.catalogue import MAX_EVENT
from domain.events.problems import Code
from eventlog.intake.framing import Item, delimited, ndjson
from tests.eventlog.publish.samples import chunks_of, framed


async def cut_lines(data: bytes, size: int) -> list[Item]:
    """The lines of NDJSON that comes in chunks of this size."""
    return [item async for some in ndjson(chunks_of(data, size)) for item in some]


async def cut_frames(data: bytes, size: int) -> list[Item]:
    """The frames of a stream that comes in chunks of this size."""
    return [item async for some in delimited(chunks_of(data, size)) for item in some]


@given(st.lists(st.binary(max_size=20).map(lambda b: b.replace(b"\n", b"")), max_size=8), st.integers(1, 30))
async def test_lines_do_not_depend_on_chunks(lines: list[bytes], size: int) -> None:
    """Every line comes whole, with its number; blank ones are left out."""
    found = await cut_lines(b"\n".join(lines), size)
    expected = [(number, text) for number, text in enumerate(lines, 1) if text.strip()]
    assert [(item.line, item.data) for item in found] == expected


@given(st.lists(st.binary(max_size=300), max_size=5), st.integers(1, 400))
async def test_frames_do_not_depend_on_chunks(frames: list[bytes], size: int) -> None:
    """Every frame comes whole, with its index."""
    found = await cut_frames(framed(*frames), size)
    assert [(item.line, item.data, item.problem) for item in found] == [(i, f, None) for i, f in enumerate(frames)]


async def test_a_line_beyond_the_limit_keeps_its_beginning_and_its_neighbours() -> None:
    """10 MB in one line cost 1 MB and leave the lines around it alone."""
    found = await cut_lines(b"a\n" + b"x" * 10_000_000 + b"\nb\n", 65_536)
    assert [(item.line, len(item.data)) for item in found] == [(1, 1), (2, MAX_EVENT), (3, 1)]
    problem = found[1].problem
    assert problem is not None
    assert problem.code == Code.TOO_LARGE
    assert "10000000 bytes" in problem.reason


async def test_a_frame_beyond_the_limit_is_skipped() -> None:
    """What follows a frame of 10 MB is read."""
    found = await cut_frames(framed(b"a", b"x" * 10_000_000, b"b"), 65_536)
    assert [(item.line, item.problem.code if item.problem else None) for item in found] == [
        (0, None),
        (1, Code.TOO_LARGE),
        (2, None),
    ]


async def test_a_stream_that_ends_within_a_frame_says_where() -> None:
    """The tail is an event with a problem, after the good ones."""
    found = await cut_frames(framed(b"good", b"cut off")[:-3], 5)
    assert [item.data for item in found] == [b"good", b"\x07cut "]
    assert found[1].problem is not None
    assert found[1].problem.code == Code.TRUNCATED


@given(st.binary(max_size=500), st.integers(1, 100))
async def test_any_bytes_are_cut(data: bytes, size: int) -> None:
    """No bytes make the framing fail."""
    for item in await cut_frames(data, size):
        assert len(item.data) <= MAX_EVENT
