"""The files of the repository as the gates see them: everything that is not ignored by .gitignore."""

from __future__ import annotations

import ast
import gc
import os
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("domain", "eventlog", "projections", "command_api", "read_api", "adapters", "app", "migrations")
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """One hand-written Python file."""

    path: str
    text: str
    tree: ast.Module

    @property
    def top(self) -> str:
        """The package or folder at the root of the repository that it is in."""
        return self.path.split("/")[0]


@cache
def files() -> tuple[str, ...]:
    """Paths of all files that belong to the repository, relative to its root."""
    ignored = [line.strip().rstrip("/") for line in (ROOT / ".gitignore").read_text().splitlines() if line.strip()]
    found = []
    for folder, names, file_names in os.walk(ROOT):
        names[:] = [name for name in names if name != ".git" and not _matches(name, ignored)]
        place = Path(folder).relative_to(ROOT)
        found += [str(place / name) for name in file_names if not _matches(name, ignored)]
    return tuple(sorted(found))


def _matches(name: str, patterns: list[str]) -> bool:
    return any(fnmatch(name, pattern) for pattern in patterns)


def texts(*suffixes: str) -> Iterator[tuple[str, str]]:
    """Path and text of every file that is text, of these suffixes or of all."""
    for path in files():
        if suffixes and not path.endswith(suffixes):
            continue
        try:
            yield path, (ROOT / path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # binary: a descriptor set, a picture, a sample of bad bytes


@cache
def modules() -> tuple[Module, ...]:
    """Every Python file that a person wrote: the stubs that protoc makes are not among them."""
    written = ((path, text) for path, text in texts(".py") if "_pb2" not in path)
    gc.disable()  # it would walk millions of nodes again and again, of which none is garbage
    found = tuple(Module(path, text, ast.parse(text, path)) for path, text in written)
    gc.freeze()
    gc.enable()
    return found


def shipped() -> Iterator[Module]:
    """The modules of the product itself, without tests and generators."""
    return (module for module in modules() if module.top in PACKAGES)


def functions(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, Function]]:
    """Every function with its dotted name, methods and inner functions included."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, Function | ast.ClassDef):
            name = f"{prefix}{node.name}"
            if not isinstance(node, ast.ClassDef):
                yield name, node
            yield from functions(node, f"{name}.")
        else:
            yield from functions(node, prefix)


def public(module: Module) -> Iterator[tuple[str, Function]]:
    """The public functions of a file and of its public classes; no commands of the command line."""
    for node in module.tree.body:
        inner = node.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_") else [node]
        for each in inner:
            if isinstance(each, Function) and not each.name.startswith("_") and not _is_command(each):
                yield each.name, each


def _is_command(function: Function) -> bool:
    """A command of the command line: the help of each option says its unit."""
    return any(".command(" in ast.unparse(decorator) for decorator in function.decorator_list)


def comments(text: str) -> Iterator[tuple[int, str]]:
    """Line number and text of every comment."""
    import io
    import tokenize

    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def imported(tree: ast.AST) -> Iterator[str]:
    """The full name of every module that is imported anywhere in the file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
