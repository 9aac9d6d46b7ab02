"""The live lane, NATS and the projector killed in turn under load; twenty times each with `tests.e2e.live_kills`."""

from __future__ import annotations

import pytest

from tests.e2e.live_clients import Words
from tests.e2e.live_kills import TARGETS, Kills, run
from tests.e2e.live_load import Load
from tests.support.instance import Instance


def test_a_minute_that_is_wrong_or_never_durable_is_found() -> None:
    """A proof that could not fail would prove nothing."""
    load, words = Load(1, ["prompt"]), Words()
    load.piece(1_790_002_800_000, 50)
    places = sorted(load.all_rows)
    for place in places:
        words.hear(place, "durable", dict(load.all_rows[place]))
    whole = Kills(load, words, places, load.all_rows, {})
    assert whole.faults() == []
    words.hear(places[0], "final", dict(load.all_rows[places[0]]))
    words.hear(places[1], "durable", {})
    assert len(whole.faults()) == 2


@pytest.mark.ci
async def test_every_window_is_right_after_kills(own_instance: Instance) -> None:
    """Two kills of each, and a whole minute: three minutes, most of them waiting for minutes to end."""
    killed = await run(own_instance.start(), 2, 16)
    assert killed.faults() == [], killed.report()
    assert {name: len(felt) for name, felt in killed.felt.items()} == dict.fromkeys(TARGETS, 2)
    assert killed.places
