"""The forms of a report: each writes a document as the bytes of a file, and knows no section.

The same document gives the same bytes, wherever and whenever it is written.
"""

from __future__ import annotations

import resource
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import NamedTuple

import msgspec

from domain.errors import Invalid
from domain.reports.document import Document
from domain.suggestion import did_you_mean

MEMORY = 1_500 * 2**20  # bytes that a process which writes reports may have; one that wants more ends
SECONDS = 300.0  # that one may take


class Form(NamedTuple):
    """A form of files: its name, its media type, and what writes it."""

    name: str
    media_type: str
    write: Callable[[Document], bytes]


def _pdf(document: Document) -> bytes:
    from read_api.reports.pdf.make import pdf

    return pdf(document)


def _excel(document: Document) -> bytes:
    from read_api.reports.excel import workbook

    return workbook(document)


FORMS: Mapping[str, Form] = MappingProxyType(
    {
        each.name: each
        for each in (
            Form("pdf", "application/pdf", _pdf),
            Form("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", _excel),
            Form("json", "application/json", msgspec.json.encode),
        )
    }
)


def form_of(name: str) -> Form:
    """The form of that name; PDF where none is named. Raises Invalid."""
    if (name or "pdf") not in FORMS:
        raise Invalid(
            f"{name!r} is no form of reports{did_you_mean(name, FORMS)}; there are {', '.join(FORMS)}",
            code="unknown_format",
            suggested_actions=(f"Ask for {', '.join(FORMS)}.",),
        )
    return FORMS[name or "pdf"]


def write(name: str, document: Document) -> bytes:
    """The document in the form of that name. Raises Invalid."""
    return form_of(name).write(document)


def write_within_limits(name: str, document: Document) -> bytes:
    """The same in a process of its own, which from then on has no more than `MEMORY`. Raises Invalid."""
    with suppress(ValueError, OSError):  # not where the machine sets a lower limit
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    return write(name, document)
