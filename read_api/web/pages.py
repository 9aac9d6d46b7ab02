"""Routes of the pages and of what they load. All of it is read once and served from memory."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from domain.errors import NotFound
from domain.request.caller import OPEN

HERE = Path(__file__).parent
TYPES: Mapping[str, str] = {".css": "text/css", ".js": "text/javascript"}
# Nothing comes from elsewhere and nothing runs inline, so that a figure's text can never become code.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:;"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
PAGE_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
FILE_HEADERS = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}


def routes() -> list[HTTPRouteHandler]:
    """Handlers of every page."""
    return [live_page, static_file]


@get("/", media_type="text/html", include_in_schema=False, opt={OPEN: True}, sync_to_thread=False)
def live_page() -> Response[str]:
    """The live page. It holds no figures: the browser asks for them with its token."""
    return Response(_page("live.html"), media_type="text/html", headers=PAGE_HEADERS)


@get("/static/{stamp:str}/{name:str}", include_in_schema=False, opt={OPEN: True}, sync_to_thread=False)
def static_file(stamp: FromPath[str], name: FromPath[str]) -> Response[bytes]:
    """A file that pages load; its stamp changes with its content, so browsers may keep it for ever.

    Raises NotFound for another name or another stamp.
    """
    files = _files()
    if name not in files or stamp != files[name][0]:
        raise NotFound(f"there is no file {name}")
    return Response(files[name][1], media_type=TYPES[Path(name).suffix], headers=FILE_HEADERS)


@cache
def _files() -> Mapping[str, tuple[str, bytes]]:
    """File name → stamp and content."""
    found = {path.name: path.read_bytes() for path in sorted((HERE / "static").iterdir()) if path.suffix in TYPES}
    return {name: (hashlib.sha256(content).hexdigest()[:12], content) for name, content in found.items()}


@cache
def _page(name: str) -> str:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template(name).render(static=_address)


def _address(file: str) -> str:
    return f"/static/{_files()[file][0]}/{file}"
