"""The role `indexer`: follows the log and keeps, for each full block, what it holds, so that searches may pass it over.

The index is disposable. Killed and started again, the indexer goes on where the rows end, with the same blocks; rows
that are missing are made again, and until then searches read what they do not know.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

import polars as pl
from common.envelope_pb2 import AnalyticsProcessingEnvelope
from google.protobuf.message import DecodeError

from app.log_blocks import BLOCK, Block, follow_blocks
from domain.bloom import filter_of
from domain.event_search import BlockSummary, EventIndex
from domain.events import MAX_ID
from domain.ports import EventLog
from domain.position import Position
from projections.engine.decode import decode_envelopes

IDENTITIES = ("event_id", "user_id", "correlation_id", "causation_id")
FIELDS = ("company_id", "message_type", "timestamp", *IDENTITIES)
LISTED = 200  # names of companies or event types in one block, beyond which they are not listed


async def index(
    log: EventLog, events: EventIndex, topics: Sequence[str], stop: asyncio.Event, *, size: int = BLOCK
) -> None:
    """Keep the index at the head of the log, less the block that is being filled, until `stop` is set."""
    start = Position()
    for topic in topics:
        starts, heads = await log.starts(topic), await log.heads(topic)
        await events.forget(topic, {p: (first, heads[p]) for p, first in starts.items()})
        start = start.merged(await events.reached(topic, starts))

    async def keep(block: Block) -> None:
        await events.add(await asyncio.to_thread(summary, block))

    await follow_blocks(log, topics, start, keep, stop, size, max_age=None)


def summary(block: Block) -> BlockSummary:
    """What the block holds, of the records that are envelopes."""
    columns = _columns(block.values)
    first, last = columns.select(first=pl.min("timestamp"), last=pl.max("timestamp")).row(0)
    texts = {text for name in IDENTITIES for text in columns.get_column(name).cast(pl.Binary).unique()}
    return BlockSummary(
        topic=block.topic,
        partition=block.partition,
        first_offset=block.first_offset,
        next_offset=block.next_offset,
        records=len(block.values),
        size=sum(map(len, block.values)),
        min_time=first,
        max_time=last,
        appended_at=block.appended_at,
        companies=_listed(columns.get_column("company_id").unique()),
        types=_listed(columns.get_column("message_type").unique()),
        identities=filter_of(texts - {b""}),
    )


def _columns(values: Sequence[bytes]) -> pl.DataFrame:
    """The members that the index knows, of every record that a search would take for an envelope."""
    columns, undecoded = decode_envelopes(values, FIELDS)
    # what only the slower parser takes counts as well: a search parses with that one
    more = [{name: getattr(e, name) for name in FIELDS} for e in _parsed(values[i] for i in undecoded)]
    return pl.concat([columns.select(FIELDS), pl.DataFrame(more, columns.select(FIELDS).schema)])


def _parsed(values: Iterable[bytes]) -> Iterable[AnalyticsProcessingEnvelope]:
    for value in values:
        try:
            yield AnalyticsProcessingEnvelope.FromString(value)
        except DecodeError:
            continue


def _listed(names: pl.Series) -> list[str] | None:
    """The names in order; None where they are too many, or one cannot be kept as a text of the database."""
    listed = sorted(names.to_list())
    storable = all(len(name.encode()) <= MAX_ID and "\0" not in name for name in listed)
    return listed if storable and len(listed) <= LISTED else None
