"""What takes or returns money, times or sizes says in which unit: nobody has to guess trillionths, ms or bytes."""

from __future__ import annotations

import ast
import re

from tests.architecture.sources import Function, public, shipped

QUANTITY = re.compile(
    r"(^|_)(seconds|ms|bytes|size|amount|price|fee|fees|cost|duration|elapsed|age|timeout|patience|pause|"
    r"pnl|mrr|arpa|revenue|money|profit|loss|volume|lag)(_|$)"
)
NUMBER = re.compile(r"\b(int|float|Decimal|Whole|Floats|IntArray)\b")
UNIT = re.compile(
    r"\b(ms|µs|milliseconds?|trillionths?|twelfths?|cents|bytes?|MB|megabytes|seconds?|minutes?|hours?|days?|months?|"
    r"years?|rows?|records?|events?|offsets?|characters?|shares?|fractions?|steps?|units? of|per ?cent|percentage|"
    r"currency|plain number|units that|things|how many)\b|%",
    re.IGNORECASE,
)


def _is_number(annotation: ast.expr | None) -> bool:
    return annotation is not None and NUMBER.search(ast.unparse(annotation)) is not None


def _quantities(name: str, function: Function) -> list[str]:
    """Names under which it takes or gives quantities."""
    arguments = [*function.args.args, *function.args.kwonlyargs]
    found = [a.arg for a in arguments if QUANTITY.search(a.arg) and _is_number(a.annotation)]
    return found + [name] * bool(QUANTITY.search(name) and _is_number(function.returns))


def test_quantities_say_their_units() -> None:
    """In the function's name or docstring, in a name of what it takes, or for a whole file in the file's docstring."""
    silent = []
    for module in shipped():
        said = ast.get_docstring(module.tree) or ""
        for name, function in public(module):
            taken = _quantities(name, function)
            text = " ".join([said, ast.get_docstring(function) or "", name, *taken]).replace("_", " ")
            if taken and not UNIT.search(text):
                silent.append(f"{module.path} {name}: {', '.join(taken)}")
    assert silent == []
