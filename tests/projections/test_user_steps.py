"""User steps: every event at its moment, each user's firsts, recounted; and a funnel from the rows."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from domain.metrics.engagement.events import Events
from domain.metrics.engagement.funnel import FunnelQuestion, funnel, steps_of
from eventlog.publish.builders import user_event
from tests.domain.metrics.engagement.streams import column
from tests.projections.harness import ReadModels
from tests.projections.test_user_activity import done, moment, ms, of, random_facts

SAME_MILLISECOND = Path(__file__).parent.parent / "data/faults/same-millisecond-steps.ndjson"


async def test_steps_keep_the_order_of_a_user(models: ReadModels) -> None:
    """By day, user and moment; the feature is what an event is about."""
    history = [
        done("ann", "feature_used", "2025-10-08T09:00:00.002", feature="charts"),
        done("ann", "click", "2025-10-08T09:00:00.001", session="s1"),
        done("ann", "click", "2025-10-08T09:00:00.001", session="s1"),
        done("ann", "click", "2025-10-07T10:00:00"),
    ]
    models.given((f.event for f in history), batches_of=(1, 2))
    rows = await models.rows("user_steps", user_id="ann")
    assert [(r["at"], r["name"], r["subject"], r["session_id"], r["times"]) for r in rows] == [
        ("2025-10-07T10:00:00Z", "click", "", "", 1),
        ("2025-10-08T09:00:00.001Z", "click", "", "s1", 2),
        ("2025-10-08T09:00:00.002Z", "feature_used", "charts", "", 1),
    ]
    (clicks,) = await models.rows("user_firsts", name="click")
    assert clicks == {
        "name": "click",
        "user_id": "ann",
        "first_at": "2025-10-07T10:00:00Z",
        "last_at": "2025-10-08T09:00:00.001Z",
        "times": 3,
    }


@pytest.mark.parametrize("seed", [1, 2])
async def test_equals_a_recount(models: ReadModels, seed: int) -> None:
    """Every event is there once, and totals and firsts follow."""
    facts = random_facts(seed)
    models.given((f.event for f in facts), batches_of=(7, 150, 1, 64))
    own = of("acme", facts)
    rows = await models.rows("user_steps", limit="5000")
    expected = Counter((f.user, ms(f.at), f.name, f.feature, f.session) for f in own)
    found = {(r["user_id"], ms(moment(r["at"][:-1])), r["name"], r["subject"], r["session_id"]): r for r in rows}
    assert {key: row["times"] for key, row in found.items()} == expected
    for row in await models.rows("user_step_totals", by="name"):
        named = [f for f in own if f.name == row["name"]]
        assert (row["times"], row["users"]) == (len(named), len({f.user for f in named}))
    for row in await models.rows("user_firsts"):
        at = [ms(f.at) for f in own if (f.name, f.user) == (row["name"], row["user_id"])]
        assert (ms(moment(row["first_at"][:-1])), ms(moment(row["last_at"][:-1]))) == (min(at), max(at))
        assert row["times"] == len(at)


async def test_steps_of_one_millisecond_convert(models: ReadModels) -> None:
    """Whatever the alphabet says: a view with its checkout, an add with its buy."""
    lines = [json.loads(line) for line in SAME_MILLISECOND.read_text().splitlines()]
    models.given(
        user_event(**{n: e[n] for n in ("company_id", "user_id", "timestamp")}, name=e["payload"]["name"])
        for e in lines
    )
    for steps in ("view,checkout", "checkout,view", "add,buy", "buy,add"):
        for order in ("ordered", "strict", "any"):
            rows = await models.rows("funnel", "tie", steps=steps, order=order)
            assert [row["users"] for row in rows] == [1, 1], (steps, order)
            assert rows[1]["median_ms"] == 0
        first, last = steps.split(",")
        (begun,) = await models.rows("journey", "tie", begin=first)
        (ended,) = await models.rows("journey", "tie", end=last)
        assert begun["path"] == ended["path"] == [first, last]


async def test_a_funnel_from_the_rows(models: ReadModels) -> None:
    """Three users look, two click, one buys."""
    names = ["page_view", "click", "conversion"]
    history = [
        done(user, name, f"2025-10-08T09:00:0{i}")
        for user, number in (("ann", 3), ("ben", 2), ("cem", 1))
        for i, name in enumerate(names[:number])
    ]
    models.given(f.event for f in history)
    rows = await models.rows("user_steps", from_="2025-10-08", to="2025-10-09")
    events = Events(
        column([ord(r["user_id"][0]) for r in rows]),
        column([ms(moment(r["at"][:-1])) for r in rows]),
        column([names.index(r["name"]) for r in rows]),
    )
    assert [step.users for step in steps_of(funnel(events, FunnelQuestion((0, 1, 2), 60_000)))] == [3, 2, 1]
