"""Templates become pages."""

from __future__ import annotations

from pathlib import Path

import pytest
from jinja2 import DictLoader, Environment

from read_api.web.rendering import compiled_in


def page(folder: Path, template: str = "{{ 6 * 7 }}") -> str:
    """A template of a new process, where compiled ones are kept in this folder."""
    environment = Environment(loader=DictLoader({"page": template}), bytecode_cache=compiled_in(folder))
    return environment.get_template("page").render()


def test_a_template_is_compiled_once_and_anew_when_it_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next process takes what is kept; where nothing can be kept, each compiles."""
    folder, taken = tmp_path / "compiled", tmp_path / "taken"
    taken.write_text("a file is in its place")
    assert page(folder) == page(taken) == "42"
    assert page(folder, "{{ 1 + 1 }}") == "2"
    monkeypatch.delattr(Environment, "compile")
    assert page(folder, "{{ 1 + 1 }}") == "2"
    with pytest.raises(AttributeError):
        page(taken)
