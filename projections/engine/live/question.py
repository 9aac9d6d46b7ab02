"""What readers ask of the live lane, and where on the bus: all that both sides know of each other."""

from __future__ import annotations

import hashlib

import msgspec

from domain.errors import Invalid
from projections.engine.declare.registry import all_windows
from projections.engine.live.widths import width_of

FOLLOW_SUBJECT = "analytics.live-asked"  # subject of questions to be followed
STATUS_SUBJECT = "analytics.live-status"  # subject of figures, every second
LEASE = 10.0  # seconds that a view is kept up for somebody who asked


class ViewQuestion(msgspec.Struct, frozen=True):
    """What is followed: a window of a tenant in a width, rows merged by some dimensions, and of some values alone."""

    company: str
    window: str
    width: str = "1m"
    by: tuple[str, ...] = ()
    filters: tuple[tuple[str, str], ...] = ()

    @property
    def id(self) -> str:
        """The same for equal questions: a token of bus subjects."""
        return hashlib.blake2b(msgspec.json.encode(self), digest_size=12).hexdigest()


class FollowRequest(msgspec.Struct, frozen=True):
    """Somebody follows. `snapshot`: who has nothing yet wants the newest messages again. `since`: when the oldest
    window begins of which it has a message, as messages say it: a lane that knows nothing of that speaks of it again.
    """

    question: ViewQuestion
    snapshot: bool = False
    since: str = ""


def subject_of(question: ViewQuestion) -> str:
    """Where the messages of a view come."""
    return f"analytics.live.{question.company}.{question.id}"


def check(question: ViewQuestion) -> ViewQuestion:
    """The question, as it can be followed. Raises Invalid for a window, width, dimension or value that there is not."""
    if question.window not in all_windows():
        there = ", ".join(all_windows())
        raise Invalid(f"no live window is called {question.window[:40]!r}; there are {there}", code="bad_parameter")
    window = all_windows()[question.window][1]
    width_of(question.width)
    names = (*question.by, *(name for name, _ in question.filters))
    if unknown := [name for name in names if name not in window.dimensions]:
        there = ", ".join(window.dimensions) or "none"
        message = f"{', '.join(unknown)[:80]} is no dimension of {window.name}; there are {there}"
        raise Invalid(message, code="bad_parameter")
    if window.whole_rows:
        return msgspec.structs.replace(question, by=window.dimensions)
    return question
