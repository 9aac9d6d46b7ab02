"""Text from outside as it may be shown to people: it moves no cursor, turns no line around, hides nothing, ends."""

from __future__ import annotations

import re

LONGEST = 200  # characters of what somebody sent that are shown back to them
LONGEST_MESSAGE = 1_000
# Controls (C0, DEL, C1), what sets the direction of writing, ends of lines, invisible marks, halves of characters.
_UNCLEAN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f]"
)
_LONG_WORD = re.compile(rf"\S{{{LONGEST + 1},}}")
_LONG_QUOTE = re.compile(rf"(?P<mark>['\"])(?P<text>(?:(?!(?P=mark)).){{{LONGEST + 1},}})(?P=mark)?")


def clean(text: str, longest: int = LONGEST) -> str:
    """The text with � for what is not to be shown, cut to so many characters."""
    shown = _UNCLEAN.sub("�", text[: longest + 1])
    return shown if len(shown) <= longest else f"{shown[: longest - 1]}…"


def clean_message(text: str) -> str:
    """A message of ours that may quote what somebody sent: of each quotation LONGEST characters at most."""
    shown = _UNCLEAN.sub("�", text[: 4 * LONGEST_MESSAGE])
    shown = _LONG_QUOTE.sub(lambda match: f"{match['mark']}{match['text'][: LONGEST - 1]}…{match['mark']}", shown)
    shown = _LONG_WORD.sub(lambda match: f"{match[0][: LONGEST - 1]}…", shown)
    return clean(shown, LONGEST_MESSAGE)


def escaped_json(text: str) -> str:
    """JSON that means the same, with nothing in it that a terminal would obey."""
    return _UNCLEAN.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    if match[0] == "\n":  # between members, where JSON is spread out
        return "\n"
    return "".join(f"\\u{unit:04x}" for unit in _units(match[0]))


def _units(character: str) -> tuple[int, ...]:
    """UTF-16 code units: what \\u of JSON counts in."""
    data = character.encode("utf-16-be", "surrogatepass")
    return tuple(int.from_bytes(data[at : at + 2]) for at in range(0, len(data), 2))
