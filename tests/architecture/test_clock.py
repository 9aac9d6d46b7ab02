"""The gate of the clock: behind the doors nothing reads one, because a question says itself when it was asked."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping

from tests.architecture.sources import Module, shipped
from tests.support.exceptions import hold_but_for

# the rooms whose code answers questions; the others measure, wait and sign
ROOMS = ("projections/", "read_api/", "domain/metrics/", "domain/insights/")
WALL = {"datetime": {"now", "utcnow", "today"}, "date": {"today"}, "time": {"time", "time_ns", "localtime", "gmtime"}}
# PostgreSQL's own
IN_SQL = re.compile(r"\b(now\(\)|(clock|statement|transaction)_timestamp|current_(date|time)|localtime)", re.IGNORECASE)

# path → what it does with a clock
READS: Mapping[str, str] = {
    "projections/engine/project/cohort.py": "tells the store when rows were confirmed: how fresh they are",
    "projections/engine/project/tenant_lag.py": "measures how late a tenant's events are",
    "read_api/answers/questions.py": "the doors' clock, by which a question is given its moment",
    "read_api/live/websocket.py": "a connection ends with its token",
    "read_api/health/projection_status.py": "measures how late projections are",
}


def test_no_clock_is_read_behind_the_doors() -> None:
    """No query, formula, tier rule or cache: their answer would be another one tomorrow."""
    reads = {module.path: found for module in shipped() if module.path.startswith(ROOMS) if (found := _reads(module))}
    hold_but_for(READS, reads)


def test_statements_read_no_clock() -> None:
    """The database's clock is one, too."""
    found = [
        f"{module.path}:{node.lineno}"
        for module in shipped()
        if module.path.startswith(ROOMS)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and IN_SQL.search(node.value)
    ]
    assert found == []


def _reads(module: Module) -> list[int]:
    return sorted({*_by_attribute(module.tree), *_by_import(module.tree)})


def _by_attribute(tree: ast.AST) -> Iterator[int]:
    """Lines that name `datetime.now`, `time.time` and the like, called or passed on."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            owner = node.value.id if isinstance(node.value, ast.Name) else getattr(node.value, "attr", "")
            if node.attr in WALL.get(owner, ()):
                yield node.lineno


def _by_import(tree: ast.AST) -> Iterator[int]:
    """Lines that import a clock's function or rename its module: under another name it would not be seen."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "time":
            yield from (node.lineno for each in node.names if each.name in WALL["time"])
        if isinstance(node, ast.Import | ast.ImportFrom):
            renamed = (each for each in node.names if each.asname is not None and each.name in WALL)
            yield from (node.lineno for each in renamed if each.asname != each.name)
