"""The configuration through the real engine: as its events made it, whatever their order, and whoever wrote them."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import pytest

from domain.configuration.dashboard import (
    CreateDashboard,
    DashboardArchived,
    DashboardRenamed,
    DashboardShared,
    Sharing,
)
from domain.configuration.kinds import Event as Decided
from domain.configuration.registry import write_body
from eventlog.publish.builders import config_event
from eventlog.publish.event import Event
from tests.projections.harness import COMPANY, ReadModels
from tests.support.any_configuration import EVENTS, decided

AT = 1_760_000_000_000
CREATED = decided("dashboard", CreateDashboard("first", sharing=Sharing("company")))
HISTORY: tuple[Decided, ...] = (CREATED, DashboardRenamed("second"), DashboardShared(Sharing("users", ("ann",))))


def relayed_event(version: int, topic: str, body: str, aggregate: str = "d") -> Event:
    """An event as the relay puts it into the log."""
    return config_event(
        company_id=COMPANY,
        event_id=f"{aggregate}-{version}",
        timestamp=AT + version,
        topic=topic,
        aggregate_id=aggregate,
        aggregate_version=version,
        body=body,
        actor=f"actor {version}",
        role="admin",
    )


def events(decisions: Iterable[Decided], aggregate: str = "d") -> list[Event]:
    """The events of one aggregate, from version 1 on."""
    return [relayed_event(n, e.topic, write_body(e).decode(), aggregate) for n, e in enumerate(decisions, 1)]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
async def test_versions_count_and_not_the_order_of_arrival(models: ReadModels, order: tuple[int, ...]) -> None:
    """A repaired event comes last and takes its place; until then the rest says that something is missing."""
    found = events(HISTORY)
    models.given([found[n] for n in order], batches_of=[1])
    [row] = await models.rows("dashboards")
    assert (row["name"], row["sharing"]) == ("second", {"audience": "users", "users": ["ann"]})
    assert (row["version"], row["changed_by"], row["unread_events"]) == (3, "actor 3", 0)


async def test_an_event_of_a_newer_release_holds_nothing_up(models: ReadModels) -> None:
    """It is counted and stays in the history; what this release can read goes on."""
    first, second, _ = events(HISTORY)
    newer = relayed_event(3, "dashboard.coloured", '{"colour":"red"}')
    more = relayed_event(4, "dashboard.renamed", '{"name":"third","colour":"red"}')
    models.given([first, second, newer, more, relayed_event(5, "dashboard.archived", "{}")])
    [row] = await models.rows("dashboards")
    assert (row["name"], row["archived"], row["version"], row["unread_events"]) == ("second", True, 5, 2)
    history = await models.rows("configuration_history")
    assert [(r["version"], r["topic"]) for r in history][2:4] == [(3, "dashboard.coloured"), (4, "dashboard.renamed")]
    assert history[2]["body"] == {"colour": "red"}


async def test_an_aggregate_that_begins_with_something_newer_is_in_the_history_alone(models: ReadModels) -> None:
    """There is nothing that could be shown of it; an aggregate of a kind that nobody knows is alike."""
    models.given(
        [
            relayed_event(1, "dashboard.created", '{"shape":"round"}'),
            relayed_event(2, "dashboard.archived", "{}"),
            relayed_event(1, "robot.built", "no JSON", "r"),
        ]
    )
    assert await models.rows("dashboards") == []
    assert [(r["id"], r["aggregate"], r["body"]) for r in await models.rows("configuration_history", id="r")] == [
        ("r", "robot", "no JSON")
    ]


async def test_viewers_see_what_is_shared_with_them_and_its_history(models: ReadModels) -> None:
    """The owner always; others by the sharing of now, and not while an event is unread that may have changed it."""
    private = decided("dashboard", CreateDashboard("mine"))
    open_to_all = decided("dashboard", CreateDashboard("all", sharing=Sharing("company")))
    shared = [*events(HISTORY, "listed"), *events([private], "private"), *events([open_to_all], "open")]
    unread = [
        *events([open_to_all], "unread"),
        relayed_event(2, "dashboard.shared", '{"sharing":{"to":"ben"}}', "unread"),
    ]
    rule = next(e for e in EVENTS if e.topic == "alert_rule.created")
    models.given([*shared, *unread, *events([rule], "rule")])
    seen = {who: {r["id"] for r in await models.rows("dashboards", viewer=who)} for who in ("u1", "ann", "ben")}
    assert seen == {"u1": {"listed", "private", "open", "unread"}, "ann": {"listed", "open"}, "ben": {"open"}}
    for who, dashboards in seen.items():
        history = await models.rows("configuration_history", viewer=who)
        assert {r["id"] for r in history} == dashboards | {"rule"}
    assert len(await models.rows("dashboards")) == 4


async def test_filters_and_flags_narrow_a_list(models: ReadModels) -> None:
    """By state and by name."""
    models.given([*events([CREATED, DashboardArchived()], "a"), *events([CREATED], "b")])
    assert [r["id"] for r in await models.rows("dashboards", archived="true")] == ["a"]
    assert [r["id"] for r in await models.rows("dashboards", archived="false", name="first")] == ["b"]
    assert await models.rows("dashboards", owner="somebody") == []
