"""Narrowing: what a fold or the database refuses of a batch is halved until single events are left; all others go in.

The one way for every batch that is stored, live, catching up or in a rebuild. The events that are left wait in
quarantine as refused by this definition of the projection, and whoever folds it again leaves them out: the decision is
made once, so that a rebuild gives what ran live also where the refusal came of what had been stored before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import polars as pl

from domain.errors import Defect
from projections.engine.fold.additive import fold
from projections.engine.fold.admission import Facts
from projections.engine.fold.log_order import ITEM_BITS, place_of
from projections.engine.project.bad_event_rate import BadEventRate, by_company
from projections.engine.project.failure import Culprit
from projections.engine.store.port import Folded, FoldFailed, Refusal

LONGEST = 1_000  # characters of a reason that are kept


def narrowed(folded: Folded, store: Callable[[Folded], None], gauge: BadEventRate) -> Iterator[Refusal]:
    """Store all of it but the events that are refused, which are given back.

    `store` stores a part or raises FoldFailed without having stored anything of it. One bad event of n costs about two
    times the work of the batch: its halves, the halves of the bad one, and so on. Raises FoldFailed where the gauge
    says that it is the projection's code that is wrong.
    """
    try:
        if folded.error is not None:
            raise folded.error
        store(folded)
    except FoldFailed as error:
        places = np.concatenate([facts.get_column("_seq").to_numpy() for facts in folded.facts.values()]) >> ITEM_BITS
        events = np.unique(places)
        if len(events) > 1:
            for half in _halves(folded.facts, int(events[len(events) // 2]) << ITEM_BITS):
                yield from narrowed(fold(folded.projection, half), store, gauge)
            return
        refusal = _refusal(folded, error)
        try:
            gauge.count(by_company(folded.facts), by_company(folded.facts))
        except Defect:
            culprit = Culprit(refusal.partition, refusal.offset, refusal.event_id, refusal.company_id)
            raise FoldFailed(folded.projection, error.cause, culprit, error.code) from error
        yield refusal
    else:
        gauge.count(by_company(folded.facts), {})


def _halves(facts: Facts, middle: int) -> Iterator[Facts]:
    """The facts before a place of the log, and those from there on."""
    for half in (pl.col("_seq") < middle, pl.col("_seq") >= middle):
        parts = {name: frame.filter(half) for name, frame in facts.items()}
        yield {name: part for name, part in parts.items() if part.height}


def _refusal(folded: Folded, error: FoldFailed) -> Refusal:
    fact = next(iter(folded.facts.values())).row(0, named=True)
    partition, offset, _ = place_of(fact["_seq"])
    return Refusal(
        folded.projection, partition, offset, error.code, str(error)[:LONGEST], fact["company_id"], fact["event_id"]
    )
