"""What stored versions have not folded yet."""

from __future__ import annotations

from domain.position import Position, TopicPartition
from projections.engine.declare.registry import all_projections
from projections.engine.store.port import ProjectionStatus

Span = tuple[int, int]  # offsets: from, and up to but without


def behind(status: ProjectionStatus, head: Position) -> dict[TopicPartition, Span]:
    """What a stored version has not folded: from which offset to which, by topic and partition."""
    projection = all_projections().get(status.name)
    topics = projection.topics if projection else {topic for topic, _ in status.offsets}
    ends = head.of_topics(topics).offsets
    return {at: (status.offsets.get(at, 0), end) for at, end in ends.items() if end > status.offsets.get(at, 0)}
