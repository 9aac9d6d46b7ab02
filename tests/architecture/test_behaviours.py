"""The questions of somebody new have answers that are still where they were."""

from __future__ import annotations

from tests.architecture.behaviours import BEHAVIOURS
from tests.architecture.house import lost


def test_there_are_twenty_questions_about_twenty_files() -> None:
    """Each about a file of its own."""
    assert len({behaviour.path for behaviour in BEHAVIOURS}) == len(BEHAVIOURS) == 20


def test_the_answers_are_there() -> None:
    """Each file defines the name with which the answer begins."""
    assert lost() == []
