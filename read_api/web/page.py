"""One page as the answer to a request: what its address asks for, and the template that it is made of."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

from litestar import Response

from read_api.http.request import HttpRequest, parameters
from read_api.web.address import Address, read_address
from read_api.web.frame import first_company
from read_api.web.rendering import PAGE_HEADERS, packed, rendered


def address_of(request: HttpRequest, *own: str) -> Address:
    """What this request's address asks for; from here the trail knows whose figures they are.

    `own`: parameters that the page reads by itself. Raises Invalid for others than pages have.
    """
    params = {name: text for name, text in parameters(request, *own).items() if name not in own}
    address = read_address(request.url.path, params, first_company(request.user.principal))
    return replace(address, company=request.user.company(address.company or None))


def values_of(request: HttpRequest, name: str) -> list[str]:
    """Each value that the address gives a parameter, in order."""
    pairs = parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True)
    return [text for known, text in pairs if known == name]


def page(request: HttpRequest, template: str, **values: Any) -> Response[bytes]:
    """The template with these values, packed as the browser accepts it."""
    encoding, body = packed(rendered(template, **values), request.headers.get("accept-encoding", ""))
    return Response(body, media_type="text/html", headers={**PAGE_HEADERS, **encoding})
