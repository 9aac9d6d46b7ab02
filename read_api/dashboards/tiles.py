"""The tiles of a dashboard as somebody may see them: each a question, or the reason why there is none.

What role or tier close is shown as closed; what a tile cannot be asked says so. Neither spoils the others.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec
from cachetools import LRUCache

from domain.configuration.dashboard import Tile
from domain.errors import AnalyticsError, Forbidden, Invalid
from projections.engine.query.request import Question
from read_api.dashboards.documents import END, PERIOD, POINT, left_open
from read_api.dashboards.tile_answers import PENDING

OPEN, CLOSED, NEEDS, FAILED = "open", "closed", "needs", "failed"
STATES: Mapping[str, str] = {"missing_parameter": NEEDS, PENDING: PENDING}  # by the code of an error
STANDS_FOR = ("definition_version", "position", "as_of", "complete", "lag_ms")
NOT_EXTRA = frozenset({"query", "rows", *STANDS_FOR})
MOST_MARKS = 2_000  # rows of a tile: a screen shows no more
BARS = frozenset({"market_bars", "indicator"})  # queries whose rows are bars: each third of them would mislead
MOST_BARS = 500  # of a tile: the newest
_fewer: LRUCache[int, tuple[list[Any], list[Any]]] = LRUCache(100)  # of answers that have more rows, by their ids


@dataclass(frozen=True, slots=True)
class TileRequest:
    """A tile with its question as whoever asks may put it, or the error where they may not or cannot.

    `left_out`: parameters of the dashboard that mean nothing to its query.
    """

    tile: Tile
    params: Mapping[str, str]
    left_out: tuple[str, ...]
    question: Question | AnalyticsError


def tile_request(
    tile: Tile,
    of_company: Question,
    params: Mapping[str, str],
    allowed: Callable[[Question], Question],
    needs: Collection[str] = (),
) -> TileRequest:
    """What a tile asks, of the company and at the moment of a question, with what it leaves open from `params`.

    What is asked of this tile alone (`tile.name`) takes the place of what it says itself. `needs`: what must be among
    them where the tile leaves it open.
    """
    known, (_, to) = left_open(tile), PERIOD
    given = {name: value for name, value in params.items() if name in known}
    if to in params and to not in known and END in known:
        given[END] = params[to]
    meant = {*given, *needs, *([to] if END in given else [])}  # whose the dashboard is, need not be said of each tile
    left_out = tuple(name for name in params if name not in meant and POINT not in name)
    prefix = tile.id + POINT
    own = {name.removeprefix(prefix): text for name, text in params.items() if name.startswith(prefix)}
    whole = {**given, **tile.params, **own}
    try:
        question: Question | AnalyticsError = allowed(replace(of_company, name=tile.query, params=whole))
        if missing := sorted(name for name in needs if name in known and name not in given):
            question = Invalid(f"{tile.query} needs {missing[0]}", code="missing_parameter")
    except AnalyticsError as error:
        question = error
    return TileRequest(tile, whole, left_out, question)


def tile_answer(one: TileRequest, content: Mapping[str, Any] | AnalyticsError | None) -> dict[str, Any]:
    """The tile as answers show it: what it is, its state, what it stands for, and its rows or its problem."""
    tile, error = one.tile, one.question if content is None else content
    found = {
        "id": tile.id,
        "title": tile.title,
        "kind": tile.kind,
        "layout": msgspec.to_builtins(tile.layout),
        "query": tile.query,
        "params": dict(one.params),
        "left_out": list(one.left_out),
        "state": OPEN,
        "problem": None,
        **dict.fromkeys(STANDS_FOR),
        "complete": False,
        "every": 1,
        "extra": {},
        "rows": [],
    }
    if isinstance(error, AnalyticsError):
        problem = {"code": error.code, "detail": str(error), "suggested_actions": list(error.suggested_actions)}
        return found | {"state": _state(error), "problem": problem}
    assert isinstance(content, Mapping)
    rows, every = _marks(content["rows"], newest=tile.query in BARS)
    extra = {name: value for name, value in content.items() if name not in NOT_EXTRA}
    stands_for = {name: content[name] for name in STANDS_FOR}
    return found | {**stands_for, "every": every, "extra": extra, "rows": rows}


def _marks(rows: list[Any], *, newest: bool) -> tuple[list[Any], int]:
    """The rows that a tile shows, and for how many each stands: the newest, or one of so many and the last of all.

    Of the same list it is the same list, so that nobody looks at its rows again to see whether they have changed.
    """
    every = 1 if newest else -(-len(rows) // MOST_MARKS) or 1
    if every == 1 and not (newest and len(rows) > MOST_BARS):
        return rows, every
    known = _fewer.get(id(rows))
    if known is None or known[0] is not rows:
        last = rows[-1:] if (len(rows) - 1) % every else []
        known = _fewer[id(rows)] = rows, rows[-MOST_BARS:] if newest else [*rows[::every], *last]
    return known[1], every


def _state(error: AnalyticsError) -> str:
    return CLOSED if isinstance(error, Forbidden) else STATES.get(error.code, FAILED)
