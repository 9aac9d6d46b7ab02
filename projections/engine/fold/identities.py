"""Identities: of events that no publisher stamped, which were admitted before, and which say otherwise under an id."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import polars as pl

from domain.events.catalogue import log_key
from domain.events.identity import conflicting, content, earlier_identity, identity
from eventlog.intake.event_tokens import without_signatures
from projections.engine.store.port import BadEvent, Identified

SAYS = (
    *("_row", "company_id", "producer_id", "service_source", "event_id"),
    *("message_type", "user_id", "timestamp", "payload"),
)


class Identities:
    """What is known of a topic's identities: what the store has, and those of batches not yet stored.

    `earlier`: the store has identities of the release that had another form of them.
    """

    def __init__(
        self, topic: str, admitted_before: Callable[[Sequence[bytes]], Mapping[bytes, int | None]], *, earlier: bool
    ) -> None:
        self._topic = topic
        self._admitted_before = admitted_before
        self._earlier = earlier
        self._unstored: dict[bytes, int] = {}

    def stored(self, identities: Sequence[Identified]) -> None:
        """These are in the store now and need not be remembered here."""
        for each in identities:
            self._unstored.pop(each.identity, None)

    def decide(
        self, foreign: pl.DataFrame, partitions: np.ndarray, offsets: np.ndarray, value: Callable[[int], bytes]
    ) -> tuple[list[Identified], set[int], dict[int, BadEvent]]:
        """The identities that are new, with their places; rows whose identity was admitted before with the same
        content; and those that say otherwise, as bad events.

        `partitions`, `offsets`: of all records, by row; `value`: the bytes of one.
        """
        events = list(foreign.filter(pl.col("event_id") != "").select(SAYS).iter_rows())
        if not events:
            return [], set(), {}
        ids = [identity(company, producer or source, each) for _, company, producer, source, each, *_ in events]
        # What is being stored meanwhile moves from here into the store: asked in the other order, it is in neither.
        contents: dict[bytes, int | None] = {i: self._unstored[i] for i in ids if i in self._unstored}
        earlier = {e[0]: earlier_identity(self._topic, log_key(e[1], e[6]), e[4]) for e in events if self._earlier}
        contents |= self._admitted_before([*ids, *earlier.values()])
        places = list(zip(partitions.tolist(), offsets.tolist(), strict=True))
        fresh, repeated, contradicting = list[Identified](), set[int](), dict[int, BadEvent]()
        for of_event, (row, company, producer, source, event_id, *says) in zip(ids, events, strict=True):
            said = content(*says)
            if earlier.get(row) in contents:
                repeated.add(row)
            elif of_event not in contents:
                contents[of_event] = self._unstored[of_event] = said
                fresh.append(Identified(of_event, said, *places[row]))
            elif contents[of_event] == said:
                repeated.add(row)
            else:
                problem, raw = conflicting(event_id, producer or source), without_signatures(value(row))
                contradicting[row] = BadEvent(
                    int(partitions[row]), int(offsets[row]), None, problem.code, problem.reason, company, event_id, raw
                )
        return fresh, repeated, contradicting
