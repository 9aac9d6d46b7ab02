"""The gates of the house: rooms say what they are, imports go one way, and what is true knows no clock."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from itertools import chain

import pytest

from tests.architecture.house import circles, failing, imports, names, silenced
from tests.architecture.sources import PACKAGES, ROOT, files, imported, shipped
from tests.support.exceptions import hold_but_for

MOST_NAMES = 12  # public classes and functions of a file: more of them are more than one thing
# path → why it has more
MANY_NAMES: Mapping[str, str] = {
    "domain/configuration/alert_rule.py": "the commands and events of one aggregate",
    "domain/configuration/company.py": "the commands and events of one aggregate",
    "domain/configuration/dashboard.py": "the commands and events of one aggregate",
    "domain/configuration/report_schedule.py": "the commands and events of one aggregate",
    "domain/configuration/lifecycle.py": "commands that all aggregates have, and what each does",
    "domain/metrics/revenue/rates.py": "rates of one pair of sums, a few lines each",
    "domain/ports.py": "the ports, side by side",
    "domain/request/tracing.py": "one small standard: spans, contexts, headers",
    "app/wiring.py": "the composition root: one function for each thing that is opened",
    "projections/configuration.py": "one projection: rows, folds and queries",
    "projections/engine/declare/merge_rules.py": "the vocabulary of declarations of rows",
    "projections/engine/store/port.py": "the port of the store with what goes through it",
    "projections/engine/store/sql.py": "statements that follow from a declaration, one function each",
    "projections/trading.py": "one projection: rows, folds and queries",
    "projections/user_activity.py": "one projection: rows, folds and queries",
    "read_api/http/openapi.py": "shapes of answers",
}
# path → what it does with a clock, tasks or threads although it is of the domain
NOT_PURE: Mapping[str, str] = {
    "domain/events/identity.py": "the ids that it makes begin with the moment, where the caller gives none",
}
IMPURE = {"asyncio", "threading", "time", "socket", "subprocess"}


def test_no_module_imports_itself_by_others() -> None:
    """Imports inside functions and those for types alone count too."""
    assert circles() == {}


def test_the_domain_is_values_in_and_values_out() -> None:
    """No clock, tasks, threads or sockets."""
    found = {
        module.path: sorted(used)
        for module in shipped()
        if module.top == "domain" and (used := {n.split(".")[0] for n in imported(module.tree)} & IMPURE)
    }
    hold_but_for(NOT_PURE, found)


def test_a_file_is_one_thing() -> None:
    """At most twelve public names, or a reason."""
    many = {m.path: count for m in shipped() if (count := _public(m.tree)) > MOST_NAMES}
    hold_but_for(MANY_NAMES, many)


def _public(tree: ast.Module) -> int:
    kinds = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return sum(isinstance(node, kinds) and not node.name.startswith("_") for node in tree.body)


def test_what_can_fail_says_how() -> None:
    """Nearly all docstrings of public functions that raise something say so."""
    saying, silent = failing()
    assert len(silent) <= (len(saying) + len(silent)) / 10, silent


def test_the_read_side_is_typed() -> None:
    """Shapes build the answers that they describe, and nothing else needs the type checker to look away."""
    assert silenced("read_api") == []


@pytest.mark.parametrize("package", PACKAGES)
def test_every_room_says_what_it_is(package: str) -> None:
    """Each package has a docstring, whose first sentence stands in docs/why/map.md."""
    rooms = [m for m in shipped() if m.top == package and m.path.endswith("/__init__.py")]
    assert [m.path for m in rooms if not ast.get_docstring(m.tree)] == []


# folders of tests that are of no one room: of all of it, or of what tests need
ACROSS = {"architecture", "browser", "contracts", "data", "e2e", "laws", "support"}


def test_tests_lie_where_what_they_test_lies() -> None:
    """Each folder of tests has a folder of its name in the tree, so that a room's tests are found by its path."""
    folders = {path.removeprefix("tests/").rpartition("/")[0] for path in files() if path.startswith("tests/")}
    rooms = {folder for folder in folders if folder.split("/")[0] not in ACROSS}
    assert sorted(room for room in rooms if not (ROOT / room).is_dir()) == []


def test_a_question_is_read_in_one_place() -> None:
    """Doors make a `Question` of texts; that what it asks is a `Request` is decided by the one function that reads."""
    reading = "projections.engine.query.request"
    made = {
        name
        for name, module in names().items()
        if reading in {name, *imports(module.tree)}
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("Request", "Past")
    }
    assert made == {reading, "app.rebuild.tenant"}  # the latter asks no question: it reads the whole of a company


# participles and verbs of saying: what a thing is has a plainer word
SAYING = {"asked", "found", "given", "heard", "judged", "kept", "known", "meant", "settled", "taken", "tell", "telling"}
SAYING |= {"told", "wanted"}
# where local variables and parameters are looked at as well
LOCALS_TOO = {"adapters", "command_api", "domain", "eventlog", "projections"}
LEFT = {
    "domain/ports.py: taken",  # of a chunk: every log and a stored column say it
    "projections/payments.py: taken",  # a stored column
    "projections/engine/query/composed.py: kept",
    "projections/queries/trading/statistics.py: kept",  # handed on to it
    "domain/request/caller.py: asked",
    "read_api/answers/cache.py: _found",
    "adapters/files/exports.py: tell",  # as files call it
    "read_api/http/configuration.py: told",  # an operationId of the OpenAPI document
}


def test_names_say_what_things_are() -> None:
    """No class, function, method, field, attribute or constant is called by a participle or a verb of saying alone.

    Nor is a local variable or a parameter, in most packages.
    """
    assert {
        f"{module.path}: {name}"
        for module in shipped()
        for name in chain(_lasting_names(module.tree), _locals(module.tree) if module.top in LOCALS_TOO else ())
        if name.strip("_").lower() in SAYING
    } == LEFT


def _locals(tree: ast.Module) -> Iterator[str]:
    """Names of variables and parameters, wherever they are bound."""
    for node in ast.walk(tree):
        if isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def _lasting_names(tree: ast.Module) -> Iterator[str]:
    """Names that are read beyond the function in which they stand."""
    bodies = [tree.body, *(node.body for node in ast.walk(tree) if isinstance(node, ast.ClassDef))]
    for statement in chain.from_iterable(bodies):
        targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
        yield from (target.id for target in targets if isinstance(target, ast.Name))
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr
