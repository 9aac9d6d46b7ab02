"""Odd events of one company, each good or bad by the way it is made: by the contract, not by what the service says.

The contract is that of docs/reference: limits of texts, numbers and times, names and JSON. A kind is a line in BAD,
GOOD, BAD_ENVELOPES or GOOD_ENVELOPES; the number makes each event another one.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from typing import Any

from common.envelope_pb2 import AnalyticsProcessingEnvelope
from trading.trading_signals_pb2 import Side, TradingResult

from tests.support.instance import trade

NASTY = "\x1b[2J\x9b\u202e\ufeff'\";--<script>%n%s\\"
FIRST, SPREAD = 1_760_000_000_000, 30_000_000  # ms since 1970 UTC: October 2025 and a year of minutes after it
TEXT, ID, EVENT = 4_096, 256, 1_048_576  # bytes of a text, of an id, of an event
Line = Callable[[dict[str, Any], str], bytes]
Change = Callable[[AnalyticsProcessingEnvelope, TradingResult, str], object]


def _with(line: Mapping[str, Any], **payload: object) -> bytes:
    return json.dumps({**line, "payload": {**line["payload"], **payload}}).encode()


def _of(line: Mapping[str, Any], **members: object) -> bytes:
    return json.dumps({**line, **members}).encode()


def _payload(**payload: object) -> Line:
    return lambda line, _: _with(line, **payload)


def _members(**members: object) -> Line:
    return lambda line, _: _of(line, **members)


BAD: Mapping[str, Line] = {
    "not finite": _payload(quantity=float("nan")),
    "infinite": _payload(pnl=float("-inf")),
    "too large": _payload(pnl=1e30),
    "beyond a double": lambda line, _: _with(line, pnl=0).replace(b'"pnl": 0', b'"pnl": 1e999'),
    "just too large": _payload(pnl=1e15 + 10),
    "zero quantity": _payload(quantity=0),
    "negative zero of a quantity": _payload(quantity=-0.0),
    "a price that is too fine": _payload(exit_price=1.5e-12),
    "smaller than what is stored": _payload(quantity=5e-324),
    "a multiplier of nothing": _payload(multiplier=0),
    "no trade_id": _payload(trade_id=""),
    "no symbol": _payload(symbol=None),
    "no payload": lambda line, _: _of({k: v for k, v in line.items() if k != "payload"}),
    "a list as payload": _members(payload=[1, 2]),
    "unknown type": lambda line, word: _of(line, message_type=f"odd_{word}"),
    "reserved type": _members(message_type="audit"),
    "a batch of nothing": _members(message_type="trading_result_batch", payload={"items": []}),
    "time of nothing": _members(timestamp=-1),
    "year 1": _members(timestamp=-62_135_596_800_000),
    "year 9999": _members(timestamp=253_402_300_799_000),
    "time after 2100": _members(timestamp=4_200_000_000_000),
    "time in seconds": _members(timestamp=1_760_000_000),
    "exit in seconds": _payload(closed_at=1_760_000_000),
    "time beyond 64 bits": _members(timestamp=2**63),
    "text for a number": lambda line, word: _with(line, quantity=f"ten{word}"),
    "a list for a number": _payload(quantity=[1]),
    "a number for a text": _payload(symbol=7),
    "U+0000": _payload(symbol="A\0B"),
    "lone surrogate": _payload(symbol="A\ud800"),
    "too long a text": _payload(symbol="é" * (TEXT // 2 + 1)),
    "too long a user": _members(user_id="u" * (ID + 1)),
    "no user": _members(user_id=""),
    "too long a correlation": _members(correlation_id="c" * (ID + 1)),
    "no such side": lambda line, word: _with(line, side=f"side{word}"),
    "a side beyond the enum": _payload(side=77),
    "bad company": lambda line, word: _of(line, company_id=f"../{word}"),
    "company of 300 letters": _members(company_id="c" * 300),
    "somebody else's": _members(company_id="calmco"),
    "a schema of tomorrow": _members(schema_version=99),
    "twice the same member": lambda line, _: _of(line)[:-1] + b', "user_id": "u2"}',
    "twice the same in the payload": lambda line, _: _of(line).replace(b'"symbol"', b'"symbol": "B", "symbol"'),
    "too deep": lambda line, word: _of(line, x=word)[:-1] + b',"y":' + b"[" * 60 + b"]" * 60 + b"}",
    "deeper than any stack": lambda line, word: _of(line, x=word)[:-1] + b',"y":' + b"[" * 20_000,
    "bad UTF-8": lambda line, _: _of(line).replace(b"donchian", b"don\xff\xfechian"),
    "UTF-16": lambda line, _: _of(line).decode().encode("utf-16").replace(b"\n", b" "),
    "half an object": lambda line, _: _of(line)[:-7],
    "two objects": lambda line, _: _of(line) * 2,
    "no JSON": lambda _, word: f"{NASTY}{word}".encode(),
    "a text alone": lambda _, word: json.dumps(f"{NASTY}{word}").encode(),
    "digits without end": lambda _, word: f'{{"message_type": {"9" * 6_000}{word}}}'.encode(),
    "a megabyte and one": lambda line, word: _of(line, x=word + "x" * EVENT),
}
GOOD: Mapping[str, Line] = {
    "plain": _members(),
    "odd texts": lambda line, word: _with(line, symbol=f"{NASTY}{word}", strategy="😀" * 200),
    "longest texts": lambda line, word: _with(
        line, symbol=random.Random(word).randbytes(TEXT // 2).hex(), strategy="é" * (TEXT // 2)
    ),
    "longest ids": lambda line, word: _of(line, user_id=word.rjust(ID, "u"), correlation_id="c" * ID),
    "smallest": _payload(quantity=1e-12, fees=0),
    "negative zero": _payload(fees=-0.0, pnl=-0.0, entry_price=-0.0),
    "largest": _payload(pnl=9_223_372_036_853.0, max_favourable_excursion=9e12),
    "oldest": lambda line, _: _with({**line, "timestamp": 1}, closed_at=1, opened_at=1),
    "spaced": lambda line, _: json.dumps(line, indent=3).replace("\n", " \t").encode(),
    "CRLF": lambda line, _: _of(line) + b"\r",
    "escaped": lambda line, _: _of(line).replace(b"AAPL", rb"\u0041\u0041PL"),
}  # fmt: skip


def _envelope(**members: Any) -> Change:
    def change(envelope: AnalyticsProcessingEnvelope, _: TradingResult, __: str) -> None:
        for name, value in members.items():
            setattr(envelope, name, value)

    return change


def _trade(**members: Any) -> Change:
    def change(envelope: AnalyticsProcessingEnvelope, payload: TradingResult, _: str) -> None:
        for name, value in members.items():
            setattr(payload, name, value)
        envelope.payload = payload.SerializeToString()

    return change


def _bytes(made: Callable[[bytes, str], bytes]) -> Change:
    def change(envelope: AnalyticsProcessingEnvelope, _: TradingResult, word: str) -> None:
        envelope.payload = made(envelope.payload, word)

    return change


BAD_ENVELOPES: Mapping[str, Change] = {
    "garbage": _bytes(lambda _, word: b"\xff" + word.encode()),
    "cut short": _bytes(lambda payload, _: payload[:-3]),
    "nothing": _bytes(lambda _, __: b""),
    "a group that never ends": _bytes(lambda payload, _: payload + b"\x0b"),
    "bad UTF-8": _bytes(lambda payload, _: payload.replace(b"AAPL", b"\xff\xfe\xfd\xfc")),
    "not finite": _trade(pnl=float("inf")),
    "no such side": _trade(side=77),  # an enum is open on the wire
    "time in seconds": _envelope(timestamp=1_760_000_000),
    "unknown type": _envelope(message_type=NASTY),
    "too long a user": _envelope(user_id="u" * (ID + 1)),
    "U+0000 in the user": _envelope(user_id="a\0b"),
    "bad company": _envelope(company_id="*"),
    "a schema of tomorrow": _envelope(schema_version=2**31 - 1),
}
GOOD_ENVELOPES: Mapping[str, Change] = {
    "plain": _envelope(),
    "fields of tomorrow": _bytes(lambda payload, word: payload + b"\xc2\x3e\x05" + word.encode()[-5:].rjust(5)),
    "longest texts": _trade(symbol="é" * (TEXT // 2)),
}


class OddEvents:
    """Makes odd events; `chance` decides which."""

    def __init__(self, company: str, chance: random.Random) -> None:
        self._company, self._chance, self._number = company, chance, 0

    def line(self) -> tuple[bytes, bool]:
        """An event as a line of JSON, and whether it is good."""
        good = self._chance.random() < 0.3
        line: dict[str, Any] = dict(trade(self._company, self._next()))
        line |= {"user_id": "odd", "event_id": f"odd-{self._number}"}
        line["payload"]["trade_id"] = f"odd-{self._number}"
        return self._picked(GOOD if good else BAD)(line, str(self._number)), good

    def envelope(self) -> tuple[AnalyticsProcessingEnvelope, bool]:
        """An event as an envelope, and whether it is good."""
        good = self._chance.random() < 0.3
        at = FIRST + 1_000 * self._next()
        payload = TradingResult(
            trade_id=f"odd-{self._number}", account_id="a1", symbol="AAPL", side=Side.LONG, quantity=1,
            entry_price=1, exit_price=2, closed_at=at,
        )  # fmt: skip
        envelope = AnalyticsProcessingEnvelope(
            message_type="trading_result", company_id=self._company, user_id="odd", timestamp=at,
            event_id=f"odd-{self._number}", payload=payload.SerializeToString(),
        )  # fmt: skip
        self._picked(GOOD_ENVELOPES if good else BAD_ENVELOPES)(envelope, payload, str(self._number))
        return envelope, good

    def _next(self) -> int:
        self._number += 1
        return self._number

    def _picked(self, kinds: Mapping[str, Any]) -> Any:
        return kinds[self._chance.choice(sorted(kinds))]
