"""What stands round every page: who is signed in, which company, which pages there are for them, and the address."""

from __future__ import annotations

import calendar
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import urlencode

import msgspec

from domain.access.rights import EVERY_COMPANY, Principal, Right, may
from domain.company_calendar import UTC_CALENDAR, day_at
from domain.configuration.company import Calendar
from domain.errors import Forbidden, Invalid, NotFound
from projections.engine.query.request import Question
from read_api.dashboards.dashboards import COMPANY
from read_api.dashboards.documents import NAMES, standard
from read_api.http.request import HttpRequest, asked_at
from read_api.services import ReadServices
from read_api.web.address import COMPARISONS, PERIODS, Address
from read_api.web.formats import Formats, locale_of

KEYS: Mapping[str, str] = MappingProxyType(
    {
        "executive": "e",
        "trading": "t",
        "users": "u",
        "system": "s",
        "pipeline": "p",
        "reports": "r",
        "admin": "a",
        "audit": "d",
        "engine": "n",
    }
)


class Place(NamedTuple):
    """A page that somebody may see: its title, its address, the key after `g`, and whether it is shown now."""

    title: str
    href: str
    key: str
    current: bool


def first_company(principal: Principal) -> str:
    """Whose figures are shown before a company is chosen; empty where none is known."""
    return next(iter(companies_of(principal)), "")


def companies_of(principal: Principal) -> Sequence[str]:
    """The companies that somebody can choose from: their own, or those that are known to whoever sees all."""
    if EVERY_COMPANY in principal.companies:
        return sorted(principal.stored_tiers)
    return sorted(principal.companies)


def places(principal: Principal, company: str, path: str) -> Sequence[Place]:
    """The pages for this role."""
    asked = "?" + urlencode({"company": company}) if company else ""
    found = []
    if principal.member or may(principal, Right.DASHBOARDS, company):
        found = [(standard()[name].contents.name, f"/dashboards/{name}", KEYS[name]) for name in NAMES]
    if may(principal, Right.REPORTS, company):
        found.append(("Reports", "/reports", KEYS["reports"]))
    if may(principal, Right.EVENTS, company):
        found.append(("Audit", "/audit", KEYS["audit"]))
    if may(principal, Right.PROJECTIONS):
        found.append(("Engine", "/engine", KEYS["engine"]))
    if may(principal, Right.STATUS):
        found.append(("Pipeline", "/pipeline", KEYS["pipeline"]))
    if may(principal, Right.COMMAND, company):
        found.append(("Admin", "/admin", KEYS["admin"]))
    return [Place(title, href + asked, key, path == href or path.startswith(href + "/")) for title, href, key in found]


def formats_of(request: HttpRequest) -> Formats:
    """How the reader of this request sees what is no company's: in UTC."""
    now = asked_at(request)
    return Formats(locale_of(request.headers.get("accept-language", "")), UTC_CALENDAR, "", day_at(now, UTC_CALENDAR))


async def formats_for(request: HttpRequest, company: str) -> Formats:
    """How the reader of this request sees the figures of a company: by its calendar, and in its currency if it set one.

    In UTC where they may see no figures of it, or nothing is known of it. Raises Unavailable.
    """
    side: ReadServices = request.app.state.side
    plain, now = formats_of(request), asked_at(request)
    profile = Question(COMPANY, company, {}, now.replace(second=0, microsecond=0))
    try:
        (row,) = (await side.questions.ask(request.user.principal, profile))["rows"]
    except (Forbidden, NotFound, Invalid):
        return plain
    cut = msgspec.convert(row["calendar"], Calendar)
    totals = f" Totals are in {row['currency']}." if row["currency_set"] else ""
    currency = row["currency"] if row["currency_set"] else ""
    return Formats(plain.locale, cut, currency, day_at(now, cut), _rule(cut) + totals)


def _rule(cut: Calendar) -> str:
    """By which calendar times are shown and entered, in words."""
    begins = f"weeks begin on {cut.week_starts_on.capitalize()}, years in {calendar.month_name[cut.fiscal_year_starts]}"
    return f"Times and days are those of {cut.time_zone}; {begins}."


def frame(request: HttpRequest, address: Address, formats: Formats, title: str) -> dict[str, Any]:
    """What the template `frame.html` takes."""
    principal: Principal = request.user.principal
    return {
        "title": title,
        "address": address,
        "formats": formats,
        "principal": principal,
        "correlation_id": request.user.correlation_id,
        "roles": ", ".join(sorted(role.value for role in principal.roles)),
        "companies": companies_of(principal),
        "any_company": EVERY_COMPANY in principal.companies,
        "places": places(principal, address.company, address.path),
        "periods": PERIODS,
        "comparisons": COMPARISONS,
        "rule": formats.rule,
    }
