"""Files over HTTP, whole or the part of them that `Range` asks for (RFC 9110); several ranges are as none."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Mapping
from typing import NamedTuple

from litestar import Response
from litestar.response import Stream

from read_api.http.request import HttpRequest

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
UNSATISFIABLE = (-1, -1)


class FileSize(NamedTuple):
    """Bytes of a file, and the hash by which its content is told from another one."""

    size: int
    sha256: str


def file_response(
    request: HttpRequest,
    file: FileSize,
    content: Callable[[int, int], AsyncIterator[bytes]],
    headers: Mapping[str, str],
    media_type: str,
) -> Response[bytes] | Stream:
    """The file, or the part of it that is asked for; `content` gives its bytes from one to before another."""
    tag = f'"{file.sha256}"'
    same = request.headers.get("if-range", tag) == tag
    part = byte_range(request.headers.get("range", ""), file.size) if same else None
    if part == UNSATISFIABLE:
        return Response(b"", status_code=416, headers={"Content-Range": f"bytes */{file.size}"}, media_type=media_type)
    told = {**headers, "ETag": tag, "Accept-Ranges": "bytes"}
    if part is None:
        whole = {**told, "Content-Length": str(file.size)}
        return Stream(content(0, file.size), headers=whole, media_type=media_type)
    begin, end = part[0], file.size if part[1] is None else part[1]
    told |= {"Content-Range": f"bytes {begin}-{end - 1}/{file.size}", "Content-Length": str(end - begin)}
    return Stream(content(begin, end), status_code=206, headers=told, media_type=media_type)


def byte_range(header: str, size: int | None) -> tuple[int, int | None] | None:
    """The bytes from one to before another, of a file of that size; UNSATISFIABLE beyond its end, None for no range.

    Of a file whose size is not known yet (None) the end is None where none is named; its last bytes are no range.
    """
    match = _RANGE.fullmatch(header.strip())
    if match is None or match[0] == "bytes=-":
        return None
    begin, last = match[1], match[2]
    if begin and last and int(last) < int(begin):
        return None
    if size is None:
        return (int(begin), int(last) + 1 if last else None) if begin else None
    if not begin:
        return (max(0, size - int(last)), size) if int(last) else UNSATISFIABLE
    if int(begin) >= size:
        return UNSATISFIABLE
    return int(begin), min(size, int(last) + 1) if last else size
