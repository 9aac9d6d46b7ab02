"""A position: how far into the log something has got, as a set of partition offsets.

Text form (the position token of the API): `topic:partition=offset,...;topic:...`, sorted, where each offset is the
next one to be read. Example: `trading-events:0=120,1=98;user-behavior:0=7`. The empty position is the empty text.
A topic at its beginning is named (`config-events:0=0`) only where somebody rests on there being nothing of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from domain.errors import Invalid
from domain.whole_number import whole_number

TopicPartition = tuple[str, int]
MOST_PARTITIONS = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Position:
    """Next offset to be read of every partition; partitions that are not named are at 0."""

    offsets: Mapping[TopicPartition, int] = field(default_factory=lambda: MappingProxyType({}))

    def __getitem__(self, partition: TopicPartition) -> int:
        return self.offsets.get(partition, 0)

    def __str__(self) -> str:
        topics: dict[str, list[str]] = {}
        for (topic, partition), offset in sorted(self.offsets.items()):
            if offset > 0:
                topics.setdefault(topic, []).append(f"{partition}={offset}")
        return ";".join(f"{topic}:{','.join(parts)}" for topic, parts in topics.items())

    def naming(self, topics: Iterable[str]) -> str:
        """The text form, in which these topics are named where there is nothing of them yet, too: `topic:0=0`."""
        begun = {topic for (topic, _), offset in self.offsets.items() if offset > 0}
        sections = [f"{topic}:0=0" for topic in set(topics) - begun]
        return ";".join(sorted([*filter(None, str(self).split(";")), *sections])) if sections else str(self)

    @classmethod
    def parse(cls, text: str) -> Position:
        """Read the text form; raises Invalid where it is not one."""
        offsets: dict[TopicPartition, int] = {}
        for section in filter(None, text.strip().split(";")):
            topic, _, parts = section.partition(":")
            for part in parts.split(","):
                partition, _, offset = part.partition("=")
                try:
                    offsets[topic, whole_number(partition, 0, MOST_PARTITIONS)] = whole_number(offset)
                except ValueError:
                    raise Invalid(
                        f"{part!r} in position {text!r} is not partition=offset", code="bad_position"
                    ) from None
                if not topic:
                    raise Invalid(f"{part!r} in position {text!r} is of no topic", code="bad_position")
        return cls(offsets)

    def reaches(self, other: Position) -> bool:
        """Whether everything before `other` is also before this position."""
        return all(self[partition] >= offset for partition, offset in other.offsets.items())

    def merge(self, other: Position) -> Position:
        """The later of both, partition by partition."""
        return Position({**self.offsets, **{p: max(self[p], o) for p, o in other.offsets.items()}})

    def of_topics(self, topics: Iterable[str]) -> Position:
        """Only the partitions of these topics."""
        names = set(topics)
        return Position({p: o for p, o in self.offsets.items() if p[0] in names})
