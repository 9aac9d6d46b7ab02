"""A report: what was asked for, what came of it, and the ports behind which rows and files are kept."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Literal, Protocol

import msgspec

from domain.access.rights import Member, Principal, Role, Tier


class State(StrEnum):
    """How far a report has got."""

    RUNNING = "running"
    READY = "ready"
    FAILED = "failed"


class ReportSection(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A part of a report: a registered query with its parameters, under a heading; `chart`: how it is shown."""

    title: str = ""
    query: str
    params: dict[str, str] = {}
    chart: str = ""


class ReportRequest(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """What is asked for: executive, trading, users, system or custom; `params` go to every query that knows them.

    A custom report has sections, or the tiles of a `dashboard`. `asked_at`: the moment that open ends are taken of (ISO
    8601; empty: now). `at_position`: what of the log it stands for (empty: all that is folded). `failures`: a section
    that cannot be answered ends the report (`fail`, or empty), or a box in its place says why (`box`).
    """

    kind: str
    format: str = ""
    title: str = ""
    sections: list[ReportSection] = []
    dashboard: str = ""
    params: dict[str, str] = {}
    locale: str = ""
    asked_at: str = ""
    at_position: str = ""
    failures: Literal["", "fail", "box"] = ""


class Recipe(msgspec.Struct, kw_only=True, frozen=True, omit_defaults=True):
    """All that a report is made out of, beside the log: who made it where needs the same, and gets the same bytes.

    `request` names its moment and its position. `subject`, `roles` and `tier`: by whose rights it was made; `user_ids`
    and `account_ids`: whose rows alone a member sees.
    """

    company_id: str
    request: ReportRequest
    subject: str
    roles: tuple[str, ...]
    tier: str
    user_ids: tuple[str, ...] = ()
    account_ids: tuple[str, ...] = ()

    @property
    def principal(self) -> Principal:
        """By whose rights it was made."""
        member = Member(frozenset(self.user_ids), frozenset(self.account_ids)) if self.user_ids else None
        roles, companies = frozenset(map(Role, self.roles)), frozenset({self.company_id})
        return Principal(self.subject, companies, roles, Tier(self.tier), member=member)


class Proof(msgspec.Struct, kw_only=True, frozen=True):
    """What lies beside a report's file: its hash, its recipe, and a signature over both (Ed25519, base64)."""

    sha256: str
    recipe: Recipe
    signature: str = ""

    @property
    def message(self) -> bytes:
        """What is signed."""
        return b"report/1\n" + self.sha256.encode() + b"\n" + msgspec.json.encode(self.recipe, order="sorted")


class StoredReport(msgspec.Struct, kw_only=True, frozen=True):
    """A report as it is kept; times are ms since 1970 UTC, 0 where there is none. `file_name` is empty without a file.

    `stands_for`: what the figures in it stand for, as answers say it. `proof`: what it is verified by.
    """

    report_id: str
    company_id: str
    requested_by: str
    request: ReportRequest
    state: State
    requested_at: int
    finished_at: int = 0
    file_name: str = ""
    media_type: str = ""
    size: int = 0
    sha256: str = ""
    error: str = ""
    stands_for: dict[str, Any] = {}
    proof: Proof | None = None

    @property
    def place(self) -> tuple[int, str]:
        """Where it stands in a list."""
        return self.requested_at, self.report_id


class ReportStore(Protocol):
    """Keeps reports, company by company. Methods raise Unavailable."""

    async def begin(self, report: StoredReport, key: str) -> StoredReport:
        """Keep a new one; the earlier one, where its requester has used this key before (no key is never the same)."""
        ...

    async def end(self, report: StoredReport) -> None:
        """Keep what came of it."""
        ...

    async def find(self, company: str, report_id: str) -> StoredReport | None:
        """The report of that id, where it is the company's."""
        ...

    async def listing(
        self, company: str, kind: str, before: tuple[int, str] | None, limit: int
    ) -> Sequence[StoredReport]:
        """The newest first, of one kind or (empty) of any, from before a place in the list on."""
        ...


class ReportFiles(Protocol):
    """Keeps the files of reports. Methods raise Unavailable."""

    async def write(self, company: str, name: str, content: bytes) -> None:
        """Keep the file; returns once the disk has it."""
        ...

    async def read(self, company: str, name: str, offset: int, length: int) -> bytes:
        """A piece of it; empty after the end. Raises NotFound where there is no such file."""
        ...
