"""One event whole: itself, what became of it, its neighbours, what caused it and what it caused."""

from __future__ import annotations

import re
from collections.abc import Sequence

from domain.access.rights import Principal
from domain.errors import NotFound
from domain.events.catalogue import STREAMS
from domain.ports import Placed
from eventlog.search.criteria import Criteria, Decisions, Scanned
from eventlog.search.event_json import EventJson, figures, visible_json
from eventlog.search.rights import scanned_for
from eventlog.search.search import EventMatch, EventSearch, Search

PLACE = re.compile(r"([a-z-]+):([0-9]{1,9})=([0-9]{1,18})")
CAUSES = 50  # of a chain, at most
EFFECTS = 100  # direct ones, at most
LOOK_BACK = (1_000, 10_000, 100_000)  # offsets, in which the neighbour before is looked for


class EventDetails:
    """Tells of one event all that the log and the projector's decisions know."""

    def __init__(self, search: EventSearch, decisions: Decisions) -> None:
        self._search = search
        self._decisions = decisions

    async def detail_of(
        self, principal: Principal, event: str, company: str = "*", topics: Sequence[str] = ()
    ) -> EventJson:
        """The event of an id, or at a place `topic:partition=offset`. Raises NotFound, Forbidden, Invalid.

        `neighbours` are of the same company and user in the same partition. Causes and effects are of the same company,
        and only of topics that the principal may read; `root` is False where a cause was not found.
        """
        scanned = Scanned()
        match = await self._find(principal, event, company, topics, scanned)
        own = match.envelope.company_id
        causes, root = await self._causes(principal, match, scanned)
        effects = await self._effects(principal, own, match.envelope.event_id, scanned)
        decision = await self._decisions.of(match.place)
        before, after = await self._before(principal, match, scanned), await self._after(principal, match, scanned)
        return {
            "event": visible_json(match, principal),
            "decision": {
                "outcome": decision.outcome,
                "reasons": [{"code": c, "reason": r} for c, r in decision.reasons],
            },
            "neighbours": {
                "before": visible_json(before, principal) if before else None,
                "after": visible_json(after, principal) if after else None,
            },
            "causes": [visible_json(cause, principal) for cause in causes],
            "root": root,
            "effects": [visible_json(effect, principal) for effect in effects],
            "scanned": figures(scanned_for(principal, scanned)),
        }

    async def _find(
        self, principal: Principal, event: str, company: str, topics: Sequence[str], scanned: Scanned
    ) -> EventMatch:
        if (place := read_place(event)) is not None:
            return await self._search.at(principal, place, company)
        match, walk = await self._search.by_id(principal, event, company, topics)
        scanned.add(walk.scanned)
        return match

    async def _causes(self, principal: Principal, match: EventMatch, scanned: Scanned) -> tuple[list[EventMatch], bool]:
        """The chain of causes, nearest first, and whether it ends at a first cause."""
        chain: list[EventMatch] = []
        seen = {match.envelope.event_id}
        company, cause = match.envelope.company_id, match.envelope.causation_id
        while cause and cause not in seen and len(chain) < CAUSES:
            try:
                match, walk = await self._search.by_id(principal, cause, company)
            except NotFound:
                return chain, False
            scanned.add(walk.scanned)
            chain.append(match)
            seen.add(cause)
            cause = match.envelope.causation_id
        return chain, not cause

    async def _effects(self, principal: Principal, company: str, event_id: str, scanned: Scanned) -> list[EventMatch]:
        if not event_id:
            return []
        walk = await self._search.walk(principal, Search(Criteria(company, causation_id=event_id)))
        effects = await self._search.first(walk, EFFECTS)
        scanned.add(walk.scanned)
        return effects

    async def _after(self, principal: Principal, match: EventMatch, scanned: Scanned) -> EventMatch | None:
        walk = await self._search.part(principal, match.place, _alike(match), match.place.offset + 1)
        events = await self._search.first(walk, 1)
        scanned.add(walk.scanned)
        return events[0] if events else None

    async def _before(self, principal: Principal, match: EventMatch, scanned: Scanned) -> EventMatch | None:
        """The nearest one before, within the last of LOOK_BACK."""
        end = match.place.offset
        for distance in LOOK_BACK:
            begin = max(0, match.place.offset - distance)
            walk = await self._search.part(principal, match.place, _alike(match), begin, end)
            events = await self._search.first(walk, 0)
            scanned.add(walk.scanned)
            if events:
                return events[-1]
            end = begin
        return None


def read_place(text: str) -> Placed | None:
    """The place that a text names; None for an id, which may hold any character."""
    match = PLACE.fullmatch(text)
    return Placed(match[1], int(match[2]), int(match[3])) if match and match[1] in STREAMS else None


def _alike(match: EventMatch) -> Criteria:
    return Criteria(match.envelope.company_id, user_id=match.envelope.user_id)
