"""Background work is heard of: tasks are made in one place, or in a group whose parent lives as long as they do."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.architecture.sources import shipped

HELPER = "eventlog/tasks.py"
MAKERS = {"create_task", "ensure_future"}


def _groups(tree: ast.AST) -> set[str]:
    """Names that a TaskGroup has in this file: entered under it, or declared as one."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.withitem) and node.optional_vars is not None and _is_group(node.context_expr):
            names.add(ast.unparse(node.optional_vars))
        if isinstance(node, ast.AnnAssign) and _is_group(node.annotation):
            names.add("self." + ast.unparse(node.target))
    return names


def _is_group(node: ast.expr) -> bool:
    return ast.unparse(node).removesuffix("()") == "asyncio.TaskGroup"


def _made(tree: ast.AST) -> Iterator[str]:
    """Where a task is made that belongs to no group."""
    groups = _groups(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in MAKERS and ast.unparse(node.value) not in groups:
            yield ast.unparse(node)
        if isinstance(node, ast.ImportFrom) and node.module == "asyncio":
            yield from (alias.name for alias in node.names if alias.name in MAKERS)


def test_no_task_is_made_that_nobody_hears_of() -> None:
    """A bare task that fails leaves who waits for it waiting, and says nothing until it is collected."""
    judged = (module for module in shipped() if module.path != HELPER)
    bare = [f"{module.path}: {made}" for module in judged for made in _made(module.tree)]
    assert bare == []
