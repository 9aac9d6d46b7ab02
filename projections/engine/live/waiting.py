"""Messages that wait to be folded: so many, and so many bytes. What finds no room is counted, and is a gap."""

from __future__ import annotations

from collections import deque

MOST_MESSAGES = 50_000
MOST_BYTES = 32 * 2**20


class Waiting:
    """Messages by topic, the oldest first. `refused`: those for which there was no room; `size`: bytes that wait."""

    def __init__(self, topics: tuple[str, ...], most_messages: int, most_bytes: int) -> None:
        self._of: dict[str, deque[bytes]] = {topic: deque() for topic in topics}
        self._most_messages, self._most_bytes = most_messages, most_bytes
        self._messages = 0
        self.size = 0
        self.refused = 0

    def put(self, topic: str, message: bytes) -> None:
        """Let a message wait, if there is room."""
        if self._messages >= self._most_messages or self.size + len(message) > self._most_bytes:
            self.refused += 1
            return
        self._of[topic].append(message)
        self._messages += 1
        self.size += len(message)

    def take(self, topic: str, most: int) -> list[bytes]:
        """The oldest of a topic, so many at most: they wait no longer."""
        waiting = self._of[topic]
        messages = [waiting.popleft() for _ in range(min(most, len(waiting)))]
        self._messages -= len(messages)
        self.size -= sum(map(len, messages))
        return messages

    def count(self, topic: str) -> int:
        """How many of a topic wait."""
        return len(self._of[topic])

    def __len__(self) -> int:
        return self._messages
