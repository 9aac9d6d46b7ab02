"""Frames of the server, cut anywhere: messages reach their sinks whole and in order, all else reaches the client."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nats.errors import ProtocolError

from adapters.nats.direct_parser import DirectParser

OURS, OTHERS = 1, 2
DATA = st.binary(max_size=40) | st.sampled_from([b"\r\n", b"MSG a 1 3\r\nabc\r\n", b"PING\r\n", b"x" * 70_000])


@dataclass
class Client:
    """What the parser tells a client."""

    heard: list[tuple[Any, ...]] = field(default_factory=list)

    async def _process_msg(self, sid: int, subject: bytes, reply: bytes, data: bytes, header: bytes | None) -> None:
        self.heard.append((sid, subject, reply, data, header))

    async def _process_ping(self) -> None:
        self.heard.append(("ping",))

    async def _process_pong(self) -> None:
        self.heard.append(("pong",))


@st.composite
def frames(draw: st.DrawFn) -> tuple[bytes, tuple[Any, ...]]:
    """A frame, and what has to be heard of it."""
    kind, data = draw(st.sampled_from(["ours", "replied", "other", "headed", "ping", "pong", "ok"])), draw(DATA)
    size = len(data)
    match kind:
        case "ours":
            return b"MSG a.b %d %d\r\n%b\r\n" % (OURS, size, data), (b"a.b", data)
        case "replied":
            return b"MSG a.b %d back %d\r\n%b\r\n" % (OURS, size, data), (b"a.b", data)
        case "other":
            return b"MSG a.b %d %d\r\n%b\r\n" % (OTHERS, size, data), (OTHERS, b"a.b", b"", data, None)
        case "headed":
            head = b"NATS/1.0\r\n\r\n"
            sizes = OTHERS, len(head), len(head) + size
            frame = b"HMSG a.b %d %d %d\r\n" % sizes + head + data + b"\r\n"
            return frame, (OTHERS, b"a.b", b"", data, head)
        case "ok":
            return b"+OK\r\n", ()
    return kind.upper().encode() + b"\r\n", (kind,)


@given(drawn=st.lists(frames(), max_size=12), data=st.data())
async def test_frames_arrive_whole_and_in_order_wherever_they_are_cut(
    drawn: list[tuple[bytes, tuple[Any, ...]]], data: st.DataObject
) -> None:
    """As the network brings them."""
    client, sent = Client(), b"".join(frame for frame, _ in drawn)
    parser = DirectParser(client)  # type: ignore[arg-type]  # the part of a client that a parser speaks to
    parser.sinks[OURS] = lambda subject, value: client.heard.append((subject, value))
    parser.reset()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(sent)), max_size=8)))
    for begin, end in zip([0, *cuts], [*cuts, len(sent)], strict=True):
        await parser.parse(sent[begin:end])
    assert client.heard == [heard for _, heard in drawn if heard]


async def test_another_connection_begins_with_its_own_frames() -> None:
    """What a lost connection had begun is no part of the next one."""
    client = Client()
    parser = DirectParser(client)  # type: ignore[arg-type]  # as above
    await parser.parse(b"MSG a 2 100\r\nbegun")
    parser.reset()
    await parser.parse(b"PING\r\n")
    assert client.heard == [("ping",)]


@pytest.mark.parametrize("line", [b"MSG", b"MSG a", b"MSG a 1 x", b"MSG a b 3", b"MSG a 1 -9", b"HMSG a 1 -9", b"?"])
async def test_what_is_no_frame_ends_the_connection(line: bytes) -> None:
    """By the only error that the client does so at: at any other one it stays connected, and deaf."""
    parser = DirectParser(Client())  # type: ignore[arg-type]  # as above
    parser.sinks[OURS] = lambda *_: None
    with pytest.raises(ProtocolError):
        await parser.parse(line + b"\r\n")
