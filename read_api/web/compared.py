"""What numbers were a year before, for those who compare with that."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo
from typing import Any

from domain.access.rights import Principal
from domain.configuration.dashboard import FILTERS
from domain.errors import Forbidden, Invalid
from projections.engine.query.request import Question
from read_api.dashboards.documents import PERIOD
from read_api.services import ReadServices

METRICS = "metrics"  # the query that answers several at once
YEAR = timedelta(days=365)


async def a_year_before(
    side: ReadServices, principal: Principal, answer: Mapping[str, Any], now: datetime, zone: tzinfo
) -> Mapping[str, Mapping[str, Any]]:
    """The row of each number's metric in the same period a year before, by tile; nothing where there is none.

    `zone`: in which a year before is the same time of day.

    Raises what answering raises, but for what is closed to the principal or cannot be asked so.
    """
    alike: dict[tuple[tuple[str, str], ...], list[Mapping[str, Any]]] = {}
    for tile in answer["tiles"]:
        if tile["kind"] == "number" and tile["rows"] and {"key", *PERIOD} <= tile["rows"][0].keys():
            alike.setdefault(tuple(_params_before(tile, zone).items()), []).append(tile)
    found: dict[str, Mapping[str, Any]] = {}
    for asked, tiles in alike.items():
        keys = ",".join(sorted({tile["rows"][0]["key"] for tile in tiles}))
        question = Question(METRICS, answer["company"], {**dict(asked), "keys": keys}, now)
        try:
            rows = (await side.questions.ask(principal, question))["rows"]
        except (Forbidden, Invalid):
            continue  # compared with nothing
        by_key = {row["key"]: row for row in rows}
        found |= {tile["id"]: by_key.get(tile["rows"][0]["key"], {}) for tile in tiles}
    return found


def _params_before(tile: Mapping[str, Any], zone: tzinfo) -> dict[str, str]:
    """Its filters, and its period a year before."""
    row = tile["rows"][0]
    period = {name: _before(str(row[name]), zone) for name in PERIOD}
    return {**{name: text for name, text in tile["params"].items() if name in FILTERS}, **period}


def _before(moment: str, zone: tzinfo) -> str:
    return (datetime.fromisoformat(moment).astimezone(zone) - YEAR).isoformat()
