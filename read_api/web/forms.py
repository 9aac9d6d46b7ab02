"""What forms of the pages bring, and where their sender goes on to."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

from litestar import Request, Response

from domain.errors import Invalid
from read_api.web.rendering import PAGE_HEADERS

FORM = "application/x-www-form-urlencoded"
HOME = "/"


async def read_form(request: Request[Any, Any, Any]) -> dict[str, str]:
    """The fields of a form by name. Raises Invalid for another kind of body, and for text that is no UTF-8."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != FORM:
        raise Invalid("a form is sent as " + FORM, code="unsupported_media_type")
    body = await request.body()
    try:
        fields = parse_qs(body.decode("latin-1"), keep_blank_values=True, errors="strict", max_num_fields=1_000)
    except ValueError as error:
        raise Invalid(f"the form cannot be read: {error}", code="bad_form") from None
    return {name: values[-1] for name, values in fields.items()}


def own_path(text: str) -> str:
    """Where to go on, if it is a path of this service: a link cannot send anybody elsewhere."""
    parts = urlsplit(text)
    strange = parts.scheme or parts.netloc or "\\" in text or text.startswith("//") or not text.isprintable()
    return HOME if strange or not text.startswith(HOME) else text


def gone_to(path: str, **headers: str) -> Response[None]:
    """Go on to a page, which is asked for anew: to load it again sends no form."""
    return Response(None, status_code=303, headers={**PAGE_HEADERS, "Location": path, **headers})
