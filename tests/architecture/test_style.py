"""The gates of style: sizes, names and smells. An exception is named here with its reason, and fails when stale."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping

from tests.architecture.sources import Function, comments, functions, modules, shipped, texts
from tests.support.exceptions import hold_but_for

LONGEST_FUNCTION = 40  # lines, the docstring not counted: facts about a function should not cost it its room
LONGEST_FILE = 400  # lines

# path::function → why it may be longer
LONG_FUNCTIONS: Mapping[str, str] = {}
# path → why it may be longer
LONG_FILES: Mapping[str, str] = {}

# path → why a test there may look at where it runs before it runs
SWITCHED_OFF: Mapping[str, str] = {
    "tests/browser/test_every_page.py": "axe-core comes by npm, which such a machine may lack, too",
    "tests/browser/test_pages.py": "a newcomer's machine may have no Chromium; CI demands what it has",
    "tests/adapters/servers/test_servers.py": "root starts the servers as an ordinary user too; such a user shows it",
}

# Split, so that this file does not contain what it forbids.
UNFINISHED = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK")) + r")\b")
VAGUE_NAME = re.compile(r"(Manager|Helper|Util|Utils|Base)(?=[A-Z]|$)")
VAGUE_MODULE = re.compile(r"(^|/)_?(utils?|helpers?|managers?|base|common|misc)\.py$")
SILENCED = re.compile(r"#\s*(?:noqa|type:\s*ignore)\b")
_CODES = r"#\s*(?:noqa:\s*[A-Z]+\d+\b(?:,\s*[A-Z]+\d+\b)*|type:\s*ignore\[[\w, -]+\])"
SILENCED_WITH_REASON = re.compile(_CODES + r"\s*[#(]?\s*\w+")


def test_functions_are_short() -> None:
    """No function has more than 40 lines."""
    long = {
        f"{module.path}::{name}": lines
        for module in modules()
        for name, node in functions(module.tree)
        if (lines := _lines(node) - _docstring_lines(node)) > LONGEST_FUNCTION
    }
    hold_but_for(LONG_FUNCTIONS, long)


def _lines(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def _docstring_lines(node: Function) -> int:
    return _lines(node.body[0]) if ast.get_docstring(node) is not None else 0


def test_files_are_short() -> None:
    """No file that a person writes has more than 400 lines."""
    written = ((path, text) for path, text in texts(".py", ".html", ".css", ".js") if "_pb2" not in path)
    long = {path: lines for path, text in written if (lines := text.count("\n")) > LONGEST_FILE}
    hold_but_for(LONG_FILES, long)


def test_names_say_what_a_thing_is() -> None:
    """No class is a Manager, Helper, Util or Base, and no module a drawer for everything."""
    classes = [
        f"{module.path}::{node.name}"
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ClassDef) and VAGUE_NAME.search(node.name)
    ]
    assert classes == []
    assert [module.path for module in modules() if VAGUE_MODULE.search(module.path)] == []


def test_nothing_is_left_unfinished() -> None:
    """No comment or text marks work that is still to be done."""
    marked = [f"{path}: {found[0]}" for path, text in texts() if (found := UNFINISHED.search(text))]
    assert marked == []


def test_no_error_is_swallowed() -> None:
    """Nobody catches everything and goes on without a word."""
    swallowed = [f"{m.path}: {ast.unparse(n)[:60]}" for m in modules() for n in ast.walk(m.tree) if _swallows(n)]
    assert swallowed == []


def _swallows(node: ast.AST) -> bool:
    if isinstance(node, ast.ExceptHandler):
        silent = all(isinstance(s, ast.Pass | ast.Continue) or _is_text(s) for s in node.body)
        return silent and (node.type is None or _catches_all(node.type))
    if isinstance(node, ast.Call) and ast.unparse(node.func) in ("suppress", "contextlib.suppress"):
        return any(_catches_all(argument) for argument in node.args)
    return False


def _catches_all(kind: ast.expr) -> bool:
    return bool({"Exception", "BaseException"} & {n.id for n in ast.walk(kind) if isinstance(n, ast.Name)})


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def test_every_silenced_finding_has_a_reason() -> None:
    """`noqa` and `type: ignore` name their code and say why."""
    bare = [
        f"{module.path}:{line} {comment}"
        for module in modules()
        if SILENCED.search(module.text)  # of few files, and to take one apart takes long
        for line, comment in comments(module.text)
        if SILENCED.search(comment) and not SILENCED_WITH_REASON.search(comment)
    ]
    assert bare == []


def test_every_module_and_public_name_says_what_it_is() -> None:
    """Modules, public classes and public functions of the product have a docstring."""
    silent = []
    for module in shipped():
        if module.text.strip() and ast.get_docstring(module.tree) is None:
            silent.append(module.path)
        for node in ast.iter_child_nodes(module.tree):
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and not _explained(node):
                silent.append(f"{module.path}::{node.name}")
    assert silent == []


def _explained(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return node.name.startswith("_") or ast.get_docstring(node) is not None


def test_no_test_is_switched_off() -> None:
    """A test runs or is not there: none is skipped or expected to fail."""
    off = {
        module.path: f"line {node.lineno}: {node.attr}"
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and node.attr in ("skip", "skipif", "xfail", "importorskip")
    }
    hold_but_for(SWITCHED_OFF, off)


def test_only_the_command_line_prints() -> None:
    """`print` writes to a stream that belongs to the command line; everything else logs or answers."""
    printing = [
        f"{module.path}:{node.lineno}"
        for module in shipped()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
        if not module.path.startswith("app/cli")
    ]
    assert printing == []
