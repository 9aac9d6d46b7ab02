"""The picker of a dashboard's market tiles: whose price is shown, in which bars, with which indicator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from domain.errors import Forbidden
from domain.events.catalogue import INTERVALS
from projections.engine.query.request import Question
from read_api.dashboards.documents import POINT, Document
from read_api.http.request import HttpRequest, asked_at
from read_api.services import ReadServices
from read_api.web.address import MARKET, Address

BARS, INDICATOR = "market_bars", "indicator"  # queries of tiles that show one market
SYMBOL, INTERVAL = "symbol", "interval"
CHOICE, _, OUTPUT = MARKET  # members of the address
MOST = 500  # symbols that are suggested


class Picker(NamedTuple):
    """What there is to choose from, and what is chosen; `hidden`: the other members of the address."""

    symbols: Sequence[str]
    symbol: str
    intervals: Sequence[str]
    interval: str
    indicators: Mapping[str, str]
    indicator: str
    hidden: Sequence[tuple[str, str]]

    def params(self, document: Document) -> dict[str, str]:
        """What is asked of each market tile alone."""
        chosen = {SYMBOL: self.symbol, INTERVAL: self.interval, OUTPUT: self.indicator}
        asked = {BARS: (SYMBOL, INTERVAL), INDICATOR: (SYMBOL, INTERVAL, OUTPUT)}
        return {
            tile.id + POINT + name: chosen[name]
            for tile in document.contents.tiles
            for name in asked.get(tile.query, ())
            if chosen[name]
        }


async def picker_of(request: HttpRequest, document: Document, address: Address) -> Picker | None:
    """The picker; None for a dashboard without a tile of a market. Raises as `Questions.ask`."""
    tiles = {tile.query: tile for tile in document.contents.tiles if tile.query in (BARS, INDICATOR)}
    if not tiles:
        return None
    symbols = await _symbols(request, address.company)
    usual = {**(tiles[INDICATOR].params if INDICATOR in tiles else {}), **(tiles[BARS].params if BARS in tiles else {})}
    symbol = address.filters.get(SYMBOL) or address.market.get(CHOICE) or next(iter(symbols), "")
    interval = address.market.get(INTERVAL) or usual.get(INTERVAL, INTERVALS[-1])
    indicators = await _indicators(request, address.company) if INDICATOR in tiles else {}
    indicator = address.market.get(OUTPUT) or usual.get(OUTPUT, "")
    hidden = [(name, text) for name, text in address.members() if name not in MARKET]
    return Picker(symbols, symbol, INTERVALS, interval, indicators, indicator, hidden)


async def _symbols(request: HttpRequest, company: str) -> Sequence[str]:
    """Those that were traded, the most often traded first; none where the caller may not see that."""
    side: ReadServices = request.app.state.side
    asked = Question("trading_totals", company, {"by": SYMBOL}, asked_at(request))
    try:
        rows = (await side.questions.ask(request.user.principal, asked))["rows"]
    except Forbidden:
        return ()
    return [row[SYMBOL] for row in sorted(rows, key=lambda row: (-row["total_trades"], row[SYMBOL]))[:MOST]]


async def _indicators(request: HttpRequest, company: str) -> Mapping[str, str]:
    """Title of each indicator."""
    side: ReadServices = request.app.state.side
    asked = Question("indicators", company, {}, asked_at(request))
    try:
        rows = (await side.questions.ask(request.user.principal, asked))["rows"]
    except Forbidden:
        return {}
    return {row["indicator"]: row["title"] for row in rows}
