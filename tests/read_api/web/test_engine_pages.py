"""The engineer's pages: rebuild, compare, switch, switch back, drop; the quarantine, repaired and dropped."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import closing

import httpx
import psycopg
import pytest

from adapters.postgres.read_models.builder import PostgresBuild, PostgresVersions
from app.rebuild.processes import progress
from projections.engine.declare.registry import projection
from projections.engine.rebuild import LogRange
from projections.engine.rebuild_plan import Done, Pace, pace
from tests.support.instance import Instance
from tests.support.pages import signed_in

NAME, COMPANY = "satisfaction", "engineco"
WITHIN = 90.0  # seconds that a rebuild takes on a busy machine
PAGE, ENTRIES = f"/engine/projections/{NAME}", "/engine/quarantine"
BAD = {"message_type": "user_event", "user_id": "u1", "timestamp": 1_764_000_000_000, "payload": {"name": ""}}


@pytest.fixture(scope="module")
def engineer(instance: Instance) -> Iterator[httpx.Client]:
    """A browser in which an engineer is signed in."""
    with signed_in(instance, instance.token("engineer", "*", "--subject", "eng")) as client:
        yield client


def versions(page: str) -> dict[int, str]:
    """The state of each version that the page of a projection shows."""
    rows = re.findall(r'data-version="(\d+)".*?data-state="(\w+)"', page, re.DOTALL)
    live = re.findall(r'data-version="(\d+)" class="here"', page)
    return {int(number): "live" if number in live else state for number, state in rows}


def do(engineer: httpx.Client, verb: str, version: int | str = "", **more: str) -> httpx.Response:
    """Press a button of the page of the projection."""
    asked = {"company": COMPANY}  # as links and forms of pages say it
    return engineer.post(PAGE, params=asked, data={"verb": verb, "version": str(version), **more})


@pytest.mark.ci
def test_an_engineer_rebuilds_compares_switches_and_switches_back(engineer: httpx.Client) -> None:
    """Each dangerous deed wants the name of the thing and a reason; all of it goes by forms alone."""
    page = engineer.get(PAGE).text
    (before,) = [number for number, state in versions(page).items() if state == "live"]
    assert "is made beside the live one" in page  # the plan
    begun = do(engineer, "rebuild")
    assert begun.status_code == 303, begun.text
    deadline = time.monotonic() + WITHIN
    while {state for number, state in versions(page).items() if number > before} != {"running"}:
        assert time.monotonic() < deadline, page
        time.sleep(0.2)
        page = engineer.get(PAGE).text
    new = max(versions(page))
    while (compared := engineer.get(PAGE, params={"compare": str(new)})).status_code == 412:
        assert time.monotonic() < deadline, compared.text
    assert 'data-equal="true"' in compared.text
    assert do(engineer, "switch", new).status_code == 400
    assert do(engineer, "switch", new, confirm=f"{NAME}@{new}").status_code == 400
    sure = {"confirm": f"{NAME}@{new}", "reason": "a rehearsal"}
    assert do(engineer, "drop", before, confirm=f"{NAME}@{before}", reason="no").status_code == 409  # it is live
    switched = do(engineer, "switch", new, **sure)
    assert switched.status_code == 303, switched.text
    page = engineer.get(switched.headers["location"]).text
    assert (versions(page)[new], "a rehearsal" in page) == ("live", True)
    back = {"confirm": f"{NAME}@{before}", "reason": "back again"}
    assert do(engineer, "switch", before, **back).status_code == 303
    assert do(engineer, "drop", new, **sure).status_code == 303
    assert versions(engineer.get(PAGE).text) == {before: "live"}
    assert do(engineer, "cancel", new, **sure).status_code == 404  # nothing is being built


def test_a_pace_is_what_was_done_since_by_how_long_it_took() -> None:
    """100 of 300 in 2 s are 50/s, and 150 are left after 150: 3 s; the command line says the same."""
    assert pace(Done(50, 300), Done(150, 300), 2.0) == Pace(50.0, 3.0)
    assert progress(Done(150, 300), Done(50, 300), 2.0) == "150 of 300 events (50%), 50/s, 3 s left"
    assert [pace(Done(5, 9), now, seconds) for now, seconds in ((Done(5, 9), 2.0), (Done(7, 9), 0.0))] == [Pace()] * 2


def test_a_rebuild_shows_how_fast_it_gets_on_and_what_is_left(instance: Instance, engineer: httpx.Client) -> None:
    """Whoever does it: here another process, which does half of it between two looks."""
    url, page = instance.addresses["database"], "/engine/projections/acquisition"
    with closing(PostgresVersions(url)) as versions:
        stored = versions.register(projection("acquisition"))
        try:
            assert versions.alone(stored)
            with closing(PostgresBuild(url, stored)) as build:
                build.begin([LogRange(0, min(stored.topics), 0, 0, 0, 1_000)])
            assert "), at work." in engineer.get(page).text
            with psycopg.connect(url) as connection:
                connection.execute("UPDATE shares SET next_offset = 500 WHERE projection = %s", (stored.name,))
            shown = engineer.get(page).text
            found = re.search(r"500 of 1,000 events \(50.*?%\), ([\d,]+) events/s, about ([\d,]+) s left\.", shown)
            assert found, shown
            rate, left = (int(each.replace(",", "")) for each in found.groups())
            assert (rate - 1) * (left - 1) < 500 < (rate + 1) * (left + 1)
        finally:
            versions.drop(stored)


def on_record(instance: Instance, company: str, target: str) -> bool:
    """Whether the trail of the company shows in time that the engineer did something to that."""
    deadline, asked = time.monotonic() + WITHIN, ("--company", company, "--param", "subject=eng")
    while time.monotonic() < deadline:
        if any(target in row["target"] for row in instance.answer("query", "audit_trail", *asked)["rows"]):
            return True
    return False


def test_what_engineers_do_is_on_record_with_its_reason(instance: Instance, engineer: httpx.Client) -> None:
    """As the instance's, whichever company they look at."""
    assert do(engineer, "drop", 999, confirm=f"{NAME}@999", reason="because <b>").status_code == 404
    assert on_record(instance, "_system", f"engine/projections/{NAME}: drop {NAME}@999: because <b>")


def entry_of(instance: Instance, event: dict[str, object]) -> int:
    """The entry that a bad event becomes."""
    with instance.client("service", COMPANY) as api:
        where = instance.addresses["command_api"]
        api.post(f"{where}/api/v1/events", json=[event])
    listed = instance.answer("quarantine", "list", "--company", COMPANY, "--json")
    return int(next(each["id"] for each in listed if each["event_id"] == event["event_id"]))


def test_a_bad_event_is_repaired_by_the_form_of_its_contract(instance: Instance, engineer: httpx.Client) -> None:
    event = {**BAD, "company_id": COMPANY, "event_id": "bad-<1>"}
    entry = entry_of(instance, event)
    assert f"{ENTRIES}/{entry}" in engineer.get(ENTRIES, params={"of_company": COMPANY}).text
    here = f"{ENTRIES}/{entry}"
    page = engineer.get(here).text
    assert "bad-&lt;1&gt;" in page
    assert 'name="set.payload.name"' in page
    assert "still be bad" in engineer.post(here, data={"verb": "try"}).text
    assert engineer.post(here, data={"verb": "replay"}).status_code == 400
    good = {"set.payload.name": "page_view"}
    assert "it would be good" in engineer.post(here, data={"verb": "try", **good}).text
    assert engineer.post(here, data={"verb": "replay", **good}).status_code == 303
    assert "replayed by" in engineer.get(here).text
    assert engineer.post(here, data={"verb": "replay", **good}).status_code == 409


def test_a_bad_event_is_replaced_as_a_whole_or_dropped(instance: Instance, engineer: httpx.Client) -> None:
    event = {**BAD, "company_id": COMPANY, "event_id": "bad-2"}
    here = f"{ENTRIES}/{entry_of(instance, event)}"
    assert engineer.post(here, data={"verb": "try", "event": "{"}).status_code == 200
    assert engineer.post(here, data={"verb": "drop", "confirm": "another", "reason": "x"}).status_code == 400
    number = here.rpartition("/")[2]
    assert engineer.post(here, data={"verb": "drop", "confirm": number}).status_code == 400
    assert engineer.post(here, data={"verb": "drop", "confirm": number, "reason": "a test"}).status_code == 303
    assert "dropped by" in engineer.get(here).text


def test_personal_events_are_closed_to_engineers(instance: Instance, engineer: httpx.Client) -> None:
    """Their members can be set all the same, unseen."""
    secret = {**BAD, "payload": {"name": "", "page": "/my-secret"}, "data_class": "PERSONAL"}
    here = f"{ENTRIES}/{entry_of(instance, {**secret, 'company_id': COMPANY, 'event_id': 'bad-3'})}"
    page = engineer.get(here, params={"company": "elsewhereco"}).text
    assert "my-secret" not in page
    assert "Closed" in page
    assert on_record(instance, COMPANY, here)  # of the company whose event it is
    assert engineer.post(here, data={"verb": "replay", "set.payload.name": "page_view"}).status_code == 303


@pytest.mark.parametrize("role", ["viewer", "analyst", "admin", "auditor", "service"])
def test_only_engineers_work_on_the_machinery(instance: Instance, role: str) -> None:
    with signed_in(instance, instance.token(role, "*")) as other:
        for path in ("/engine", PAGE, ENTRIES, f"{ENTRIES}/1"):
            assert other.get(path).status_code == 403, path
        assert other.post(PAGE, data={"verb": "pause"}).status_code == 403
        assert other.post(f"{ENTRIES}/1", data={"verb": "replay"}).status_code == 403


@pytest.mark.parametrize(
    ("path", "form", "status"),
    [
        ("/engine/projections/planet", None, 404), (f"{PAGE}?compare=x", None, 400), (f"{PAGE}?compare=99", None, 404),
        (f"{ENTRIES}/x", None, 404), (f"{ENTRIES}/{'9' * 30}", None, 404), (f"{ENTRIES}?before=x", None, 400),
        (PAGE, {"verb": "explode"}, 400), (PAGE, {"verb": "drop", "version": "x"}, 400),
        ("/engine/projections/planet", {"verb": "pause"}, 404), (f"{ENTRIES}/99999999", {"verb": "try"}, 404),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_said_in_a_page(
    engineer: httpx.Client, path: str, form: dict[str, str] | None, status: int
) -> None:
    answer = engineer.get(path) if form is None else engineer.post(path, data=form)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8"), answer.text


def test_the_overview_shows_every_projection(instance: Instance, engineer: httpx.Client) -> None:
    page = engineer.get("/engine").text
    for status in instance.answer("projections", "status", "--json"):
        assert f">{status['name']}</a>" in page
    assert "Kept answers" in page
