"""Golden answers: all that people and programs see of one data folder, recorded, so that two trees can be compared.

`python -m tests.e2e.golden record FOLDER FILE` asks an instance on a copy of the folder (the sample, loaded and
stopped); `compare OLD NEW [OLD_AGAIN]` prints where two recordings differ and exits 1. What differs between two
recordings of one tree depends on the clock, and is passed over. `upgraded OLD NEW [OLD_AGAIN]` is for a folder that an
earlier release has left: which members of which queries now say something else, how often, with an example. Members
that came with the new release are no difference. What that one stored is made anew before anything is recorded.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import httpx
from google.protobuf import descriptor_pool

from app.demo.companies import COMPANIES
from domain.events.catalogue import STREAMS
from projections.engine.declare.registry import all_projections, all_registered
from tests.architecture.sources import ROOT
from tests.support.instance import Instance
from tests.support.needed import needed_by

PERIOD = {"from": "2025-01-01", "to": "2026-01-01"}
MILLIONTH = Decimal("0.000001")
PATIENCE = 600  # seconds that an upgrade may take
PLAIN = ("/", "/metrics", "/api/v1/health", "/api/v1/metrics", "/api/v1/projections", "/api/v1/query")


def record(folder: Path) -> dict[str, Any]:
    """Everything that an instance on a copy of this folder says, by a path of texts."""
    with tempfile.TemporaryDirectory() as temporary:
        copy = Path(temporary) / "data"
        subprocess.run(["cp", "-a", str(folder), str(copy)], check=True)  # with owners: PostgreSQL asks for its own
        instance = Instance(copy).start()
        try:
            _upgraded(instance)
            return {
                "answers": {c.company_id: _answers(instance, c.company_id) for c in COMPANIES},
                "pages": _pages(instance),
                "checksums": _checksums(instance),
                "documents": _documents(),
            }
        finally:
            instance.stop()


def _upgraded(instance: Instance) -> None:
    """Return when nothing is left of what an earlier release has stored."""
    deadline = time.monotonic() + PATIENCE
    while instance.answer("projections", "upgrade", "--plan", "--json"):
        assert time.monotonic() < deadline, "the upgrade does not end"
        time.sleep(1)
    instance.wait()


def _answers(instance: Instance, company: str) -> dict[str, Any]:
    found = {}
    with instance.client("admin", company) as client:
        for name, query in sorted(all_registered().items()):
            own = {p.name for p in query.params}
            params = {**needed_by(query), **{k: v for k, v in PERIOD.items() if set(PERIOD) <= own}}
            answer = client.get(f"/api/v1/query/{name}", params={"company": company, **params})
            found[name] = {"status": answer.status_code, "type": answer.headers["content-type"], "body": answer.json()}
    return found


def _pages(instance: Instance) -> dict[str, Any]:
    """Pages that have no parameters, of both APIs; of metrics their names, kinds and meanings."""
    found: dict[str, Any] = {}
    with instance.client("engineer", "*") as client:
        for base in (instance.addresses["read_api"], instance.addresses["command_api"]):
            api = base == instance.addresses["read_api"]
            for path in PLAIN:
                answer = client.get(f"{base}{path}")
                found[f"{'read' if api else 'command'} {path}"] = _page(path, answer)
    return found


def _page(path: str, answer: httpx.Response) -> Any:
    if path == "/metrics":
        return sorted({line for line in answer.text.splitlines() if line.startswith("#")})
    json_body = "json" in answer.headers.get("content-type", "")
    return {"status": answer.status_code, "body": answer.json() if json_body else answer.text}


def _checksums(instance: Instance) -> dict[str, Any]:
    return {name: instance.answer("projections", "checksum", name, "--json") for name in all_projections()}


def _documents() -> dict[str, Any]:
    """Generated documents, the names of streams, and every message of the contract as its file describes it."""
    pages = [*sorted((ROOT / "docs" / "reference").glob("*.md")), *sorted((ROOT / "proto" / "http").glob("*.yaml"))]
    pool, files = descriptor_pool.Default(), sorted((ROOT / "proto").glob("*/*.proto"))
    named = [str(path.relative_to(ROOT / "proto")) for path in files]
    return {
        "pages": {path.name: path.read_text() for path in pages},
        "streams": sorted(STREAMS),
        "protobuf": {name: pool.FindFileByName(name).serialized_pb.hex() for name in named if _is_known(pool, name)},
    }


def _is_known(pool: descriptor_pool.DescriptorPool, name: str) -> bool:
    try:
        pool.FindFileByName(name)
    except KeyError:
        return False
    return True


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every value with the path to it; texts line by line."""
    if isinstance(value, Mapping):
        for key, member in value.items():
            yield from leaves(member, (*path, str(key)))
    elif isinstance(value, list):
        for place, member in enumerate(value):
            key = member.get("key") if isinstance(member, Mapping) else None  # rows of metrics have one each
            yield from leaves(member, (*path, str(place if key is None else key)))
    elif isinstance(value, str) and "\n" in value:
        yield from leaves(value.split("\n"), path)
    else:
        yield path, value


def compare(old: Any, new: Any, again: Any) -> list[str]:
    """Where two recordings differ, but for what differs between two of one tree."""
    was, now, then = dict(leaves(old)), dict(leaves(new)), dict(leaves(again))
    stable = {path for path, value in was.items() if path in then and then[path] == value}
    moves = {path for path in {*was, *then} if path not in stable}
    places = sorted(path for path in {*was, *now} if path not in moves and was.get(path, ...) != now.get(path, ...))
    return [f"{' / '.join(p)}: {was.get(p, 'absent')!r:.200} -> {now.get(p, 'absent')!r:.200}" for p in places]


def upgraded(old: Any, new: Any, again: Any) -> list[str]:
    """Members of queries' rows that were there and say something else now: how often, and where first.

    Where an answer is from, and what it stands for, are not compared; of numbers that agree to a millionth, as many
    digits as the earlier release had, only the count is told.
    """
    groups: dict[tuple[str, ...], list[str]] = {}
    finer = 0
    for difference in compare(old["answers"], new["answers"], again["answers"]):
        place, values = difference.split(": ", 1)
        was, now = values.split(" -> ", 1)
        _, query, *rest = place.split(" / ")
        if was == "'absent'" or rest[-1] in ("position", "definition_version", "next_cursor"):
            continue
        if _agree(was, now):
            finer += 1
            continue
        groups.setdefault((query, *(part for part in rest if not part.isdigit())), []).append(difference)
    told = [f"{' / '.join(group)}: {len(found):,} ({found[0]})" for group, found in sorted(groups.items())]
    return [*told, f"{finer:,} numbers have more digits than before"]


def _agree(was: str, now: str) -> bool:
    try:
        return abs(Decimal(was.strip("'")) - Decimal(now.strip("'"))) <= MILLIONTH / 2
    except InvalidOperation:
        return False


def main(arguments: list[str]) -> int:
    """Record or compare, as the arguments say."""
    match arguments:
        case ["record", folder, file]:
            recorded = record(Path(folder))
            Path(file).write_text(json.dumps(recorded, indent=1, sort_keys=True))
            print(f"{sum(1 for _ in leaves(recorded)):,} values in {file}")
            return 0
        case ["compare", old, new, *again]:
            files = [json.loads(Path(name).read_text()) for name in (old, new, *(again or [old]))]
            differences = compare(*files[:3])
            print(*differences, f"{len(differences)} differences", sep="\n")
            return 1 if differences else 0
        case ["upgraded", old, new, *again]:
            files = [json.loads(Path(name).read_text()) for name in (old, new, *(again or [old]))]
            print(*upgraded(*files[:3]), sep="\n")
            return 0
    print(__doc__)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
