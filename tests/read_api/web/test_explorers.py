"""Questions about users that are put together on a page, and the page of one user, whatever their id holds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import httpx
import pytest

from domain.access.rights import Tier
from tests.support.instance import Instance, trade
from tests.support.pages import Shown, settled, signed_in
from tests.support.two_months import COMPANY

HOSTILE = ("a/b", "//c?d=e&f#g", "a=b;c", "..", "funnel", "\u202eevil\u202c", "<b>'\"", "n" * 256, "50%", "🦊 ö")
ANGRY = "hostileuserco"


@pytest.fixture(scope="module")
def reader(filled: Instance) -> Iterator[httpx.Client]:
    """A browser with a session of a viewer of the company."""
    with signed_in(filled, filled.token("viewer", COMPANY)) as client:
        yield client


def chosen(location: str) -> dict[str, list[str]]:
    """The parameters of an address."""
    return parse_qs(urlsplit(location).query)


@pytest.mark.parametrize(
    ("path", "query", "asked"),
    [
        ("funnel", "funnel", {"steps": ["page_view", "click", "conversion"], "window": "1d", "view": "table"}),
        ("funnel", "funnel", {"steps": ["click", "page_view"], "order": "any", "exclude": ["signup"], "view": "table"}),
        ("paths", "journey", {"begin": "session_started", "length": "3", "of": "sessions"}),
    ],
)
def test_the_answer_is_that_of_the_query(
    filled: Instance, reader: httpx.Client, path: str, query: str, asked: dict[str, Any]
) -> None:
    page = reader.get(f"/users/{path}", params={"company": COMPANY, **asked})
    assert page.status_code == 200, page.text
    params = {name: ",".join(each) if isinstance(each, list) else each for name, each in asked.items()}
    params.pop("view", None)
    with filled.client("viewer", COMPANY) as api:
        rows = api.get(f"/api/v1/query/{query}", params={"company": COMPANY, **params}).json()["rows"]
    shown = Shown(page.text)
    assert shown.states == {path: "open"}
    columns = [name for name in rows[0] if name in shown.tables[path][0]]
    assert columns
    assert [[row[name] for name in columns] for row in shown.tables[path]] == [
        [
            each[name] if isinstance(each[name], str) else json.dumps(each[name], separators=(",", ":"))
            for name in columns
        ]
        for each in rows
    ]


def test_a_funnel_is_built_by_buttons_of_a_form(reader: httpx.Client) -> None:
    """Without any script: a button changes the list, and the address is what was built."""
    empty = reader.get("/users/funnel", params={"company": COMPANY})
    assert "What do users do first?" in empty.text
    assert 'value="steps add page_view"' in empty.text
    address: dict[str, Any] = {"company": COMPANY, "window": "1h"}
    for deed, steps in (
        ("add page_view", ["page_view"]), ("add click", ["page_view", "click"]), ("up 1", ["click", "page_view"]),
        ("down 0", ["page_view", "click"]), ("add conversion", ["page_view", "click", "conversion"]),
        ("remove 1", ["page_view", "conversion"]), ("remove 7", ["page_view", "conversion"]),
        ("up 0", ["page_view", "conversion"]), ("explode", ["page_view", "conversion"]),
    ):  # fmt: skip
        moved = reader.get("/users/funnel", params={**address, "do": f"steps {deed}"})
        assert moved.status_code == 303
        address = chosen(moved.headers["location"])
        assert (address["steps"], address["window"]) == (steps, ["1h"])
    built = reader.get(moved.headers["location"])
    assert built.status_code == 200
    assert Shown(built.text).states == {"funnel": "open"}


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"steps": "click", "window": "soon"}, "is no length of time such as 30m, 12h or 7d"),
        ({"steps": [f"s{n}" for n in range(11)]}, "is no list of 1 to 10 names"),
        ({"steps": "click", "order": "<b>"}, "is none of ordered, strict, any"),
    ],
)
def test_what_cannot_be_asked_says_so_beside_the_form(reader: httpx.Client, asked: dict[str, Any], words: str) -> None:
    page = reader.get("/users/funnel", params={"company": COMPANY, **asked})
    assert page.status_code == 200
    assert words in page.text
    assert "<b>" not in page.text
    assert Shown(page.text).states == {"funnel": "failed"}
    assert reader.get("/users/funnel", params={"company": COMPANY, "planet": "mars"}).status_code == 400


def test_views_of_retention_are_a_table_and_curves(reader: httpx.Client) -> None:
    for view, drawn in ({"": 1, "line": 1, "table": 0}).items():
        asked = {"company": COMPANY, "unit": "week", "ages": "8", **({"view": view} if view else {})}
        page = reader.get("/users/retention", params=asked)
        assert Shown(page.text).states == {"retention": "open"}
        assert page.text.count('class="chart"') == drawn


def test_questions_keep_to_the_tenant_the_tier_and_the_role(filled: Instance, reader: httpx.Client) -> None:
    funnel = {"company": COMPANY, "steps": "click"}
    assert reader.get("/users/funnel", params={**funnel, "company": "pageco"}).status_code == 403
    with signed_in(filled, filled.signed("una", COMPANY, tier=Tier.FREE)) as free:
        assert Shown(free.get("/users/funnel", params=funnel).text).states == {"funnel": "closed"}
    with signed_in(filled, filled.token("member", COMPANY, "--user-id", "u1")) as member:
        page = member.get("/users/funnel", params=funnel)
        assert Shown(page.text).states == {"funnel": "closed"}
        assert "u2" not in page.text
        own = Shown(settled(member, "/dashboards/person", {"company": COMPANY}))
        assert {row["user_id"] for row in own.tables["blotter"]} == {"u1"}
        others = member.get("/users/u2", follow_redirects=True)
        assert "u2" not in str(Shown(others.text).tables)
    with signed_in(filled, filled.token("engineer", COMPANY)) as engineer:
        assert engineer.get("/users/funnel", params=funnel).status_code == 403


@pytest.fixture(scope="module")
def angry(instance: Instance) -> Iterator[httpx.Client]:
    """A browser of the company whose users have strange ids: each has done something, and traded."""
    instance.take(
        [
            {
                "message_type": "user_event",
                "event_id": f"{ANGRY}-click-{n}",
                "company_id": ANGRY,
                "user_id": user,
                "timestamp": 1_760_000_000_000 + n,
                "payload": {"name": "click", "page": f"/{n}", "session_id": f"s{n}"},
            }
            for n, user in enumerate(HOSTILE)
        ]
        + [{**trade(ANGRY, n), "user_id": user} for n, user in enumerate(HOSTILE)]
    )
    with signed_in(instance, instance.token("viewer", ANGRY)) as client:
        yield client


@pytest.mark.parametrize("user", HOSTILE)
def test_a_user_has_a_page_whatever_their_id_holds(angry: httpx.Client, user: str) -> None:
    """By their id in the path, percent-encoded as a whole; but for what browsers and routes take for something else."""
    path = angry.get(f"/users/{quote(user, safe='')}", params={"company": ANGRY}).headers.get("location", "")
    if user in ("..", "funnel"):
        path = f"/dashboards/person?company={ANGRY}&user_id={user}"
    page = settled(angry, f"{path}&from=2025-10-01&to=2025-12-01")
    shown = Shown(page)
    assert [(row["user_id"], row["subject"]) for row in shown.tables["steps"]] == [(user, f"/{HOSTILE.index(user)}")]
    assert [row["user_id"] for row in shown.tables["blotter"]] == [user]
    assert shown.figures["trades"] == "1"
    assert "<b>" not in page


def test_nobody_is_everybody(angry: httpx.Client) -> None:
    """Without a user there are no figures, but whom to choose."""
    page = angry.get("/dashboards/person", params={"company": ANGRY})
    assert set(Shown(page.text).states.values()) == {"needs"}
    assert '<option value="a/b">' in page.text
    assert ("a/b", "user") in [(one["title"], one["what"]) for one in angry.get("/search.json").json()]
