"""The role `indexer`: follows the log and keeps, for each full block, what it holds, so that searches may pass it over.

Of a block that is being filled it holds what the row will tell, and few of the records: 32 blocks of whole ones were
100 MB and more. The index is disposable. Killed and started again, the indexer goes on where the rows end, with the
same blocks; rows that are missing are made again, and until then searches read what they do not know.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from common.envelope_pb2 import AnalyticsProcessingEnvelope
from google.protobuf.message import DecodeError
from numpy.typing import NDArray

from domain.events.catalogue import MAX_ID
from domain.ports import EventLog
from domain.position import Position, TopicPartition
from eventlog.columns import array_of, decode_envelopes
from eventlog.search.blocks import BLOCK, Block, follow_blocks
from eventlog.search.bloom import checksums, filter_of_checksums
from eventlog.search.criteria import BlockSummary, EventIndex

IDENTITIES = ("event_id", "user_id", "correlation_id", "causation_id")
FIELDS = ("company_id", "message_type", "timestamp", *IDENTITIES)
LISTED = 200  # names of companies or event types in one block, beyond which they are not listed
UNREAD = 262_144  # bytes of a block's records that may wait to be read: few at a time cost more


async def index(
    log: EventLog, events: EventIndex, topics: Sequence[str], stop: asyncio.Event, *, size: int = BLOCK
) -> None:
    """Keep the index at the head of the log, less the block that is being filled, until `stop` is set.

    `size` is records of a block. Raises what the log or the index raises.
    """
    start = Position()
    for topic in topics:
        starts, heads = await log.starts(topic), await log.heads(topic)
        await events.forget(topic, {p: (first, heads[p]) for p, first in starts.items()})
        start = start.merge(await events.reached(topic, starts))

    filling: dict[TopicPartition, Filling] = {}

    async def keep(piece: Block) -> None:
        place = piece.topic, piece.partition
        block = filling.setdefault(place, Filling(piece.first_offset))
        await asyncio.to_thread(block.add, piece)
        if piece.next_offset % size == 0:
            await events.add(filling.pop(place).summary(piece))

    await follow_blocks(log, topics, start, keep, stop, size, max_age=None, max_bytes=UNREAD)


@dataclass(slots=True)
class Filling:
    """What is known of a block that comes in pieces; of each identity its checksum, so that no text stays."""

    first_offset: int
    records: int = 0
    size: int = 0
    times: list[int] = field(default_factory=list)  # the first and the last
    companies: list[str] | None = field(default_factory=list)
    types: list[str] | None = field(default_factory=list)
    identities: list[NDArray[np.uint32]] = field(default_factory=list)

    def add(self, piece: Block) -> None:
        """Take what the row needs of the piece, of the records that are envelopes."""
        columns = _columns(piece.values)
        self.records += len(piece.values)
        self.size += sum(map(len, piece.values))
        if columns.height:
            times = columns.get_column("timestamp").to_numpy()
            self.times = [*self.times, int(times.min()), int(times.max())]
            self.times = [min(self.times), max(self.times)]
        self.companies = _listed(self.companies, columns.get_column("company_id"))
        self.types = _listed(self.types, columns.get_column("message_type"))
        self.identities.append(checksums(_filtered(columns)))

    def summary(self, last: Block) -> BlockSummary:
        """The row of the block that ends with this piece."""
        first, latest = self.times or (None, None)
        return BlockSummary(
            topic=last.topic,
            partition=last.partition,
            first_offset=self.first_offset,
            next_offset=last.next_offset,
            records=self.records,
            size=self.size,
            min_time=first,
            max_time=latest,
            appended_at=last.appended_at,
            companies=self.companies,
            types=self.types,
            identities=filter_of_checksums(np.unique(np.concatenate(self.identities))),
        )


def _columns(values: Sequence[bytes]) -> pl.DataFrame:
    """The members that the index knows, of every record that a search would take for an envelope."""
    columns, undecoded = decode_envelopes(array_of(values), FIELDS)
    if not undecoded:
        return columns
    # what only the slower parser takes counts as well: a search parses with that one
    more = [{name: getattr(e, name) for name in FIELDS} for e in _parsed(values[i] for i in undecoded)]
    return pl.concat([columns.select(FIELDS), pl.DataFrame(more, columns.select(FIELDS).schema)])


def _parsed(values: Iterable[bytes]) -> Iterable[AnalyticsProcessingEnvelope]:
    for value in values:
        try:
            yield AnalyticsProcessingEnvelope.FromString(value)
        except DecodeError:
            continue


def _filtered(columns: pl.DataFrame) -> set[bytes]:
    """What the filter is made of: every id by itself, and with its company (`eventlog.search.criteria.filter_key`)."""
    keys = set[bytes]()
    for name in IDENTITIES:
        named = columns.filter(pl.col(name) != "").select(
            pl.col(name), keyed=pl.concat_str("company_id", pl.lit("\0"), name)
        )
        keys.update(*(column.cast(pl.Binary) for column in named.unique().iter_columns()))
    return keys


def _listed(values: list[str] | None, more: pl.Series) -> list[str] | None:
    """All names in order; None where they are too many, or one cannot be kept as a text of the database."""
    if values is None:
        return None
    listed = sorted({*values, *more.to_list()})
    storable = all(len(name.encode()) <= MAX_ID and "\0" not in name for name in listed)
    return listed if storable and len(listed) <= LISTED else None
