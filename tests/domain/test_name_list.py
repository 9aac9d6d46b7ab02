"""Lists of names: whatever names hold, a list of them is read as it was written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.name_list import name_list, read_name_list

NAMES = st.lists(st.text(min_size=1, max_size=6) | st.text(' ,"\\\n\x1f', min_size=1, max_size=4), max_size=5)


@given(names=NAMES)
def test_any_names_are_read_as_they_were_written(names: list[str]) -> None:
    """Commas, quotes, line ends, spaces and separators included."""
    assert read_name_list(name_list(names)) == tuple(names)


@given(text=st.text('ab ,"', max_size=12))
def test_whatever_is_read_is_the_same_when_written_again(text: str) -> None:
    """Or is refused as a whole."""
    try:
        names = read_name_list(text)
    except ValueError:
        return
    assert read_name_list(name_list(names)) == names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a,b", ("a", "b")),
        (" a , b b ", ("a", "b b")),
        ('"a,b",c', ("a,b", "c")),
        (' "say ""hi""" ,x', ('say "hi"', "x")),
        ('5" pipe', ('5" pipe',)),
        ("a,,", ("a",)),
        ("", ()),
    ],
)
def test_lists_as_people_write_them(text: str, names: tuple[str, ...]) -> None:
    """Quotes are needed only where a name has a comma, begins with a quote, or has outer spaces."""
    assert read_name_list(text) == names


@pytest.mark.parametrize("text", ['"a', '"a"b,c', 'x,"'])
def test_quotes_that_do_not_fit_are_refused(text: str) -> None:
    """Rather than guessed at."""
    with pytest.raises(ValueError, match="not quoted"):
        read_name_list(text)
