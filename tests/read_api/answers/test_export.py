"""Rows as files: what a spreadsheet would run is text."""

from __future__ import annotations

import csv
import io

import pytest

from read_api.answers.ad_hoc import Table
from read_api.export.tables import FORMATS


def written(*texts: str) -> list[str]:
    """The cells of one column of CSV, as a reader has them."""
    table = Table(["text"], frozenset(), {}, [{"text": text} for text in texts])
    return [line[0] for line in csv.reader(io.StringIO(FORMATS["csv"].write(table).decode(), newline=""))][1:]


@pytest.mark.parametrize("text", ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "=HYPERLINK(\"x\",'y')"])
def test_a_formula_is_text(text: str) -> None:
    """With an apostrophe before it, which spreadsheets do not show."""
    assert written(text) == [f"'{text}"]


def test_numbers_and_plain_text_are_as_they_are() -> None:
    """A loss begins with the sign that a formula may begin with."""
    assert written("-12.5", "-3", "plain", "a=b") == ["-12.5", "-3", "plain", "a=b"]
