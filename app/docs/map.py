"""docs/why/map.md: the tree in one page, a sentence for each room, and four walks through it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from domain.errors import Defect

ROOT = Path(__file__).parents[2]
PACKAGES = ("domain", "eventlog", "projections", "command_api", "read_api", "adapters", "app")

Walk = tuple[tuple[str, str, str], ...]  # steps: file, name in it, what happens there

WALKS: Mapping[str, Walk] = MappingProxyType(
    {
        "An event, from HTTP to a row": (
            ("app/serving/http_guard.py", "GuardedHttp", "bounds of heads, bodies, connections"),
            ("app/serving/audit_middleware.py", "AuditMiddleware", "who calls, may they in, the audit trail"),
            ("command_api/http.py", "create_app", "the route `POST /api/v1/events`"),
            ("command_api/event_bodies.py", "form", "the body is cut into events, one by one"),
            ("eventlog/intake/intake.py", "Ingest", "each is read, checked, sent to its topic or set aside"),
            ("eventlog/intake/json_mapping.py", "from_json", "JSON becomes the protobuf message"),
            ("domain/events/validation.py", "judge", "what a good event must have"),
            ("adapters/postgres/log/log.py", "EmbeddedLog", "appended, durable: only now is the caller answered"),
            ("projections/engine/project/lane.py", "Lane", "a batch is read, folded and stored"),
            ("projections/engine/fold/admission.py", "Admission", "which records count, and which are repeats"),
            ("projections/engine/fold/decode.py", "decode_facts", "bytes become columns"),
            ("projections/trading.py", "by_quarter", "the fold: what a trade changes"),
            ("projections/engine/fold/additive.py", "fold", "facts become delta rows, one a key"),
            ("projections/engine/store/sql.py", "merge", "the statement that merges them into the table"),
            (
                "adapters/postgres/read_models/projection_store.py",
                "PostgresProjectionStore",
                "rows and position are committed together",
            ),
        ),
        "A query, from HTTP to its answer": (
            ("read_api/http/app.py", "query", "the route `GET /api/v1/query/{name}`"),
            ("read_api/http/request.py", "question_of", "the question: query, company, texts, the moment"),
            ("read_api/answers/questions.py", "Questions", "may they ask it, what does their tier see"),
            ("read_api/answers/cache.py", "AnswerCache", "a dear answer at the same position is kept"),
            ("projections/engine/query/ask.py", "answer", "the query by its name"),
            ("projections/engine/query/request.py", "read_request", "its parameters are read"),
            ("projections/engine/query/plain.py", "Query", "a statement is written, its rows are shaped"),
            ("projections/engine/query/totals.py", "totals", "the most usual kind: measures by dimensions"),
            ("adapters/postgres/read_models/read_store.py", "PostgresReadStore", "rows and position, one snapshot"),
            ("read_api/http/encoding.py", "encoded", "JSON, that of many rows beside the event loop"),
        ),
        "A command, from HTTP to a row": (
            ("command_api/commands.py", "handlers", "a route for each command of the registry"),
            ("domain/configuration/registry.py", "read_command", "the body becomes the command"),
            ("command_api/command_handler.py", "CommandHandler", "aggregate loaded, decision taken, events stored"),
            ("domain/configuration/dashboard.py", "decide", "the decision: values in, events or a refusal out"),
            ("adapters/postgres/configuration_store/event_store.py", "PostgresEventStore", "appended at a version"),
            ("eventlog/relay/relay.py", "Relay", "from the event store into the log, in commit order"),
            ("eventlog/relay/record.py", "relay_record", "the record that an event becomes"),
            ("projections/configuration.py", "configuration", "the projection that lists and history come from"),
        ),
        "A metric, from its declaration to its value": (
            ("domain/metrics/metric.py", "Metric", "the entry: key, unit, formula, what it reads"),
            ("domain/metrics/catalogue.py", "METRICS", "all entries"),
            ("domain/metrics/formulas.py", "FORMULAS", "the formula that runs, by key"),
            ("projections/queries/metrics/periods.py", "Span", "the period that is asked about"),
            ("projections/queries/metrics/sources.py", "SOURCES", "the questions whose sums it reads"),
            ("projections/queries/metrics/kpis.py", "metric_query", "`metric` and `kpis`: the queries"),
            ("projections/engine/query/composed.py", "Composed", "parts are asked, their rows combined"),
            ("read_api/http/metrics.py", "shown", "the route `GET /api/v1/metrics/{key}`"),
        ),
    }
)


def map_page() -> str:
    """The page. Raises Defect for a step whose file does not define its name."""
    lines = ["# The map", "", "A folder is a subject, a file is one thing of it. Imports go one way:", ""]
    lines += ["`app > (command_api | read_api | adapters) > projections > eventlog > domain`", "", "## The rooms", ""]
    lines += ["| room | what is in it |", "|---|---|"]
    lines += [f"| `{path}` | {sentence} |" for package in PACKAGES for path, sentence in _rooms(ROOT / package)]
    for title, walk in WALKS.items():
        lines += ["", f"## {title}", ""]
        lines += [
            f"{n}. [`{path}`](../../{path}) `{_existing_name(path, name)}`: {text}"
            for n, (path, name, text) in enumerate(walk, 1)
        ]
    return "\n".join(lines)


def _rooms(package: Path) -> Iterator[tuple[str, str]]:
    for file in sorted(package.rglob("__init__.py")):
        said = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
        yield f"{file.parent.relative_to(ROOT)}/", said.split("\n")[0]


def _existing_name(path: str, name: str) -> str:
    defined = {
        target for node in ast.parse((ROOT / path).read_text(encoding="utf-8")).body for target in _targets(node)
    }
    if name not in defined:
        raise Defect(f"docs/why/map.md: {path} has no {name}")
    return name


def _targets(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        yield node.name
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        yield from (each.id for target in targets for each in ast.walk(target) if isinstance(each, ast.Name))
