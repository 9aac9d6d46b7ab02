"""Questions about live metrics, the same for HTTP, WebSocket, gRPC and the command line."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from domain.access.rights import Principal, Right, require, whole_company
from domain.errors import Invalid, NotFound
from domain.suggestion import LONGEST, did_you_mean
from projections.engine.declare.live_window import LiveWindow
from projections.engine.declare.registry import all_windows
from projections.engine.live.question import ViewQuestion, check
from read_api.live.metrics import LiveMetrics, Message

ALL = ""  # the metrics of a question that names none


@dataclass(frozen=True, slots=True)
class LiveQuestion:
    """A view, and those of its measures that are asked for; all of them where none is named."""

    view: ViewQuestion
    measures: tuple[str, ...] = ()

    async def document(self, live: LiveMetrics) -> Message:
        """What is known now. Raises Unavailable while the live lane is silent."""
        return self.select_measures(await live.document(self.view))

    async def messages(self, live: LiveMetrics) -> AsyncGenerator[Message]:
        """What is said, as it is said. Raises Unavailable while the live lane is silent."""
        async for message in live.messages(self.view):
            yield self.select_measures(message)

    def select_measures(self, document: Message) -> Message:
        """The document with the measures that are asked for."""
        if not self.measures:
            return document
        names = (*self.view.by, *self.measures)
        windows = [{**w, "rows": [_only(row, names) for row in w["rows"]]} for w in document["windows"]]
        return {**document, "windows": windows}


def _only(row: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    found = {name: row[name] for name in names if name in row}
    reasons = {name: why for name, why in row.get("reasons", {}).items() if name in names}
    return {**found, **({"reasons": reasons} if reasons else {})}


def live_questions(
    principal: Principal, company: str, metrics: str, width: str, by: str, filters: Mapping[str, str]
) -> list[LiveQuestion]:
    """What is asked of these metrics (comma-separated; all windows where none is named), as the principal may ask it.

    A metric is a live window, `window.measure`, or a measure that one window alone has. Raises Forbidden, NotFound,
    Invalid for a width, dimension or value that there is not.
    """
    wanted: dict[str, list[str]] = {}
    for name in filter(None, metrics.split(",")) if metrics else _windows(principal):
        window, measure = find_metric(name)
        wanted.setdefault(window.name, []).extend([measure] if measure else window.measures)
    dimensions = tuple(filter(None, by.split(",")))
    questions = []
    for name, measures in wanted.items():
        _require(principal, company, all_windows()[name][1])
        view = check(ViewQuestion(company, name, width or "1m", dimensions, tuple(sorted(filters.items()))))
        whole = set(measures) >= set(all_windows()[name][1].measures)
        questions.append(LiveQuestion(view, () if whole else tuple(measures)))
    return questions


def _windows(principal: Principal) -> list[str]:
    """The windows that the principal may see, where none is named."""
    return [name for name, (_, window) in all_windows().items() if not principal.member or window.of.open_to_members]


def find_metric(name: str) -> tuple[LiveWindow, str]:
    """The window of a live metric, and its measure, '' for all. Raises NotFound, Invalid for one of several windows."""
    window, _, measure = name.partition(".")
    if window in all_windows() and (not measure or measure in all_windows()[window][1].measures):
        return all_windows()[window][1], measure
    having = [w for _, w in all_windows().values() if name in w.measures]
    if len(having) > 1:
        raise Invalid(
            f"{name} is a measure of several windows: {', '.join(f'{w.name}.{name}' for w in having)}",
            code="bad_parameter",
        )
    if not having:
        there = [*all_windows(), *(m for _, w in all_windows().values() for m in w.measures)]
        raise NotFound(f"no live metric is called {name[:LONGEST]!r}{did_you_mean(name, there)}", code="unknown_metric")
    return having[0], name


def _require(principal: Principal, company: str, window: LiveWindow) -> None:
    if principal.member:
        require(principal, Right.OWN, company)
        if not window.of.open_to_members:
            raise whole_company(f"the live window {window.name!r}")
    else:
        require(principal, Right.DASHBOARDS, company)
