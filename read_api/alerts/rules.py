"""Alert rules as they were at each moment, by what is decided in the event store itself, which is never behind."""

from __future__ import annotations

import logging
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import msgspec

from domain.alerting.alert_store import AlertStore
from domain.alerting.watch import Rule, Watch, watch_of
from domain.configuration.alert_rule import ALERT_RULE, AlertRule
from domain.configuration.event_store import Stored, event_of, read_state
from domain.errors import AnalyticsError

logger = logging.getLogger(__name__)


class Since(NamedTuple):
    """What a rule was from a moment on (ms)."""

    at: int
    rule: AlertRule


class History(msgspec.Struct):
    """What a rule was, from each of its events on; `company`: whose it is."""

    company: str
    since: list[Since]

    def at(self, moment: int) -> AlertRule | None:
        """What it was at a moment; None before it was made."""
        place = bisect_right(self.since, moment, key=lambda each: each.at)
        return self.since[place - 1].rule if place else None


class RuleBook:
    """The rules of all companies, as far as they were read."""

    def __init__(self, store: AlertStore) -> None:
        self._store = store
        self._histories: dict[str, History] = {}
        self._read = 0  # number of the last event
        self._of_watch: dict[str, set[str]] = {}  # rules that ever watched it

    async def read(self) -> list[tuple[Watch, int]]:
        """Read what was decided since; the watches of rules that changed, each since when (ms). Raises Unavailable."""
        begun: dict[str, tuple[Watch, int]] = {}
        for stored in await self._store.decided(self._read):
            self._read = stored.number
            for watch, at in self._take(stored):
                begun.setdefault(watch.watch_id, (watch, at))
        return list(begun.values())

    def _take(self, stored: Stored) -> Iterator[tuple[Watch, int]]:
        state, rule_id = read_state(stored), str(stored.aggregate_id)
        history = self._histories.setdefault(rule_id, History(state.company_id, []))
        before = history.since[-1].rule if history.since else None
        try:
            after = ALERT_RULE.evolve(before, event_of(stored))
        except AnalyticsError as error:  # of a newer release: the rule stays as far as this one reads it
            logger.warning("alert rule %s: %s", rule_id, error)
            return
        last = history.since[-1].at if history.since else 0
        history.since.append(Since(max(state.at, last), after))
        watch = watch_of(state.company_id, after.trigger)
        self._of_watch.setdefault(watch.watch_id, set()).add(rule_id)
        yield watch, state.at

    def at(self, watch: Watch, moment: int) -> list[Rule]:
        """The rules that watch this at a moment, by id: those that are enabled and not put away."""
        rules = ((rule_id, self._histories[rule_id].at(moment)) for rule_id in self._of_watch.get(watch.watch_id, ()))
        return sorted(Rule(rule_id, rule) for rule_id, rule in rules if rule is not None and _watches(rule, watch))

    def now(self, watch: Watch) -> Mapping[str, Rule]:
        """All rules that ever watched this, as they are now, by id."""
        return {
            each: Rule(each, self._histories[each].since[-1].rule) for each in self._of_watch.get(watch.watch_id, ())
        }

    def find(self, company: str, rule_id: str) -> AlertRule | None:
        """A rule as it is now; None where the company has none of that id."""
        history = self._histories.get(rule_id)
        return history.since[-1].rule if history and history.company == company else None


def _watches(rule: AlertRule, watch: Watch) -> bool:
    return rule.enabled and not rule.archived and watch_of(watch.company, rule.trigger) == watch
