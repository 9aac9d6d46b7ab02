"""Lists of names in one text: separated by commas, and in quotes where a name has a comma, a quote or outer spaces."""

from __future__ import annotations

import re
from collections.abc import Iterable

_NAME = re.compile(r'\s*(?:"((?:[^"]|"")*)"\s*|([^,"][^,]*)?)(?:,|\Z)')


def read_name_list(text: str) -> tuple[str, ...]:
    """The names of a list as `name_list` writes it; empty ones are left out.

    Without quotes, spaces around a name are none of it. Raises ValueError where quotes are not closed, or something
    follows them.
    """
    names, place = [], 0
    while place < len(text):
        match = _NAME.match(text, place)
        if match is None:
            raise ValueError(f'{text[place : place + 50]!r} is not quoted as it should: "a, b" or "say ""c"""')
        quoted, plain = match.groups()
        names.append(plain.strip() if plain is not None else (quoted or "").replace('""', '"'))
        place = match.end()
    return tuple(filter(None, names))


def name_list(names: Iterable[str]) -> str:
    """The names as one text; quoted where they must be."""
    return ",".join(map(_quoted, names))


def _quoted(name: str) -> str:
    if name and name == name.strip() and "," not in name and '"' not in name:
        return name
    return '"' + name.replace('"', '""') + '"'
