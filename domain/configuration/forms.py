"""Forms of fields that several aggregates have, declared once: what decoding checks, what documents and OpenAPI say.

Patterns are read by Python and by readers of OpenAPI alike; `$(?!\\n)` is the end in both.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

import msgspec
from msgspec import Meta

END = r"$(?!\n)"

Name = Annotated[str, Meta(min_length=1, max_length=120, pattern=r"\S", description="What people see.")]
Prose = Annotated[str, Meta(max_length=2000, description="A description in words.")]
Id = Annotated[str, Meta(pattern=rf"^[A-Za-z0-9_-]{{1,64}}{END}", description="1 to 64 of A-Z a-z 0-9 _ -.")]
QueryName = Annotated[
    str,
    Meta(
        pattern=rf"^[a-z][a-z0-9_]{{0,63}}{END}", description="A registered query; whether there is one is not checked."
    ),
]
MetricKey = Annotated[
    str,
    Meta(pattern=rf"^[a-z][a-z0-9_]{{0,63}}{END}", description="A key of the metric catalogue; not checked to exist."),
]
Number = Annotated[
    str,
    Meta(pattern=rf"^-?[0-9]{{1,12}}(\.[0-9]{{1,6}})?{END}", description="A decimal number as text, such as -0.25."),
]
Params = Annotated[
    dict[
        Annotated[str, Meta(pattern=rf"^[a-z][a-z0-9_]{{0,63}}{END}")],
        Annotated[str, Meta(max_length=1024)],
    ],
    Meta(max_length=32, description="Parameters of the query, as text."),
]
Email = Annotated[
    str,
    Meta(
        max_length=254, pattern=rf"^[^@\s<>,;]{{1,64}}@[^@\s<>,;]+\.[^@\s<>,;]+{END}", description="An e-mail address."
    ),
]
HttpsUrl = Annotated[
    str,
    Meta(
        max_length=2048,
        pattern=rf"^https://[^\s/@?#]+([/?#][^\s]*)?{END}",
        description="An https address without user.",
    ),
]
TimeZone = Annotated[str, Meta(min_length=1, max_length=64, description="IANA time zone, such as Europe/Zurich.")]
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
ClockTime = Annotated[str, Meta(pattern=rf"^([01][0-9]|2[0-3]):[0-5][0-9]{END}", description="HH:MM of the zone.")]
Subject = Annotated[str, Meta(min_length=1, max_length=256, pattern=r"\S", description="`sub` of a user's token.")]


@cache
def time_zones() -> frozenset[str]:
    """The IANA names of time zones; not that of whatever zone a server is in."""
    return frozenset(available_timezones() - {"localtime"})


def zone_problem(field: str, zone: str) -> Iterator[str]:
    """The problem of a time zone that is not known."""
    if zone not in time_zones():
        yield f"{field}: {zone!r} is no IANA time zone"


def repeated(field: str, texts: Sequence[str], key: str = "") -> Iterator[str]:
    """A problem for each text that another one before it equals; `key` is their field where they are ids."""
    seen: dict[str, int] = {}
    for place, one in enumerate(texts):
        first = seen.setdefault(one, place)
        if first != place:
            yield f"{field}[{place}]{key and f'.{key}'}: {one!r} is also {field}[{first}]{key and f'.{key}'}"


def text_problems(value: Any, field: str = "") -> Iterator[str]:
    """A problem for each text with a control character: later readers cannot store or print it safely."""
    if isinstance(value, str):
        if any((ch < " " and ch not in "\n\t") or ch == "\x7f" for ch in value):
            yield f"{field}: holds a control character"
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from text_problems(getattr(value, name), f"{field}.{name}" if field else name)
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from text_problems(key, field)
            yield from text_problems(inner, f"{field}.{key}")
    elif isinstance(value, tuple):
        for place, inner in enumerate(value):
            yield from text_problems(inner, f"{field}[{place}]")
