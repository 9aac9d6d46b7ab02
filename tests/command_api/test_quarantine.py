"""An operator repairs and drops quarantined events; each action is an event itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.instance import Instance, trade

COMPANY = "repairco"


@pytest.fixture(scope="module")
def bad(instance: Instance, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Five trades of which two are bad, as the quarantine lists these."""
    events = [trade(COMPANY, n, pnl=1.0, quantity=-10 if n in (1, 3) else 10) for n in range(5)]
    path = tmp_path_factory.mktemp("bad") / "events.ndjson"
    path.write_text("".join(json.dumps(event) + "\n" for event in events))
    assert instance.command("ingest", str(path)).exit_code == 3
    return sorted(waiting(instance), key=lambda entry: int(entry["id"]))


def waiting(instance: Instance) -> list[dict[str, Any]]:
    """What waits of the company."""
    found: list[dict[str, Any]] = instance.answer("quarantine", "list", "--company", COMPANY, "--json")
    return found


def trades(instance: Instance) -> int:
    """How many trades count."""
    instance.wait()
    answer = instance.answer("query", "trading_totals", "--company", COMPANY)
    return int(answer["rows"][0]["total_trades"])


def actions(instance: Instance) -> list[tuple[str, str]]:
    """What became of the company's entries, by its audit events."""
    asked = ("--company", COMPANY, "--type", "audit_event", "--json")
    events = instance.answer("events", "find", *asked)["events"]
    done = [(e["payload"]["action"], e["payload"]["subject"]) for e in events]
    return sorted(pair for pair in done if pair[0].startswith("quarantine"))


def test_repair_and_drop(instance: Instance, bad: list[dict[str, Any]]) -> None:
    """A wrong repair changes nothing; a right one counts once; what is dropped waits no more and keeps its reason."""
    first, second = (str(entry["id"]) for entry in bad)
    assert trades(instance) == 3
    still = instance.command("quarantine", "replay", first, "--set", "payload.quantity=0", "--json")
    assert (still.exit_code, json.loads(still.stdout)["still_bad"]) == (3, 1)
    assert "out_of_range: quantity" in json.loads(still.stdout)["entries"][0]["problem"]
    good = instance.answer("quarantine", "replay", first, "--set", "payload.quantity=10", "--json")
    assert (good["replayed"], good["still_bad"]) == (1, 0)
    assert trades(instance) == 4
    again = instance.command("quarantine", "replay", first)
    assert (again.exit_code, "was replayed" in again.stderr) == (1, True)
    assert instance.command("quarantine", "drop", second).exit_code == 2
    assert instance.command("quarantine", "drop", second, "--reason", "sent by a test").exit_code == 0
    assert waiting(instance) == []
    shown = instance.answer("quarantine", "show", second, "--json")
    assert (shown["status"], shown["settled_by"], shown["note"]) == ("dropped", "local-operator", "sent by a test")
    assert "raw" in shown
    assert actions(instance) == [("quarantine_dropped", "local-operator"), ("quarantine_replayed", "local-operator")]
    assert trades(instance) == 4


def test_a_repaired_report_is_no_newer_than_it_was(instance: Instance, tmp_path: Path) -> None:
    """What was reported again while the first report waited counts, also where a door is told of another time."""
    company = "laterco"
    events = [
        trade(company, 1, pnl=1.0, quantity=-10),
        trade(company, 1, pnl=5.0) | {"event_id": "later-2", "first_taken_at": 1},
        trade(company, 1, pnl=7.0) | {"event_id": "later-3"},
    ]
    path = tmp_path / "events.ndjson"
    path.write_text("".join(json.dumps(event) + "\n" for event in events))
    assert instance.command("ingest", str(path)).exit_code == 3
    (entry,) = instance.answer("quarantine", "list", "--company", company, "--json")
    replay = ("quarantine", "replay", str(entry["id"]), "--set", "payload.quantity=10", "--json")
    assert instance.answer(*replay)["replayed"] == 1
    instance.wait()
    (row,) = instance.answer("query", "trading_totals", "--company", company)["rows"]
    assert (row["total_trades"], row["total_pnl"]) == (1, "7")
    restated = instance.answer("query", "restated_trades", "--company", company)["rows"]
    assert [row["now"]["pnl"] for row in restated] == ["7", "5"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("replay",), "name entries by id, or --all"),
        (("replay", "1", "--all"), "name entries by id, or --all"),
        (("replay", "999999"), "there is no entry 999999"),
        (("replay", "1", "--set", "quantity"), "not of the form path=value"),
        (("drop", "--all", "--reason", " "), "say why"),
    ],
)
def test_what_cannot_be_meant_is_refused(instance: Instance, arguments: tuple[str, ...], said: str) -> None:
    """With one line that says so."""
    result = instance.command("quarantine", *arguments)
    assert (result.exit_code, said in result.stderr) == (1, True)
