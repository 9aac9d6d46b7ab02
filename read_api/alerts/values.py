"""What is known of a watch: one question a window, for all rules and series together."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from cachetools import LRUCache

from domain.access.rights import Feature, Principal, Role, Tier, opens
from domain.alerting.conditions import Values
from domain.alerting.evaluation import Figures, series_of
from domain.alerting.watch import METRIC, Rule, Watch, newest, windows_of
from domain.errors import AnalyticsError, NotYet, Unavailable
from domain.metrics.catalogue import METRICS
from domain.metrics.metric import Unit
from projections.engine.declare.registry import read_beside
from projections.engine.query.composed import projections_of
from projections.engine.query.formatting import show_time
from projections.engine.query.request import Question

REMEMBERED = 20_000  # windows that are over, which the next period looks at again
ADDED_UP = (Unit.COUNT, Unit.MONEY)  # of which 0 is nothing


class Asks(Protocol):
    """Who answers: `read_api.answers.questions.Questions`."""

    async def ask(self, principal: Principal, question: Question) -> Mapping[str, Any]:
        """The answer, in the form of the API."""
        ...


class Reader:
    """Reads what watches are about, as a viewer of the company sees it. `tiers`: what companies have."""

    def __init__(self, asks: Asks, tiers: Mapping[str, Tier]) -> None:
        self._asks, self._tiers = asks, tiers
        self._past: LRUCache[tuple[str, int, int], tuple[Values, Collection[str]]] = LRUCache(REMEMBERED)

    async def figures(self, watch: Watch, rules: Sequence[Rule], at: int) -> Figures | str:
        """What is known at the end of a period (ms), or why nothing is. Raises Unavailable, NotYet."""
        newest_window = newest(watch.every)
        try:
            windows = sorted({window for rule in rules for window in windows_of(rule.rule.trigger)} | {newest_window})
            values = {window: await self._of(watch, at + window.begin, at + window.until) for window in windows}
        except (Unavailable, NotYet):
            raise
        except AnalyticsError as error:
            return str(error)
        return Figures({window: values for window, (values, _) in values.items()}, values[newest_window][1])

    def sees(self, company: str) -> bool:
        """Whether the tier of a company opens alerts; one that was never commanded does."""
        return opens(self._principal(company), Feature.ALERTS, company)

    def _principal(self, company: str) -> Principal:
        viewer = frozenset({Role.VIEWER})
        return Principal("alerter", frozenset({company}), viewer, Tier.PRO, stored_tiers=self._tiers)

    async def _of(self, watch: Watch, begin: int, until: int) -> tuple[Values, Collection[str]]:
        place = (watch.watch_id, begin, until)
        if place in self._past:
            return self._past[place]
        question = question_of(watch, begin, until)
        answer = await self._asks.ask(self._principal(watch.company), question)
        self._past[place] = read_rows(watch, answer["rows"])
        return self._past[place]


def question_of(watch: Watch, begin: int, until: int) -> Question:
    """The question of a watch about a span of time (ms)."""
    ends = {"from": show_time(_moment(begin)), "to": show_time(_moment(until))}
    return Question(watch.query, watch.company, {**watch.asks(), **ends}, _moment(until))


def read_rows(watch: Watch, rows: Sequence[Mapping[str, Any]]) -> tuple[Values, Collection[str]]:
    """The values of series, and of which of them something came: of sums, those that are not 0."""
    values, came = dict[str, str](), list[str]()
    for row in rows:
        series = series_of({name: row[name] for name in watch.by})
        value = row[watch.measure]
        if value is not None:
            values[series] = str(value)
        if _came(watch, row):
            came.append(series)
    return values, came


def _came(watch: Watch, row: Mapping[str, Any]) -> bool:
    if watch.query == METRIC:
        value, unit = row["value"], METRICS[watch.params["key"]].unit
        return value is not None and (unit not in ADDED_UP or float(value) != 0)
    figures = (value for name, value in row.items() if name not in watch.by and name != "reasons")
    return any(_is_figure(value) and float(value) != 0 for value in figures)


def _is_figure(value: object) -> bool:
    if isinstance(value, int | float):
        return True
    try:
        float(str(value))
    except ValueError:
        return False
    return True


def projections_behind(watch: Watch, at: int) -> frozenset[str]:
    """The projections whose rows the answers are made from. Raises Invalid, NotFound."""
    names = projections_of(question_of(watch, at - watch.period, at))
    return names | read_beside(names)


def _moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
