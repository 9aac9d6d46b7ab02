"""SVG as Vega writes it, drawn on a PDF page: groups, paths, lines, texts, clips and gradients, and nothing else.

Whatever else stands in an SVG (pictures, links, style sheets, scripts) is not drawn, so that nothing is looked for. A
general reader of SVG took three seconds for a chart of two thousand bars.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Any
from xml.etree import ElementTree

from reportlab.lib.colors import Color, toColor
from reportlab.platypus.flowables import Flowable

from read_api.reports.pdf import fonts

NAMESPACE = "{http://www.w3.org/2000/svg}"
INHERITED = ("fill", "stroke", "stroke-width", "stroke-dasharray", "fill-opacity", "stroke-opacity", "font-size")
BEGIN: Mapping[str, str] = MappingProxyType({"fill": "black", "stroke": "none", "font-size": "11", "opacity": "1"})
_TOKEN = re.compile(r"[a-zA-Z]|-?(?:\d+\.?\d*|\.\d+)(?:e-?\d+)?")
_STEP = re.compile(r"(translate|rotate|scale)\(([^)]*)\)")
_NUMBER = re.compile(r"-?(?:\d+\.?\d*|\.\d+)(?:e-?\d+)?")
_REFERENCE = re.compile(r"url\(#(.+)\)")
Style = Mapping[str, str]
Point = tuple[float, float]


class SvgChart(Flowable):
    """A chart of an SVG that Vega wrote, as wide as is said (points)."""

    def __init__(self, svg: str, width: float) -> None:
        super().__init__()
        self._root = ElementTree.fromstring(svg)
        self._scale = width / float(self._root.attrib["width"])
        self.width, self.height = width, float(self._root.attrib["height"]) * self._scale

    def wrap(self, _width: float, _height: float) -> tuple[float, float]:
        """As large as it is."""
        return self.width, self.height

    def draw(self) -> None:
        """On the page, from above to below."""
        self.canv.saveState()
        self.canv.translate(0, self.height)
        self.canv.scale(self._scale, -self._scale)
        named = {node.attrib["id"]: node for node in self._root.iter() if "id" in node.attrib}
        _Pen(self.canv, named).children(self._root, BEGIN)
        self.canv.restoreState()


class _Pen:
    """Draws nodes on a canvas; `named` are those that others refer to."""

    def __init__(self, canvas: Any, named: Mapping[str, ElementTree.Element]) -> None:
        self._canvas, self._named = canvas, named

    def children(self, node: ElementTree.Element, style: Style) -> None:
        """What is in a node, in order."""
        for child in node:
            self._node(child, style)

    def _node(self, node: ElementTree.Element, style: Style) -> None:
        given, canvas = node.attrib, self._canvas
        draw = getattr(self, f"_draw_{node.tag.removeprefix(NAMESPACE)}", None)
        opacity = float(given.get("opacity", 1))
        if draw is None or opacity == 0:
            return
        own = {**style, **{name: given[name] for name in INHERITED if name in given}}
        canvas.saveState()
        self._move(given.get("transform", ""))
        if match := _REFERENCE.match(given.get("clip-path", "")):
            self._clip(self._named[match[1]])
        own["opacity"] = str(opacity * float(style.get("opacity", 1)))
        draw(node, own)
        canvas.restoreState()

    def _move(self, transform: str) -> None:
        for name, text in _STEP.findall(transform):
            getattr(self._canvas, name)(*_numbers(text))

    def _clip(self, node: ElementTree.Element) -> None:
        path = self._canvas.beginPath()
        for shape in node:
            given = shape.attrib
            if shape.tag == NAMESPACE + "rect":
                path.rect(*(float(given.get(name, 0)) for name in ("x", "y", "width", "height")))
            else:
                _trace(path, given.get("d", ""))
        self._canvas.clipPath(path, stroke=0, fill=0)

    def _draw_g(self, node: ElementTree.Element, style: Style) -> None:
        self.children(node, style)

    def _draw_path(self, node: ElementTree.Element, style: Style) -> None:
        path = self._canvas.beginPath()
        points = _trace(path, node.attrib.get("d", ""))
        if match := _REFERENCE.match(style["fill"]):
            self._fill_gradient(path, points, self._named[match[1]])
        else:
            self._paint(path, style)

    def _draw_line(self, node: ElementTree.Element, style: Style) -> None:
        path = self._canvas.beginPath()
        x1, y1, x2, y2 = (float(node.attrib.get(name, 0)) for name in ("x1", "y1", "x2", "y2"))
        path.moveTo(x1, y1)
        path.lineTo(x2, y2)
        self._paint(path, {**style, "fill": "none"})

    def _draw_rect(self, node: ElementTree.Element, style: Style) -> None:
        path = self._canvas.beginPath()
        path.rect(*(float(node.attrib.get(name, 0)) for name in ("x", "y", "width", "height")))
        self._paint(path, style)

    def _paint(self, path: Any, style: Style) -> None:
        fill, stroke, canvas = _colour(style["fill"]), _colour(style["stroke"]), self._canvas
        if fill is not None:
            canvas.setFillColor(fill)
            canvas.setFillAlpha(_opacity(style, "fill"))
        if stroke is not None:
            canvas.setStrokeColor(stroke)
            canvas.setStrokeAlpha(_opacity(style, "stroke"))
            canvas.setLineWidth(float(style.get("stroke-width", 1)))
            if dashes := _numbers(style.get("stroke-dasharray", "")):
                canvas.setDash(dashes if any(dashes[1::2]) else [])
        canvas.drawPath(path, stroke=stroke is not None, fill=fill is not None)

    def _fill_gradient(self, path: Any, points: Sequence[Point], node: ElementTree.Element) -> None:
        """A gradient is given in shares of the shape that it fills."""
        canvas, given = self._canvas, node.attrib
        xs, ys = [x for x, _ in points], [y for _, y in points]
        (left, width), (top, height) = (min(xs), max(xs) - min(xs)), (min(ys), max(ys) - min(ys))
        x1, y1, x2, y2 = (float(given.get(name, 0)) for name in ("x1", "y1", "x2", "y2"))
        colours = [toColor(stop.attrib["stop-color"]) for stop in node]
        places = [float(stop.attrib["offset"]) for stop in node]
        ends = (left + x1 * width, top + y1 * height, left + x2 * width, top + y2 * height)
        canvas.clipPath(path, stroke=0, fill=0)
        canvas.linearGradient(*ends, colours, places, extend=False)

    def _draw_text(self, node: ElementTree.Element, style: Style) -> None:
        """The text, or its lines."""
        size, anchor = _numbers(style["font-size"])[0], node.attrib.get("text-anchor", "start")
        if (fill := _colour(style["fill"])) is not None:
            self._canvas.setFillColor(fill)
            self._canvas.setFillAlpha(_opacity(style, "fill"))
            self._canvas.scale(1, -1)
            y = 0.0
            for line in (node, *node):
                y -= _numbers(line.attrib.get("dy", "0"))[0] if line is not node else 0
                self._write(line.text or "", size, anchor, y)

    def _write(self, text: str, size: float, anchor: str, y: float) -> None:
        shown = fonts.visual(fonts.shaped(fonts.clean(text)))
        x = -fonts.width(shown, size) * {"middle": 0.5, "end": 1.0}.get(anchor, 0.0)
        for run in fonts.runs(shown):
            self._canvas.setFont(run.face, size)
            self._canvas.drawString(x, y, run.text)
            x += fonts.width(run.text, size)


def _numbers(text: str) -> list[float]:
    return [float(each) for each in _NUMBER.findall(text)]


def _opacity(style: Style, of: str) -> float:
    return float(style["opacity"]) * float(style.get(f"{of}-opacity", 1))


@lru_cache(1_000)
def _colour(text: str) -> Color | None:
    return None if text in ("none", "transparent") else toColor(text)


def _trace(path: Any, text: str) -> list[Point]:
    """Draw the steps of a path; the points that it goes through."""
    tokens, points, x, y = iter(_TOKEN.findall(text)), [(0.0, 0.0)], 0.0, 0.0
    points.clear()
    step = ""
    for token in tokens:
        if token.isalpha():
            step, first = token, None
            if step in "Zz":
                path.close()
                continue
        else:
            first = float(token)
        x, y = _step(path, step, first, tokens, x, y)
        points.append((x, y))
        step = {"M": "L", "m": "l"}.get(step, step)
    return points


def _step(path: Any, step: str, first: float | None, tokens: Iterator[str], x: float, y: float) -> Point:
    """One step from a point; the point where it ends. Small letters are steps from where the path is."""

    def take(count: int) -> list[float]:
        begun = [] if first is None else [first]
        return begun + [float(next(tokens)) for _ in range(count - len(begun))]

    dx, dy = (x, y) if step.islower() else (0.0, 0.0)
    match step.upper():
        case "H":
            x = take(1)[0] + dx
            path.lineTo(x, y)
        case "V":
            y = take(1)[0] + dy
            path.lineTo(x, y)
        case "C":
            a, b, c, d, x, y = (each + (dy if place % 2 else dx) for place, each in enumerate(take(6)))
            path.curveTo(a, b, c, d, x, y)
        case "A":
            *arc, ex, ey = take(7)
            _arc(path, (x, y), (ex + dx, ey + dy), arc)
            x, y = ex + dx, ey + dy
        case letter:
            x, y = (each + by for each, by in zip(take(2), (dx, dy), strict=True))
            (path.moveTo if letter == "M" else path.lineTo)(x, y)
    return x, y


def _arc(path: Any, begin: Point, end: Point, arc: Sequence[float]) -> None:
    """A part of a circle, as curves of an eighth or less; Vega draws no ellipses."""
    radius, _, _, large, sweep = arc
    (x1, y1), (x2, y2) = begin, end
    half = math.hypot(x2 - x1, y2 - y1) / 2
    if half == 0:
        return
    radius = max(radius, half)
    away = math.sqrt(radius**2 - half**2) * (1 if bool(large) is not bool(sweep) else -1)
    cx, cy = (x1 + x2) / 2 - away * (y2 - y1) / (2 * half), (y1 + y2) / 2 + away * (x2 - x1) / (2 * half)
    start, stop = math.atan2(y1 - cy, x1 - cx), math.atan2(y2 - cy, x2 - cx)
    turn = (stop - start) % math.tau if sweep else -((start - stop) % math.tau)
    pieces = max(1, math.ceil(abs(turn) / (math.pi / 4)))
    each, reach = turn / pieces, 4 / 3 * math.tan(turn / pieces / 4) * radius
    for piece in range(pieces):
        a, b = start + piece * each, start + (piece + 1) * each
        px, py, qx, qy = math.cos(a), math.sin(a), math.cos(b), math.sin(b)
        path.curveTo(
            *(cx + radius * px - reach * py, cy + radius * py + reach * px),
            *(cx + radius * qx + reach * qy, cy + radius * qy - reach * qx),
            *(cx + radius * qx, cy + radius * qy),
        )
