"""Text from outside as it is shown: nothing in it acts on a terminal or on a reader, and it ends."""

from __future__ import annotations

import json
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from domain.clean_text import LONGEST, LONGEST_MESSAGE, clean, clean_message, escaped_json

ANY = st.text(st.characters())
ACTING = {"Cc", "Zl", "Zp", "Cs"}
BIDI = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def acts(text: str) -> list[str]:
    """Characters that do more than being seen."""
    return [c for c in text if unicodedata.category(c) in ACTING or c in BIDI]


@given(ANY)
def test_nothing_that_acts_is_shown(text: str) -> None:
    """Whatever came; what acts on nothing stays as it is."""
    assert acts(clean(text)) == acts(clean_message(text)) == []
    assert len(clean(text)) <= LONGEST
    plain = "".join(c for c in text if c.isalnum())[:LONGEST]
    assert clean(plain) == plain


@given(st.text(st.characters(codec="utf-8"), min_size=LONGEST + 1), st.sampled_from(["x {!r} y", "x {} y", "'{}'"]))
def test_a_message_quotes_no_more_than_is_allowed(text: str, form: str) -> None:
    """Of what was sent; and the message ends, too."""
    shown = clean_message(form.format(text * 10))
    assert len(shown) <= LONGEST_MESSAGE
    assert all(len(word) <= LONGEST for word in shown.split())


@given(ANY)
def test_json_means_the_same_when_it_is_escaped(text: str) -> None:
    """Also half characters, as they come out of other people's JSON."""
    shown = escaped_json(json.dumps({"text": text}, ensure_ascii=False))
    assert json.loads(shown) == {"text": text}
    assert acts(shown) == []
