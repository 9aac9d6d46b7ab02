"""Pages out of templates, and the files that they load: read once, packed once, served from memory."""

from __future__ import annotations

import gzip
import hashlib
import os
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec
from jinja2 import Environment, FileSystemBytecodeCache, FileSystemLoader, StrictUndefined
from litestar import Response
from markupsafe import Markup

from domain.errors import NotFound
from read_api.web.address import field_time
from read_api.web.formats import utc

HERE = Path(__file__).parent
TYPES: Mapping[str, str] = MappingProxyType({".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"})
# Nothing comes from elsewhere and nothing runs inline, so that a figure's text can never become code.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:;"
    " base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
PAGE_HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "Content-Security-Policy": POLICY,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",  # without one, browsers do not say where a form was sent from
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cache-Control": "no-store",  # figures of whoever is signed in
        "Vary": "Cookie, Accept-Language, Accept-Encoding",
    }
)
FILE_HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "Cache-Control": "public, max-age=31536000, immutable",
        "X-Content-Type-Options": "nosniff",
        "Vary": "Accept-Encoding",
    }
)
HTML = "text/html; charset=utf-8"
PACKED_FROM = 1_400  # bytes: below it everything fits one packet anyway


class File(NamedTuple):
    """A file that pages load: its content, and that packed."""

    content: bytes
    packed: bytes


@cache
def files() -> Mapping[str, File]:
    """The files beside the templates, by name."""
    return {
        path.name: file_of(path.read_bytes()) for path in sorted((HERE / "static").iterdir()) if path.suffix in TYPES
    }


@cache
def stamp() -> str:
    """Changes when any of the files does: scripts import one another, from the same folder."""
    return hashlib.sha256(b"".join(file.content for file in files().values())).hexdigest()[:12]


def file_of(content: bytes) -> File:
    """A file with this content."""
    return File(content, gzip.compress(content, mtime=0))


def file_response(file: File, media_type: str, headers: Mapping[str, str], accept_encoding: str) -> Response[bytes]:
    """The file as an answer, packed where the browser takes that."""
    if "gzip" not in accept_encoding:
        return Response(file.content, media_type=media_type, headers=dict(headers))
    return Response(file.packed, media_type=media_type, headers={**headers, "Content-Encoding": "gzip"})


def design_file(version: str, name: str) -> File:
    """A file beside the templates. Raises NotFound for another name or version."""
    found = files().get(name)
    if found is None or version != stamp():
        raise NotFound(f"there is no file {name}")
    return found


def rendered(template: str, **values: Any) -> bytes:
    """A page. Raises what jinja raises for a value that the template needs and does not get."""
    return _environment().get_template(template).render(values).encode()


def macro(template: str, name: str, values: Mapping[str, Any]) -> Callable[..., Markup]:
    """A macro of a template, which sees these values."""
    found: Callable[..., Markup] = getattr(_environment().get_template(template).make_module(dict(values)), name)
    return found


def packed(body: bytes, accept_encoding: str) -> tuple[Mapping[str, str], bytes]:
    """A body as a browser accepts it, with the header that says so."""
    if len(body) < PACKED_FROM or "gzip" not in accept_encoding:
        return {}, body
    return {"Content-Encoding": "gzip"}, gzip.compress(body, 1, mtime=0)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        bytecode_cache=compiled_in(HERE / "templates" / "__pycache__"),
    )
    environment.globals["static"] = _address
    environment.filters["data"] = _data
    environment.filters["utc"] = utc
    environment.filters["field_time"] = field_time
    return environment


def compiled_in(folder: Path) -> FileSystemBytecodeCache | None:
    """Where compiled templates are kept as Python keeps compiled modules; None where this process may not write."""
    try:
        folder.mkdir(exist_ok=True)
        return FileSystemBytecodeCache(str(folder)) if os.access(folder, os.W_OK) else None
    except OSError:
        return None


def _address(file: str) -> str:
    assert file in files(), file
    return f"/static/{stamp()}/{file}"


def _data(value: Any) -> Markup:
    """JSON for a script element of data: nothing in it can end the element."""
    text = msgspec.json.encode(value, enc_hook=dict).decode()
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))
