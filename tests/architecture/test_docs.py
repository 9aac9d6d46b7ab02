"""The documentation names everything there is, and its generated pages and links are true."""

from __future__ import annotations

import re
import tomllib
from dataclasses import fields
from functools import cache
from pathlib import Path

import click
import msgspec
from services import analytics_service_pb2

from app.docs import DOCS, is_current, pages
from app.docs.cli import commands
from app.settings import Settings, variable
from domain.configuration.registry import AGGREGATES, COMMANDS, EVENTS
from domain.events.catalogue import BATCHES, CATALOGUE, STREAMS
from domain.events.problems import Code
from projections.engine.declare.registry import all_projections, all_registered
from tests.architecture.sources import ROOT, files
from tests.browser.screenshots import PICTURES

MARKDOWN = tuple(path for path in files() if path.endswith(".md"))
PICTURE = re.compile(r"!\[([^\]]*)\]\(([^)\s]+)\)")
LARGEST_PICTURE = 150 * 1024
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
FENCE = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)


@cache
def reference() -> str:
    """All pages of docs/reference as one text."""
    return "\n".join(path.read_text() for path in sorted((DOCS / "reference").glob("*.md")))


def missing(names: list[str]) -> list[str]:
    """Those that the reference does not name as a whole word."""
    return [name for name in names if not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", reference())]


def test_generated_pages_are_up_to_date() -> None:
    """`make docs` would change nothing."""
    assert [path for path, text in pages().items() if not is_current(path, text)] == []


def test_every_event_type_is_documented() -> None:
    """Single and batch forms, streams, and the codes of what can be wrong."""
    assert missing([kind.name for kind in CATALOGUE] + list(BATCHES) + list(STREAMS) + [c.value for c in Code]) == []


def test_every_setting_is_documented() -> None:
    """By the name of its variable, with a sentence."""
    assert missing([variable(setting) for setting in fields(Settings)]) == []
    assert [s.name for s in fields(Settings) if not str(s.metadata["doc"]).endswith(".")] == []


def test_every_projection_and_query_is_documented() -> None:
    """By name, tables included, and each says in a sentence what it is."""
    tables = [table.name for projection in all_projections().values() for table in projection.tables]
    assert missing([*all_projections(), *tables, *all_registered()]) == []
    assert [p.name for p in all_projections().values() if not p.summary] == []
    assert [name for name, query in all_registered().items() if not query.summary] == []


def test_every_command_is_documented() -> None:
    """By its full name, with a help text, and every option has one too."""
    assert missing([name for name, _ in commands()]) == []
    assert [name for name, command in commands() if not command.help] == []
    options = [(name, p) for name, command in commands() for p in command.params if isinstance(p, click.Option)]
    assert [f"{name} {option.name}" for name, option in options if not option.help] == []


def test_every_aggregate_command_and_event_of_configuration_is_documented() -> None:
    """By name, with every field of a command explained, here and in OpenAPI."""
    assert missing([*AGGREGATES, *COMMANDS, *EVENTS]) == []
    assert [n for n, c in COMMANDS.items() if not c.summary] + [t for t, e in EVENTS.items() if not e.__doc__] == []
    schemas = msgspec.json.schema_components([command.kind for command in COMMANDS.values()])[1]
    fields = {f"{kind}.{name}": f for kind, s in schemas.items() for name, f in s.get("properties", {}).items()}
    bare = [name for name, field in fields.items() if "description" not in field and "$ref" not in field]
    assert [name for name in bare if not name.endswith(".kind")] == []


def test_every_rpc_is_documented() -> None:
    """By name."""
    services = analytics_service_pb2.DESCRIPTOR.services_by_name.values()
    assert missing([method.name for service in services for method in service.methods]) == []


def test_links_between_files_lead_somewhere() -> None:
    """Every relative link in a Markdown file names a file or folder that is there."""
    broken = []
    for path in MARKDOWN:
        for target in LINK.findall(FENCE.sub("", (ROOT / path).read_text())):
            if "://" not in target and not (ROOT / path).parent.joinpath(target).exists():
                broken.append(f"{path}: {target}")
    assert broken == []


def test_the_pictures_of_docs_are_those_that_make_pages_makes() -> None:
    """So each can be made anew when pages change; it is small, and says in words what it shows."""
    shown: dict[Path, str] = {}
    for path in MARKDOWN:
        for words, target in PICTURE.findall((ROOT / path).read_text()):
            shown[((ROOT / path).parent / target).resolve().relative_to(ROOT)] = words
    assert set(shown) == set(PICTURES)
    assert [str(path) for path, words in shown.items() if len(words) < 20] == []
    assert [str(p) for p in PICTURES if not 5_000 < (ROOT / p).stat().st_size <= LARGEST_PICTURE] == []


def test_decisions_have_one_form() -> None:
    """Each decision record says its status, context, decision, consequences, and when it would be looked at again."""
    records = [path for path in MARKDOWN if re.fullmatch(r"docs/adr/\d{4}-[a-z0-9-]+\.md", path)]
    assert records
    parts = ("Status:", "## Context", "## Decision", "## Consequences", "## Look again when")
    assert [f"{r}: {part}" for r in records for part in parts if part not in (ROOT / r).read_text()] == []
    assert len({record.split("/")[2][:4] for record in records}) == len(records), "a number was used twice"


def test_every_dependency_has_its_reason() -> None:
    """docs/why/dependencies.md names what the service is installed with, and nothing else."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = re.findall(r"^\| `([\w-]+)` \|", (DOCS / "why" / "dependencies.md").read_text(), re.MULTILINE)
    assert sorted(named) == sorted(re.match(r"[\w-]+", line)[0] for line in project["dependencies"])  # type: ignore[index]  # each begins with its name
