"""Letters of all kinds of writing: which font has them, in which order they are drawn, where lines are broken.

Latin, Greek, Cyrillic, Hebrew and Arabic are embedded. Chinese, Japanese and Korean are those of the viewer (the fonts
that PDF names for them), because to embed them takes 30 MB of fonts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from itertools import groupby
from typing import NamedTuple

import arabic_reshaper
import fontpkg_arimo
import fontpkg_noto_sans_arabic
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFont
from xhtml2pdf.bidi import get_display, needs_bidi

BASE, ARABIC = "Arimo", "NotoSansArabic"
HAN, KANA, HANGUL = "STSong-Light", "HeiseiKakuGo-W5", "HYGothic-Medium"
FOLDER = fontpkg_arimo.ROOT / "files"
_FILES = {
    BASE: FOLDER / "Arimo[wght].ttf",
    ARABIC: fontpkg_noto_sans_arabic.ROOT / "files/NotoSansArabic[wdth,wght].ttf",
}
MISSING = "\N{WHITE SQUARE}"  # in place of a letter that no font has
_KANA = re.compile("[\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9f]")
_HANGUL = re.compile("[\u1100-\u11ff\u3130-\u318f\uac00-\ud7af]")
_HAN = re.compile("[\u2e80-\u9fff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef\U00020000-\U0003ffff]")
_ARABIC = re.compile("[\u0600-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufeff]")
_UNPRINTED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ue000-\uf8ff]"
)


class Run(NamedTuple):
    """Letters of one font."""

    face: str
    text: str


@cache
def ready() -> None:
    """Make the fonts known to whatever draws; they are read once a process."""
    for name, path in _FILES.items():
        pdfmetrics.registerFont(TTFont(name, str(path)))
        pdfmetrics.registerFontFamily(name, normal=name, bold=name, italic=name, boldItalic=name)
    for name in (HAN, KANA, HANGUL):
        pdfmetrics.registerFont(UnicodeCIDFont(name))
        pdfmetrics.registerFontFamily(name, normal=name, bold=name, italic=name, boldItalic=name)


@cache
def _letters(name: str) -> frozenset[int]:
    ready()
    return frozenset(pdfmetrics.getFont(name).face.charToGlyph)


def clean(text: str) -> str:
    """The text without what is no letter: controls, marks of direction, what has no meaning of its own."""
    return _UNPRINTED.sub("", " ".join(text.split()))


@lru_cache(20_000)
def _face(char: str) -> str:
    """The font of a letter; none where no font has it."""
    if ord(char) in _letters(BASE):
        return BASE
    if ord(char) in _letters(ARABIC):
        return ARABIC
    for pattern, face in ((_KANA, KANA), (_HANGUL, HANGUL), (_HAN, HAN)):
        if pattern.match(char):
            return face
    return ""


def is_plain(text: str) -> bool:
    """Whether the first font has all of it, from left to right."""
    return text.isascii() or (_letters(BASE).issuperset(map(ord, text)) and not needs_bidi(text))


def shaped(text: str) -> str:
    """The text with its Arabic letters joined."""
    return str(arabic_reshaper.reshape(text)) if _ARABIC.search(text) else text


def visual(text: str) -> str:
    """One line in the order in which it is drawn; its letters are joined already."""
    return str(get_display(text)) if needs_bidi(text) else text


def runs(text: str) -> Sequence[Run]:
    """The text by the fonts that have it. Japanese keeps its characters together where it has syllables."""
    han = KANA if _KANA.search(text) else HANGUL if _HANGUL.search(text) else HAN
    faces = [_face(char) for char in text]
    faces = [han if face == HAN else face for face in faces]
    chars = [char if face else MISSING for char, face in zip(text, faces, strict=True)]
    pairs = zip((face or BASE for face in faces), chars, strict=True)
    return [Run(face, "".join(c for _, c in part)) for face, part in groupby(pairs, key=lambda pair: pair[0])]


def width(text: str, size: float) -> float:
    """How wide a line is, in points."""
    if text.isascii():
        return float(pdfmetrics.stringWidth(text, BASE, size))
    return float(sum(pdfmetrics.stringWidth(run.text, run.face, size) for run in runs(text)))


def lines(text: str, size: float, most: float) -> list[str]:
    """The text in lines of at most that width, broken between words and where a word is longer than a line."""
    if width(text, size) <= most:
        return [text]
    found, line = [], ""
    for word in _words(text, size, most):
        longer = f"{line} {word}" if line else word
        if line and width(longer, size) > most:
            found.append(line)
            longer = word
        line = longer
    return [*found, line]


def _words(text: str, size: float, most: float) -> Iterator[str]:
    """Words, those that are too long in pieces: of two pieces none could be longer."""
    for word in text.split(" "):
        piece = ""
        for char in word if width(word, size) > most else ():
            if piece and width(piece + char, size) > most:
                yield piece
                piece = ""
            piece += char
        yield piece or word
