"""What a form or an address asks of a report, and how both say it again."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from domain.configuration.dashboard import FILTERS
from domain.errors import Invalid
from domain.reports.report import ReportRequest
from domain.reports.standard import CUSTOM
from read_api.dashboards.documents import PERIOD
from read_api.web.address import OWN_DAYS, Address, read_address
from read_api.web.room import Page

OF_DASHBOARD = "dashboard:"  # before its name, where a report is not of a kind
PATH = "/reports"
FIELDS = ("of", "format", "title", "failures", "period", *PERIOD, *FILTERS)
USUAL = "executive"


def request_of(page: Page, fields: Mapping[str, str]) -> ReportRequest:
    """The report that these fields ask for, with a period by the calendar of the company. Raises Invalid."""
    of = fields.get("of") or USUAL
    dashboard = of.removeprefix(OF_DASHBOARD) if of.startswith(OF_DASHBOARD) else ""
    failures = fields.get("failures", "")
    if failures not in ("", "box"):
        raise Invalid("failures is box, or empty", code="bad_parameter")
    return ReportRequest(
        kind=CUSTOM if dashboard else of,
        format=fields.get("format", ""),
        title=fields.get("title", "").strip(),
        dashboard=dashboard,
        params=_address(page, fields).params(page.formats.today, page.formats.calendar),
        locale=page.formats.tag,
        failures="box" if failures else "",
    )


def _address(page: Page, fields: Mapping[str, str]) -> Address:
    named = {name: text.strip() for name, text in fields.items() if name in ("period", *PERIOD, *FILTERS)}
    return read_address(PATH, {name: text for name, text in named.items() if text}, page.company, page.formats.zone)


def fields_of(request: ReportRequest) -> dict[str, str]:
    """The fields that ask for the same report, of the days that it was about; sections of one's own have none."""
    period = {name: request.params[name] for name in PERIOD if name in request.params}
    fields = {
        "of": OF_DASHBOARD + request.dashboard if request.dashboard else request.kind,
        "format": request.format,
        "title": request.title,
        "failures": request.failures,
        **({"period": OWN_DAYS, **period} if period.keys() == {*PERIOD} else {}),
        **{name: text for name, text in request.params.items() if name in FILTERS},
    }
    return {name: text for name, text in fields.items() if text}


def of_dashboard(address: Address, name: str) -> str:
    """Where the form of a report stands that shows what this page of a dashboard does.

    Tiles that say themselves why they cannot be asked so are boxes there.
    """
    shown = {name: text for name, text in address.members() if name in (*FIELDS, "company")}
    return f"{PATH}?{urlencode({**shown, 'of': OF_DASHBOARD + name, 'failures': 'box'})}#new"
