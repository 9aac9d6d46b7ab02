"""The questions of somebody new have answers that are still where they were."""

from __future__ import annotations

import ast

import pytest

from tests.architecture.behaviours import BEHAVIOURS, Behaviour
from tests.architecture.sources import ROOT, Function


def test_there_are_twenty_questions_about_twenty_files() -> None:
    """Each about a file of its own."""
    assert len({behaviour.path for behaviour in BEHAVIOURS}) == len(BEHAVIOURS) == 20


@pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=lambda behaviour: behaviour.path)
def test_the_answer_is_there(behaviour: Behaviour) -> None:
    """The file defines the name with which the answer begins."""
    tree = ast.parse((ROOT / behaviour.path).read_text())
    assert behaviour.name in {node.name for node in tree.body if isinstance(node, ast.ClassDef | Function)}
