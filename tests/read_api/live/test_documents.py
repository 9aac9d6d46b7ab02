"""Documents and deltas: what a client makes of them has the same bytes as the new document, whatever changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from read_api.live.documents import Item, difference, successor
from read_api.live.forms import JSON, PROTOBUF
from tests.support.live_documents import apply_delta, canonical, object_of

LEAVES = st.sampled_from([None, False, True, 0, 1, -7, 2**70, 0.0, 1.0, -1.5, "", "a", "é"])
INNER = st.lists(st.fixed_dictionaries({"a": LEAVES}, optional={"b": LEAVES}), max_size=3)
ROWS = st.lists(
    st.fixed_dictionaries(
        {"k": st.integers(0, 6), "j": LEAVES},
        optional={"x": LEAVES, "why": st.dictionaries(st.just("z"), LEAVES), "rows": INNER},
    ),
    max_size=8,
)
DOCUMENTS = st.fixed_dictionaries(
    {}, optional={"position": LEAVES, "rows": ROWS, "tiles": ROWS, "names": st.lists(LEAVES, max_size=3)}
)


def decoded(delta: object) -> dict[str, Any]:
    """A delta as a client has it."""
    found: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(delta))
    return found


def made(documents: Sequence[Mapping[str, Any]]) -> list[Item]:
    """Documents as a feed makes them, each from the one before."""
    items = [successor(Item({}), documents[0])[0]]
    for document in documents[1:]:
        items.append(successor(items[-1], document)[0])
    return items


@given(st.lists(DOCUMENTS, min_size=2, max_size=4))
def test_deltas_make_each_document_of_any_earlier_one(documents: list[dict[str, Any]]) -> None:
    """Byte for byte: true is not 1, and 1 is not 1.0. Also where those in between were missed."""
    items = made(documents)
    for item, document in zip(items, documents, strict=True):
        assert canonical(msgspec.json.decode(item.json())) == canonical(document) == canonical(item.document())
    for before in range(len(items)):
        for after in range(before, len(items)):
            delta = decoded(difference(items[before], items[after]))
            assert canonical(apply_delta(documents[before], delta)) == canonical(documents[after])
            assert (not delta) == (canonical(documents[before]) == canonical(documents[after]))


@given(st.lists(DOCUMENTS, min_size=2, max_size=2))
def test_both_subprotocols_say_the_same(documents: list[dict[str, Any]]) -> None:
    """What protobuf has is what JSON has, of snapshots and of deltas."""
    before, after = made(documents)
    head = {"id": "a", "token": "t"}
    snapshot = object_of(PROTOBUF.frame("snapshot", head, PROTOBUF.snapshot(after)))
    assert canonical(snapshot) == canonical(msgspec.json.decode(JSON.frame("snapshot", head, JSON.snapshot(after))))
    delta = difference(before, after)
    assert canonical(object_of(PROTOBUF.frame("delta", head, PROTOBUF.delta(delta)))) == canonical(
        msgspec.json.decode(JSON.frame("delta", head, JSON.delta(delta)))
    )


def test_a_delta_says_what_has_changed_and_no_more() -> None:
    """A row that changed is one row, a measure that changed one measure, a tile's row is inside its tile."""
    rows = [{"day": day, "trades": day, "pnl": "1.5"} for day in range(100)]
    old = {"position": "p:0=1", "tiles": [{"id": "a", "rows": rows}, {"id": "b", "rows": rows[:3]}]}
    changed = [*rows[1:40], {**rows[40], "trades": 7}, *rows[41:], {"day": 100, "trades": 1, "pnl": "0"}]
    new = {"position": "p:0=2", "tiles": [{"id": "a", "rows": changed}, {"id": "b", "rows": rows[:3]}]}
    before, after = made([old, new])
    assert decoded(difference(before, after)) == {
        "set": {"position": "p:0=2"},
        "lists": {
            "tiles": {
                "key": ["id"],
                "changed": [
                    [
                        ["a"],
                        {
                            "lists": {
                                "rows": {
                                    "key": ["day"],
                                    "removed": [[0]],
                                    "changed": [[[40], {"set": {"trades": 7}}]],
                                    "added": [[99, {"day": 100, "trades": 1, "pnl": "0"}]],
                                }
                            }
                        },
                    ]
                ],
            }
        },
    }
    assert before.lists["tiles"][1] is after.lists["tiles"][1]  # what is the same is there once


def test_a_row_that_moves_goes_and_comes() -> None:
    """Tables that are sorted by a measure keep the order that the server gave them."""
    old = {"rows": [{"name": name} for name in "abcd"]}
    new = {"rows": [{"name": name} for name in "dabc"]}
    before, after = made([old, new])
    assert decoded(difference(before, after)) == {
        "lists": {"rows": {"key": ["name"], "removed": [["d"]], "added": [[0, {"name": "d"}]]}}
    }


def test_a_tile_that_stands_elsewhere_by_now_shares_the_rows_that_it_had() -> None:
    """Its position moves with events of anybody: with rows that are new each time a feed remembers nothing."""
    rows = [{"k": n, "pnl": f"{n}.00"} for n in range(1_000)]
    first, _ = successor(Item({}), {"position": "a=1", "tiles": [{"id": "t", "position": "a=1", "rows": rows}]})
    moved = [row | {"pnl": "7.50"} if row["k"] == 500 else dict(row) for row in rows]
    second, fresh = successor(first, {"position": "a=2", "tiles": [{"id": "t", "position": "a=2", "rows": moved}]})
    (before,), (after,) = first.lists["tiles"], second.lists["tiles"]
    assert [n for n in range(1_000) if after.lists["rows"][n] is not before.lists["rows"][n]] == [500]
    assert fresh < 200
    third, _ = successor(second, {"position": "a=3", "tiles": [{"id": "t", "position": "a=3", "rows": moved}]})
    assert third.lists["tiles"][0].lists["rows"] is after.lists["rows"]
    assert difference(second, third)["lists"]["tiles"]["changed"] == [[[], {"set": {"position": "a=3"}}]]
