"""One page as the answer to a request: what its address asks for, and the template that it is made of."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, tzinfo
from typing import Any
from urllib.parse import parse_qsl

from litestar import Response

from read_api.http.request import HttpRequest, parameters
from read_api.web.address import Address, read_address
from read_api.web.formats import Formats
from read_api.web.frame import first_company, formats_for
from read_api.web.rendering import PAGE_HEADERS, packed, rendered


def company_of(request: HttpRequest, *own: str) -> str:
    """Whose figures are asked for; from here the trail knows it. `own`: parameters that are read elsewhere."""
    company: str = request.user.company(
        parameters(request, *own).get("company") or first_company(request.user.principal) or None
    )
    return company


def address_of(request: HttpRequest, *own: str, zone: tzinfo = UTC) -> Address:
    """What this request's address asks for. `own`: parameters that the page reads by itself; `zone`: of its moment.

    Raises Invalid for parameters that pages have not.
    """
    params = {name: text for name, text in parameters(request, *own).items() if name not in own}
    return replace(read_address(request.url.path, params, "", zone), company=company_of(request, *own))


async def address_and_formats(request: HttpRequest, *own: str) -> tuple[Address, Formats]:
    """As `address_of` in the zone of its company, and how its reader sees that one's figures. Raises Unavailable."""
    formats = await formats_for(request, company_of(request, *own))
    return address_of(request, *own, zone=formats.zone), formats


def values_of(request: HttpRequest, name: str) -> list[str]:
    """Each value that the address gives a parameter, in order."""
    pairs = parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True)
    return [text for known, text in pairs if known == name]


def page(request: HttpRequest, template: str, **values: Any) -> Response[bytes]:
    """The template with these values, packed as the browser accepts it."""
    encoding, body = packed(rendered(template, **values), request.headers.get("accept-encoding", ""))
    return Response(body, media_type="text/html", headers={**PAGE_HEADERS, **encoding})
