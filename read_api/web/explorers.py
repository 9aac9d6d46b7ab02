"""Questions that people put together on a page, each a form over one query; its answer is a tile like any other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

from domain.configuration.dashboard import Layout, Tile, TileKind
from domain.name_list import name_list
from projections.queries.users.funnels_and_paths import MOST_STEPS

PLACE = Layout(0, 0, 12, 8)
LONGEST_TITLE = 120
EVENTS, EVENT, CHOICE, TEXT = "events", "event", "choice", "text"
_NAMING = ("steps", "begin", "end", "start", "return")  # parameters that a title tells


class Control(NamedTuple):
    """A parameter of the query as people set it: several events in order, one event, a choice, or a short text.

    `choices`: values with their words, of a choice or suggested of a text; empty is what the query does without it.
    """

    name: str
    label: str
    kind: str
    choices: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Explorer:
    """A page for one query. `views`: how its answer may be drawn, by kind of tile; `needs`: what must be chosen."""

    name: str
    title: str
    words: str
    query: str
    views: Mapping[TileKind, str]
    controls: Sequence[Control]
    needs: str = ""

    @property
    def path(self) -> str:
        """Where it is."""
        return f"/users/{self.name}"

    @property
    def lists(self) -> Sequence[str]:
        """Parameters that have several values."""
        return [control.name for control in self.controls if control.kind == EVENTS]

    def tile(self, chosen: Mapping[str, Sequence[str]], view: TileKind) -> Tile:
        """The tile of what was chosen."""
        named = {name: values for name, each in chosen.items() if (values := [value for value in each if value])}
        given = {name: name_list(each) if name in self.lists else each[0] for name, each in named.items()}
        about = " → ".join(" → ".join(each) for name, each in named.items() if name in _NAMING)
        title = f"{self.title}: {about}" if about else self.title
        return Tile(self.name, title[:LONGEST_TITLE], view, self.query, PLACE, given)


FUNNEL = Explorer(
    "funnel",
    "Funnel",
    "How many users get from step to step, and how long it takes them.",
    "funnel",
    {"funnel": "Chart", "table": "Table"},
    (
        Control("steps", "Steps, the first one first", EVENTS),
        Control(
            "order",
            "Order",
            CHOICE,
            {"": "In this order", "strict": "In this order, nothing in between", "any": "In any order"},
        ),
        Control(
            "window",
            "All within",
            TEXT,
            {"": "7 days", "30m": "30 minutes", "1h": "an hour", "1d": "a day", "30d": "30 days", "90d": "90 days"},
        ),
        Control("exclude", "But not with", EVENTS),
        Control(
            "by",
            "Broken down by",
            CHOICE,
            {"": "Nothing", "day": "Day", "week": "Week", "month": "Month", "subject": "What the first step was about"},
        ),
    ),
    needs="steps",
)
PATHS = Explorer(
    "paths",
    "Paths",
    "What users do one after the other, from an event or up to one, the most frequent first.",
    "journey",
    {"flow": "Flow"},
    (
        Control("begin", "From", EVENT),
        Control("end", "Or up to", EVENT),
        Control("length", "Events of a path", CHOICE, {"": "5", "4": "4", "3": "3", "2": "2"}),
        Control("of", "Of", CHOICE, {"": "Users", "sessions": "Sessions"}),
        Control("detail", "Told by", CHOICE, {"": "Name", "subject": "Name and feature or page"}),
        Control("repeats", "The same again", CHOICE, {"": "Is one", "true": "Counts as often"}),
        Control("top", "Paths", CHOICE, {"": "20", "50": "50", "100": "100"}),
    ),
)
RETENTION = Explorer(
    "retention",
    "Retention",
    "Who came back, by when they came first.",
    "retention",
    {"heat_map": "Table of colours", "line": "Curves", "table": "Table of figures"},
    (
        Control("unit", "Ages in", CHOICE, {"": "Days", "week": "Weeks", "month": "Months"}),
        Control(
            "measure",
            "Came back",
            CHOICE,
            {
                "": "On that day, week or month",
                "on_or_after": "Then or later",
                "on_or_before": "By then",
                "brackets": "Within brackets of ages",
                "streak": "Every time up to then",
            },
        ),
        Control("age", "Ages counted", CHOICE, {"": "By the calendar", "rolling": "From each user's first moment"}),
        Control("start", "First did", EVENT),
        Control("return", "Came back with", EVENT),
        Control("what", "Of", CHOICE, {"": "Users", "revenue": "What they paid"}),
        Control("mean", "Mean of cohorts", CHOICE, {"": "Weighted by their size", "simple": "Each the same"}),
        Control("ages", "Ages shown", TEXT, {"": "All", "8": "8", "12": "12", "24": "24"}),
    ),
)
EXPLORERS: Mapping[str, Explorer] = MappingProxyType({each.name: each for each in (FUNNEL, PATHS, RETENTION)})


def edited(values: Sequence[str], deed: str) -> list[str]:
    """A list of values after a deed of one of its buttons: `add NAME`, `up N`, `down N` or `remove N`, counted from 0.

    What is none of these changes nothing.
    """
    verb, _, about = deed.partition(" ")
    left = [value for value in values if value]
    if verb == "add" and about and len(left) < MOST_STEPS:
        return [*left, about]
    place = int(about) if about.isascii() and about.isdecimal() and len(about) < 3 else -1
    if not 0 <= place < len(left):
        return left
    if verb == "remove":
        return left[:place] + left[place + 1 :]
    other = place + {"up": -1, "down": 1}.get(verb, 0)
    if 0 <= other < len(left):
        left[place], left[other] = left[other], left[place]
    return left
