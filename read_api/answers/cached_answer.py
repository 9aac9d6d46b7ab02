"""What a kept answer is of, and how it is carried from one process to another without being taken for another one."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Container, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from domain.ports import Checkpoint
from projections.engine.query.asked_at import LastingAnswer
from projections.engine.query.basis import position_at
from projections.engine.query.formatting import show_time
from projections.engine.query.request import Question

FORMAT = 3  # of keys and values
_LENGTH = struct.Struct(">I")
_STAMPS = ("position", "as_of", "complete")

State = tuple[tuple[str, int, str], ...]  # projection, its stored version, on what of the company it rests


class CachedAnswer(LastingAnswer):
    """An answer in the form of the API, which nobody may change.

    `rows_json`: its rows as JSON; None if not known. `response`: what a door sends for it, made once.
    """

    rows_json: msgspec.Raw | None = None
    response: Any = None


class Key(NamedTuple):
    """What an answer is of, as text, and the name under which other processes find it."""

    text: bytes
    name: str


def key_of(question: Question, state: State, code: str) -> Key:
    """The key of a question as somebody may ask it, at whatever moment, at a state of the company's rows.

    `code` changes with whatever computes answers. Two questions have one key only where every part of it is the same.
    """
    member = question.member
    ids = None if member is None else [sorted(member.user_ids), sorted(member.account_ids)]
    texts = [sorted(question.params.items()), sorted(question.about.items()), question.limits]
    parts = [FORMAT, code, question.company, question.name, texts, ids, state]
    text = msgspec.json.encode(parts)
    return Key(text, hashlib.sha256(text).hexdigest())


def state_of(checkpoints: Mapping[str, Checkpoint], own: Container[str]) -> State:
    """On what an answer depends: all of the company's rows of its own projections, of others what it takes of them."""
    return tuple(
        (name, each.version, _rows_of(each) if name in own or each.defaults is None else each.defaults)
        for name, each in sorted(checkpoints.items())
    )


def stood_still(before: Mapping[str, Checkpoint], after: Mapping[str, Checkpoint]) -> bool:
    """Whether nothing of the company was folded between two looks, nor anything put in its place."""
    return state_of(before, before) == state_of(after, after)


def _rows_of(checkpoint: Checkpoint) -> str:
    return f"{checkpoint.of_company} {checkpoint.of_all}"


def packed(key: Key, answer: LastingAnswer, cost: float) -> bytes | None:
    """An answer as bytes that say of what it is; None for one that would not come back as it was."""
    times = answer.asked_at.isoformat(), answer.until.isoformat()
    content = msgspec.json.encode([cost, *times, sorted(answer.beside), answer])
    if msgspec.json.decode(content)[-1] != answer:
        return None
    return b"".join((_LENGTH.pack(len(key.text)), key.text, hashlib.sha256(content).digest(), content))


def unpacked(key: Key, value: bytes) -> tuple[float, LastingAnswer] | None:
    """What making it cost (s), and the answer; None for bytes that are torn or of another key."""
    begin = _LENGTH.size + len(key.text)
    if value[:begin] != _LENGTH.pack(len(key.text)) + key.text:
        return None
    content = value[begin + 32 :]
    if hashlib.sha256(content).digest() != value[begin : begin + 32]:
        return None
    cost, asked_at, until, beside, answer = msgspec.json.decode(content)
    return cost, LastingAnswer(answer, datetime.fromisoformat(asked_at), datetime.fromisoformat(until), beside)


@dataclass(slots=True)
class Entry:
    """An answer with what it rests on.

    `state` is () where rows changed while it was computed: it stands for no one state. `cost`: seconds that making it
    took; `made`, `right`: monotonic moments at which it was made, and was right last. `warmed`: made before anybody
    asked.
    """

    answer: CachedAnswer
    reads: tuple[str, ...]
    state: State
    cost: float
    made: float
    right: float
    stamped: bool
    warmed: bool = False
    size: int = 0
    _latest: tuple[Mapping[str, Checkpoint], dict[str, Any], CachedAnswer] | None = None

    def holds(self, state: State, moment: datetime) -> bool:
        """Whether it is the exact answer at a state of the rows to who asks at a moment."""
        return self.state == state and self.answer.holds_at(moment)

    def as_of_now(self, checkpoints: Mapping[str, Checkpoint]) -> CachedAnswer:
        """The answer where its projections stand now, whose rows of the company are the ones that it was made of.

        `checkpoints`: of what it rests on, and maybe others. It is the one that was given last, while it would be
        equal.
        """
        latest = self._latest
        if latest is not None and latest[0] is checkpoints:
            return latest[2]
        own = {name: checkpoints[name] for name in self.reads if name in checkpoints}
        beside = {name: checkpoints[name] for name in sorted(self.answer.beside) if name in checkpoints}
        stands_for = {**freshness_of(own), "position": position_of({**own, **beside})}
        answer = latest[2] if latest is not None and latest[1] == stands_for else self._standing(stands_for)
        self._latest = checkpoints, stands_for, answer
        return answer

    def _standing(self, stands_for: Mapping[str, Any]) -> CachedAnswer:
        answer = CachedAnswer(
            {**self.answer, **stands_for}, self.answer.asked_at, self.answer.until, self.answer.beside
        )
        if self.stamped:
            stamps = {name: stands_for[name] for name in _STAMPS}
            answer["rows"] = [row | stamps for row in self.answer["rows"]]
        else:
            answer.rows_json = self.answer.rows_json
        return answer


def freshness_of(checkpoints: Mapping[str, Checkpoint]) -> dict[str, Any]:
    """Position, moment, completeness and lag of what rests on projections that stand there, as answers have them."""
    moments = [each.as_of for each in checkpoints.values()]
    return {
        "position": position_of(checkpoints),
        "as_of": show_time(datetime.fromtimestamp(min(moments) / 1000, UTC)) if moments and all(moments) else None,
        "complete": all(each.complete for each in checkpoints.values()),
        "lag_ms": max((each.lag_ms for each in checkpoints.values()), default=0),
    }


def position_of(checkpoints: Mapping[str, Checkpoint]) -> str:
    """The position of what rests on projections that stand there."""
    return _position(tuple((name, each.position) for name, each in checkpoints.items()))


_position = lru_cache(1_000)(position_at)  # the same until something moves
