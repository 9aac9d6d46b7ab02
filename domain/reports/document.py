"""A report as a document: what every form of it (PDF, Excel, JSON) is written out of.

It depends on nothing but the request, the position and what the company may see: the same of these gives the same one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

SCHEMA = "report/1"


class Owner(msgspec.Struct, kw_only=True, frozen=True):
    """Whose report it is and how it looks: colours as #rrggbb, `logo` a `data:` of a PNG or JPEG, empty for none."""

    company_id: str
    name: str
    logo: str = ""
    primary_color: str = "#1f4e79"
    accent_color: str = "#c55a11"
    footer: str = ""


class Section(msgspec.Struct, kw_only=True, frozen=True):
    """A part of a document: the answer of one query, and in words what it shows.

    `chart`: how it is drawn. `said`: what the query answers beside rows (period, currency, what was left out).
    `problem`: why it has no rows, where it could not be answered or the tier does not open it.
    """

    title: str
    sentence: str
    query: str
    definition_version: int
    params: dict[str, str]
    chart: str
    rows: Sequence[Mapping[str, Any]]
    said: dict[str, Any] = {}
    problem: str = ""


class Document(msgspec.Struct, kw_only=True, frozen=True):
    """A report. `asked_at`: the moment that open ends are taken of; `position`: what of the log all sections stand for.

    `can_pivot`: whether the tier opens pivot tables, which changes what a workbook holds.
    """

    schema: str = SCHEMA
    kind: str
    title: str
    description: str
    locale: str
    owner: Owner
    currency: str
    calendar: dict[str, Any]
    asked_at: str
    position: str
    params: dict[str, str]
    can_pivot: bool
    sections: Sequence[Section]

    @property
    def definitions(self) -> Mapping[str, int]:
        """The queries that it is made of, each with the version of its definition."""
        return {each.query: each.definition_version for each in self.sections if not each.problem}
