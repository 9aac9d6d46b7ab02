"""A document as PDF: one pass, so that long tables are laid out once.

Page numbers of the contents are not known when that page is drawn: they are drawn there as forms, which PDF lets be
defined later. Prose is HTML of a template; in it marks stand for charts and tables. Nothing that the HTML names is
fetched or read: it may hold pictures that are part of it, and nothing else.
"""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, partial
from hashlib import blake2b
from html import escape
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup
from PIL import Image
from reportlab import rl_config
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.platypus import CondPageBreak, PageBreak, Spacer
from reportlab.platypus.flowables import Flowable
from xhtml2pdf.config.resources import ResourceAccessPolicy
from xhtml2pdf.context import pisaContext
from xhtml2pdf.document import pisaStory
from xhtml2pdf.xhtml2pdf_reportlab import PmlBaseDoc, PmlFrame, PmlPageTemplate

from domain.reports.document import Document, Section
from read_api.reports.composing import cover_of, formats_for, proof_of
from read_api.reports.pdf import fonts
from read_api.reports.pdf.charts import Picture, pictures
from read_api.reports.pdf.tables import LINE, QUIET, tables
from read_api.web.formats import Formats
from read_api.web.tables import table_of

MARGIN = 56.7  # points: 20 mm
WIDTH, FOOT = A4[0] - 2 * MARGIN, 30.0
MOST_PIXELS = 4_000_000  # of a logo
DENY_ALL = ResourceAccessPolicy(
    allow_remote=False,
    base_dir=None,
    max_resource_bytes=1,
    max_local_bytes=1_000_000,  # of a picture that is part of the HTML
    max_image_pixels=MOST_PIXELS,
    max_resources=0,
    max_total_bytes=0,
    max_render_seconds=90,
    max_document_bytes=10_000_000,
    max_depth=40,
    allow_remote_pdf_backgrounds=False,
)
_MARK = re.compile("@([0-9a-f]{32})-([a-z]+)(?:-([0-9]+))?(?:-([0-9]+))?@")
MOST_BESIDE = 40  # rows of a table below a chart: more of them say less than the chart
HEAD_ROOM = 150.0  # points that a heading needs below it: itself, a sentence, and a beginning of what follows


def pdf(document: Document) -> bytes:
    """The document as the bytes of a PDF file: the same ones, whenever and wherever it is written."""
    rl_config.invariant = 1
    fonts.ready()
    formats = formats_for(document)
    drawn = [_pictures(section, formats) for section in document.sections]
    parts = _Parts(document, formats, drawn)
    context = pisaContext("")
    for name in (fonts.BASE, fonts.ARABIC, fonts.HAN, fonts.KANA, fonts.HANGUL):
        context.registerFont(name)
    html = _template().render(**parts.values())
    pisaStory(html, context=context, resource_policy=DENY_ALL)
    story = [flowable for each in context.story for flowable in parts.placed(each)]
    file = io.BytesIO()
    _Paper(file, document).build([*story, LastPage()])
    return file.getvalue()


def _pictures(section: Section, formats: Formats) -> list[Picture]:
    if section.problem or not section.rows:
        return []
    return pictures(section.chart, section.query, section.params, section.rows, formats, WIDTH)


class _Parts:
    """What the template is filled with, and what stands in the places of its marks."""

    def __init__(self, document: Document, formats: Formats, drawn: Sequence[Sequence[Picture]]) -> None:
        self._document, self._formats, self._drawn = document, formats, drawn
        told = [(each.title, each.sentence, each.problem) for each in document.sections]
        self._token = blake2b(repr(told).encode(), digest_size=16).hexdigest()

    def values(self) -> Mapping[str, Any]:
        """The values of the template."""
        document = self._document
        return {
            "base": fonts.BASE,
            "most_beside": MOST_BESIDE,
            "document": document,
            "owner": document.owner,
            "logo": _logo(document.owner.logo),
            "captions": [[picture.title for picture in each] for each in self._drawn],
            "cover": cover_of(document, self._formats),
            "proof": proof_of(document),
            "definitions": [(each.title, _question_line(each)) for each in document.sections],
            "place": self._mark,
        }

    def _mark(self, name: str, *numbers: int) -> str:
        """What no text of others can be, since it is a hash of these texts."""
        return f"@{'-'.join((self._token, name, *map(str, numbers)))}@"

    def placed(self, flowable: Flowable) -> Iterator[Flowable]:
        """The flowable, or what its mark stands for."""
        texts = (fragment.text for fragment in getattr(flowable, "frags", ()))
        match = next((found for text in texts if (found := _MARK.search(text))), None)
        if match is None or match[1] != self._token:
            yield flowable
            return
        _, name, *numbers = match.groups()
        yield from getattr(self, f"_place_{name}")(*(int(number) for number in numbers if number))

    def _place_contents(self) -> Iterator[Flowable]:
        yield Spacer(1, 26)
        for number, section in enumerate(self._document.sections):
            yield ContentsLine(number, section.title)
        yield ContentsLine(len(self._document.sections), "What this report stands for")
        yield PageBreak()

    def _place_start(self, number: int) -> Iterator[Flowable]:
        if number:
            yield Spacer(1, 22)
        yield CondPageBreak(self._room(number))
        yield Anchor(number, self._document.sections[number].title)

    def _room(self, number: int) -> float:
        """What has to fit on the page with a heading: its first chart, or the head of its table with some rows."""
        drawn = self._drawn[number]
        return HEAD_ROOM + (drawn[0].drawing.height if drawn else 0)

    def _place_caption(self, number: int, part: int) -> Iterator[Flowable]:
        yield CondPageBreak(self._drawn[number][part].drawing.height + 40)

    def _place_chart(self, number: int, part: int) -> Iterator[Flowable]:
        yield self._drawn[number][part].drawing

    def _place_table(self, number: int) -> Iterator[Flowable]:
        section, charted = self._document.sections[number], bool(self._drawn[number])
        if charted and len(section.rows) > MOST_BESIDE:
            return
        table = table_of(section.query, section.rows, self._formats, len(section.rows))
        if table is not None:
            yield Spacer(1, 6)
            yield from tables(table, WIDTH, self._document.owner.primary_color)

    def _place_end(self) -> Iterator[Flowable]:
        yield PageBreak()
        yield Anchor(len(self._document.sections), "What this report stands for")


def _question_line(section: Section) -> str:
    params = ", ".join(f"{name} = {value}" for name, value in section.params.items())
    version = f"version {section.definition_version}" if section.definition_version else "not answered"
    return f"{section.query}, {version}" + (f"; {params}" if params else "")


def _logo(data: str) -> str:
    """The picture, made anew as PNG, so that nothing but its pixels gets into the file; none where it is none."""
    if not data:
        return ""
    try:
        with Image.open(io.BytesIO(base64.b64decode(data.partition(",")[2]))) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                return ""
            file = io.BytesIO()
            picture.convert("RGBA").save(file, "PNG")
    except (OSError, ValueError, SyntaxError):
        return ""
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def shown(value: object, longest: int) -> Markup:
    """Text of others in HTML: its letters in fonts that have them, words of more than so many letters broken."""
    text = fonts.shaped(fonts.clean(str(value)))
    words = (" ".join(word[i : i + longest] for i in range(0, len(word), longest)) for word in text.split(" "))
    return Markup("").join(_in_font(run) for run in fonts.runs(" ".join(words)))


def _in_font(run: fonts.Run) -> Markup:
    if run.face == fonts.BASE:
        return Markup(escape(run.text))
    return Markup(f'<span style="font-family: {run.face}">{escape(run.text)}</span>')


@cache
def _template() -> Any:
    environment = Environment(
        loader=PackageLoader("read_api.reports.pdf", "."), autoescape=select_autoescape(), undefined=StrictUndefined
    )
    environment.filters["shown"] = shown
    return environment.get_template("report.html")


class Anchor(Flowable):
    """Where a section begins: it has no room, and notes on which page it is drawn."""

    def __init__(self, number: int, title: str) -> None:
        super().__init__()
        self.number, self.title = number, title

    def wrap(self, _width: float, _height: float) -> tuple[float, float]:
        """It takes no room."""
        return 0, 0

    def draw(self) -> None:
        """Keep the page."""
        canvas, name = self.canv, f"s{self.number}"
        _define(canvas, f"page-{self.number}", str(canvas.getPageNumber()))
        canvas.bookmarkHorizontal(name, 0, 14)
        canvas.addOutlineEntry(fonts.clean(self.title), name, 0)


class ContentsLine(Flowable):
    """A line of the contents: a title, and the page that it is on."""

    def __init__(self, number: int, title: str) -> None:
        super().__init__()
        self.number, self.title = number, fonts.lines(fonts.shaped(fonts.clean(title)), 10, WIDTH - 60)[0]

    def wrap(self, width: float, _height: float) -> tuple[float, float]:
        """One line."""
        self.width = width
        return width, 17

    def draw(self) -> None:
        """The title, a line, and the number as a form that is defined once it is known."""
        canvas = self.canv
        canvas.setStrokeColor(LINE)
        canvas.setLineWidth(0.5)
        canvas.line(0, 0, self.width, 0)
        _draw_text(canvas, 0, 5, self.title, 10, "#16191f")
        canvas.saveState()
        canvas.translate(self.width, 5)
        canvas.doForm(f"page-{self.number}")
        canvas.restoreState()
        canvas.linkRect("", f"s{self.number}", (0, 0, self.width, 17), relative=1, thickness=0)


class LastPage(Flowable):
    """The end of the document: how many pages there are is known."""

    def wrap(self, _width: float, _height: float) -> tuple[float, float]:
        """It takes no room."""
        return 0, 0

    def draw(self) -> None:
        """Say so at the foot of each."""
        _define(self.canv, "pages", f"of {self.canv.getPageNumber()}", 8)


def _draw_text(canvas: Any, x: float, y: float, text: str, size: float, colour: str) -> None:
    canvas.setFillColor(HexColor(colour))
    for run in fonts.runs(fonts.visual(text)):
        canvas.setFont(run.face, size)
        canvas.drawString(x, y, run.text)
        x += fonts.width(run.text, size)


def _define(canvas: Any, name: str, text: str, size: float = 10) -> None:
    """A form that is drawn as this text, which ends where it is put."""
    canvas.beginForm(name, -WIDTH, -size, size, 2 * size)
    canvas.setFont(fonts.BASE, size)
    canvas.setFillColor(QUIET)
    canvas.drawRightString(0, 0, text)
    canvas.endForm()


class _Paper(PmlBaseDoc):
    """The pages: what stands at the foot of each, and that contents know their pages."""

    def __init__(self, file: io.BytesIO, document: Document) -> None:
        title, owner = fonts.clean(document.title), document.owner
        super().__init__(
            file,
            pagesize=A4,
            title=title,
            author=fonts.clean(owner.name),
            subject=document.kind,
            lang=document.locale,
            allowSplitting=1,
        )
        frame = PmlFrame(
            *(MARGIN, MARGIN + FOOT - 14, WIDTH, A4[1] - 2 * MARGIN - FOOT + 14),
            id="body",
            leftPadding=0,
            rightPadding=0,
            bottomPadding=0,
            topPadding=0,
        )
        self._foot = fonts.lines(fonts.shaped(fonts.clean(owner.footer or f"{owner.name} · {title}")), 8, WIDTH - 70)[0]
        template = PmlPageTemplate(id="body", frames=[frame], pagesize=A4)
        template.beforeDrawPage = partial(self._draw_foot, owner.accent_color)
        self.addPageTemplates([template])

    def _draw_foot(self, colour: str, canvas: Any, _paper: Any) -> None:
        canvas.saveState()
        canvas.setStrokeColor(HexColor(colour))
        canvas.setLineWidth(0.75)
        canvas.line(MARGIN, MARGIN, A4[0] - MARGIN, MARGIN)
        _draw_text(canvas, MARGIN, MARGIN - 12, self._foot, 8, "#59616e")
        canvas.translate(A4[0] - MARGIN, MARGIN - 12)
        canvas.doForm("pages")
        canvas.translate(-fonts.width(" of 0000", 8), 0)
        canvas.setFont(fonts.BASE, 8)
        canvas.setFillColor(QUIET)
        canvas.drawRightString(0, 0, str(canvas.getPageNumber()))
        canvas.restoreState()
