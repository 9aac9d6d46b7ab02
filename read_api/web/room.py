"""A page that is no dashboard: its company, its parameters, its frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple
from urllib.parse import urlencode

from litestar import Response

from domain.access.rights import Principal
from domain.errors import Invalid
from read_api.http.request import HttpRequest, parameters
from read_api.services import ReadServices
from read_api.web.address import Address
from read_api.web.formats import Formats
from read_api.web.frame import formats_for, formats_of, frame
from read_api.web.page import company_of, page
from read_api.web.services import PageServices


class Room(NamedTuple):
    """One of several pages that belong together: its title, its address, and whether it is shown now."""

    title: str
    href: str
    current: bool


@dataclass(frozen=True, slots=True)
class Page:
    """One request for a page. `params`: what it names beside the company, without what is empty."""

    request: HttpRequest
    address: Address
    params: Mapping[str, str]
    formats: Formats

    @property
    def company(self) -> str:
        """Whose figures are asked for."""
        return self.address.company

    @property
    def principal(self) -> Principal:
        """Who is signed in."""
        principal: Principal = self.request.user.principal
        return principal

    @property
    def side(self) -> ReadServices:
        """What questions are answered from."""
        side: ReadServices = self.request.app.state.side
        return side

    @property
    def services(self) -> PageServices:
        """What pages stand on beside it."""
        services: PageServices = self.request.app.state.pages
        return services

    def to(self, path: str, **params: object) -> str:
        """The address of another page about the same company; what is empty is left out."""
        named = {"company": self.company, **{name: value for name, value in params.items() if value not in ("", None)}}
        return f"{path}?{urlencode(named)}"

    def again(self, **changes: object) -> str:
        """This page with other parameters."""
        return self.to(self.address.path, **{**self.params, **changes})

    def html(self, template: str, title: str, **values: Any) -> Response[bytes]:
        """The page out of its template."""
        context = frame(self.request, self.address, self.formats, title)
        return page(self.request, template, **context, page=self, **values)


async def page_of(request: HttpRequest, *names: str) -> Page:
    """What a request asks of a page about a company, in its zone, that has these parameters.

    Raises Invalid for another one, or one given twice; Unavailable.
    """
    page = _page_of(request, names)
    return replace(page, formats=await formats_for(request, page.company))


def instance_page(request: HttpRequest, *names: str) -> Page:
    """As `page_of`, in UTC; what is done there concerns the instance, and is on record as no company's."""
    page = _page_of(request, names)
    request.user.concerns_the_instance()
    return page


def _page_of(request: HttpRequest, names: Sequence[str]) -> Page:
    params = parameters(request)
    if unknown := sorted(set(params) - {"company", *names}):
        raise Invalid(f"this page has no parameter {unknown[0]!r}", code="unknown_parameter")
    own = {name: value.strip() for name, value in params.items() if name != "company" and value.strip()}
    return Page(request, Address(request.url.path, company_of(request)), own, formats_of(request))
