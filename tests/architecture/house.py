"""python -m tests.architecture.house: how the house is in order, in figures. `--base REV`: statements there, beside.

The walks are gone in an instance of their own (tests/e2e/walks.py), which takes half a minute; `--still` leaves them
out. What must hold is held by the gates beside this file; this prints how far it is from them.
"""

from __future__ import annotations

import argparse
import ast
import asyncio
import re
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import NamedTuple

from tests.architecture.behaviours import BEHAVIOURS, Behaviour
from tests.architecture.sources import PACKAGES, ROOT, Function, Module, public, shipped

SAYS_HOW = re.compile(r"\b[Rr]ais(e|es|ed|ing)\b|\b[Rr]efuses\b")


class Failing(NamedTuple):
    """Public functions with a docstring that can fail, as `path::name`: those that say how, and the others."""

    saying: list[str]
    silent: list[str]


@cache
def names() -> Mapping[str, Module]:
    """The modules of the product by their dotted names."""
    return {m.path.removesuffix(".py").removesuffix("/__init__").replace("/", "."): m for m in shipped()}


def imports(tree: ast.AST) -> Iterator[str]:
    """Every module of the product that a file imports, wherever in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in names() else node.module


def circles() -> dict[str, list[str]]:
    """Modules that import themselves by others, each with those that are left of its imports.

    Imports inside functions and those for types alone count too: a circle of meaning is one however it is loaded.
    """
    graph = {name: {i for i in imports(module.tree) if i in names()} for name, module in names().items()}
    while removable := {name for name, found in graph.items() if not found & graph.keys()}:
        graph = {name: found for name, found in graph.items() if name not in removable}
    return {name: sorted(found & graph.keys()) for name, found in graph.items()}


def lost() -> list[Behaviour]:
    """Behaviours whose file does not define the name with which the answer begins."""
    return [b for b in BEHAVIOURS if b.name not in _defined(ast.parse((ROOT / b.path).read_text()))]


def _defined(tree: ast.Module) -> set[str]:
    return {node.name for node in tree.body if isinstance(node, ast.ClassDef | Function)}


def failing() -> Failing:
    """The public functions of the product that raise something themselves."""
    found = Failing([], [])
    for module in shipped():
        if module.top == "migrations":
            continue
        for name, node in public(module):
            text = ast.get_docstring(node)
            if text and any(isinstance(each, ast.Raise) and each.exc is not None for each in _own(node)):
                (found.saying if SAYS_HOW.search(text) else found.silent).append(f"{module.path}::{name}")
    return found


def _own(node: Function) -> Iterator[ast.AST]:
    """The nodes of a function without those of functions in it."""
    waiting: list[ast.AST] = list(node.body)
    while waiting:
        each = waiting.pop()
        yield each
        if not isinstance(each, Function | ast.Lambda | ast.ClassDef):
            waiting += ast.iter_child_nodes(each)


def silenced(package: str) -> list[str]:
    """Lines of a package in which the type checker is told to be silent."""
    return [
        f"{module.path}:{number}"
        for module in shipped()
        if module.top == package
        for number, line in enumerate(module.text.splitlines(), 1)
        if "# type: " + "ignore" in line
    ]


def statements(trees: Iterable[ast.AST]) -> int:
    """Statements, docstrings and other texts that stand alone not counted."""
    every = (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.stmt))
    return sum(not (isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant)) for each in every)


def _at(revision: str) -> Iterator[ast.Module]:
    """The product's files as they were."""
    paths = _git("ls-tree", "-r", "--name-only", revision).split()
    for path in paths:
        if path.endswith(".py") and path.split("/")[0] in PACKAGES and "_pb2" not in path:
            yield ast.parse(_git("show", f"{revision}:{path}"))


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True).stdout


def kinds() -> Counter[str]:
    """The modules of the kinds of query, each with how many queries there are of it."""
    from projections.engine.declare.registry import all_registered

    return Counter(type(query).__module__ for query in all_registered().values())


def lines(base: str | None) -> Iterator[str]:
    """Everything but the walks."""
    there = len(BEHAVIOURS) - len(lost())
    yield f"a newcomer's behaviours     {there} of {len(BEHAVIOURS)} are where they are said to be"
    yield f"circles of imports          {len(circles())} modules"
    yield f"type checker silenced       {len(silenced('read_api'))} lines of read_api"
    saying, silent = failing()
    share = len(saying) / (len(saying) + len(silent))
    yield f"docstrings say what fails   {len(saying)} of {len(saying) + len(silent)} public functions ({share:.0%})"
    for module, count in kinds().most_common():
        others = sorted(set(imports(names()[module].tree)) & kinds().keys() - {module})
        yield f"kind of query               {module}: {count} queries, names the kinds: {', '.join(others) or 'none'}"
    yield f"statements of the product   {statements(module.tree for module in shipped())}"
    if base is not None:
        yield f"  at {base:<24} {statements(_at(base))}"


if __name__ == "__main__":
    from tests.e2e import walks

    parser = argparse.ArgumentParser(prog="python -m tests.architecture.house")
    parser.add_argument("--base", metavar="REV")
    parser.add_argument("--still", action="store_true")
    given = parser.parse_args()
    print(*lines(given.base), sep="\n")
    if not given.still:
        print(*walks.lines(asyncio.run(walks.measured())), sep="\n")
