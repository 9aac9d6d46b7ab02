"""What is edited: a thing as it is now, with its history, and the command that sets it as a whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import msgspec

from domain.access.rights import Feature, Principal, Right, may, opens
from domain.configuration.registry import COMMANDS, CREATE, CommandType, company_aggregate_id
from domain.errors import NotFound
from projections.engine.query.params import MAX_ROWS
from projections.engine.query.request import Question
from read_api.answers.configuration import HISTORY, KINDS, Kind, item_question, only
from read_api.dashboards.dashboards import COMPANY
from read_api.http.request import HttpRequest, asked_at
from read_api.services import ReadServices
from read_api.web.admin.versions import contents_at

SECTIONS: Mapping[str, Kind] = MappingProxyType(
    {"dashboards": KINDS["dashboard"], "alerts": KINDS["alert_rule"], "schedules": KINDS["report_schedule"]}
)
OF_COMPANY: Mapping[str, CommandType] = MappingProxyType(
    {name.rpartition("change_")[2]: command for name, command in COMMANDS.items() if command.aggregate.one_a_company}
)
# Commands with fields that are no part of what `change` sets.
BESIDE: Mapping[str, Sequence[str]] = MappingProxyType({"alerts": ("silence", "unsilence")})
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Thing:
    """What a form is about. `command` is what it sends, `values` what that would have to say to change nothing.

    `id` and `version` are empty and None of what is to be created; `row`: as the query that lists it shows it.
    """

    path: str
    title: str
    command: CommandType
    values: dict[str, Any]
    id: str = ""
    version: int | None = None
    row: Row = field(default_factory=dict)
    history: Sequence[Row] = ()

    @property
    def switches(self) -> Sequence[str]:
        """The verbs of commands without fields that would do something now."""
        if not self.version or "archived" not in self.row:
            return ()
        if self.row["archived"]:
            return ("restore",)
        enabled = self.row.get("enabled")
        return ("archive",) if enabled is None else ("disable" if enabled else "enable", "archive")

    @property
    def beside(self) -> Sequence[str]:
        """Verbs of commands that have forms of their own."""
        return BESIDE.get(self.path.split("/")[2], ()) if self.switches and not self.row["archived"] else ()

    def at(self, version: int) -> dict[str, Any]:
        """What the command would have to say to make it as it was at a version. Raises NotFound."""
        return values_of(self.command, contents_at(self.command.aggregate, self.history, version))


def values_of(command: CommandType, state: Row) -> dict[str, Any]:
    """What a command that sets all, or a part, of a thing says where this is its state."""
    part = state.get(command.kind.verb.removeprefix("change_"))
    of = part if isinstance(part, dict) else state
    return {name: of[name] for name in command.kind.__struct_fields__ if name in of}


def closed(principal: Principal, command: CommandType, company: str) -> str:
    """Why the command is closed to whoever may command otherwise; empty where it is not."""
    if command.kind.of_platform and not may(principal, Right.COMMAND):
        return "This is for administrators of all companies."
    feature = command.kind.feature
    if feature is not None and not opens(principal, feature, company):
        return f"This needs a tier with {_words(feature)}; the company has {principal.tier_in(company).value}."
    return ""


def _words(feature: Feature) -> str:
    return feature.value.replace("_", " ")


async def rows_of(request: HttpRequest, query: str, company: str, params: Mapping[str, str]) -> Sequence[Row]:
    """Rows of a query as whoever is signed in may see them. Raises as `Questions.ask` does."""
    side: ReadServices = request.app.state.side
    asked = Question(query, company, params, asked_at(request))
    found: Sequence[Row] = (await side.questions.ask(request.user.principal, asked))["rows"]
    return found


async def thing_of(request: HttpRequest, company: str, section: str, name: str, verb: str = "") -> Thing:
    """A thing by its section and id, to be changed, or for another command of it.

    Raises NotFound where there is none.
    """
    kind = SECTIONS[section]
    command = COMMANDS[f"{kind.name}.{verb if verb in BESIDE.get(section, ()) else 'change'}"]
    side: ReadServices = request.app.state.side
    asked = item_question(kind, company, name, asked_at(request))
    row = only((await side.questions.ask(request.user.principal, asked))["rows"], kind, name)
    history = await rows_of(request, HISTORY, company, {"id": name, "limit": str(MAX_ROWS)})
    values = {} if verb else values_of(command, row)
    return Thing(f"/admin/{section}/{name}", row["name"], command, values, name, row["version"], row, history)


async def new_thing(request: HttpRequest, company: str, section: str, like: str) -> Thing:
    """What is to be created: empty, or as a dashboard that there is."""
    kind = SECTIONS[section]
    side: ReadServices = request.app.state.side
    values: dict[str, Any] = {}
    if like and section == "dashboards":
        document = await side.dashboards.document(request.user.principal, like, company, asked_at(request))
        values = msgspec.to_builtins(document.contents)
        values |= {"name": f"{values['name']} (copy)"[:120], "sharing": {"audience": "private", "users": []}}
    return Thing(f"/admin/{section}/new", f"New {kind.words}", COMMANDS[f"{kind.name}.{CREATE}"], values)


async def part_of_company(request: HttpRequest, company: str, part: str) -> Thing:
    """What a company says of itself under one name. Raises NotFound for a name that there is not."""
    if part not in OF_COMPANY:
        raise NotFound(f"a company has no {part[:64]!r}", code="no_part")
    (row,) = await rows_of(request, COMPANY, company, {})
    name = str(company_aggregate_id(company))
    history = await rows_of(request, HISTORY, company, {"id": name, "limit": str(MAX_ROWS)})
    values = values_of(OF_COMPANY[part], row)
    title = f"{part.capitalize()} of {company}"
    return Thing(f"/admin/company/{part}", title, OF_COMPANY[part], values, "", row["version"], row, history)
