"""Every aggregate, command and event by name. Doors, command line, documents, relay and tests derive from here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple
from uuid import NAMESPACE_URL, UUID, uuid5

import msgspec

from domain.configuration import forms
from domain.configuration.alert_rule import ALERT_RULE
from domain.configuration.company import COMPANY
from domain.configuration.dashboard import DASHBOARD
from domain.configuration.kinds import Aggregate, Command, Event, refuse
from domain.configuration.report_schedule import REPORT_SCHEDULE
from domain.errors import Invalid, NotFound, Unavailable

CREATE, CHANGE, ARCHIVE = "create", "change", "archive"


class CommandType(NamedTuple):
    """A command with its name (`dashboard.rename`) and the aggregate that it is for."""

    name: str
    kind: type[Command]
    aggregate: Aggregate

    @property
    def creates(self) -> bool:
        """Whether it makes an aggregate that was not there."""
        return self.kind.verb == CREATE

    @property
    def summary(self) -> str:
        """What it does, in the first sentence of its docstring."""
        return " ".join((self.kind.__doc__ or "").split())


AGGREGATES: Mapping[str, Aggregate] = MappingProxyType(
    {aggregate.name: aggregate for aggregate in (COMPANY, DASHBOARD, ALERT_RULE, REPORT_SCHEDULE)}
)
COMMANDS: Mapping[str, CommandType] = MappingProxyType(
    {
        name: CommandType(name, kind, aggregate)
        for aggregate in AGGREGATES.values()
        for kind in aggregate.commands
        for name in (f"{aggregate.name}.{kind.verb}",)
    }
)
EVENTS: Mapping[str, type[Event]] = MappingProxyType(
    {event.topic: event for aggregate in AGGREGATES.values() for event in aggregate.events}
)
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<name>.*?)`")
_MISSING = re.compile(r"Object missing required field `(?P<name>.*?)`")


def command_by_name(name: str) -> CommandType:
    """The command of this name; raises NotFound."""
    if name not in COMMANDS:
        raise NotFound(
            f"there is no command {name!r}", code="no_command", suggested_actions=(f"One of {', '.join(COMMANDS)}.",)
        )
    return COMMANDS[name]


def aggregate_of(topic: str) -> Aggregate | None:
    """The aggregate whose events have topics like this one; None for one of a newer release."""
    return AGGREGATES.get(topic.partition(".")[0])


def company_aggregate_id(company_id: str) -> UUID:
    """The id of a company's own aggregate."""
    return uuid5(NAMESPACE_URL, f"urn:analytics:company:{company_id}")


def read_command(command: CommandType, data: bytes) -> Command:
    """A command out of its JSON; no bytes are an empty object. Raises Invalid naming the field that is wrong."""
    try:
        decoded: Command = msgspec.json.decode(data.strip() or b"{}", type=command.kind)
    except msgspec.ValidationError as error:
        refuse([_named(str(error))])
        raise
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Invalid(f"the command is no JSON: {error}", code="bad_json") from None
    refuse(forms.text_problems(decoded))
    return decoded


def write_body(value: Event | Command) -> bytes:
    """The content of an event or command as JSON: the same bytes for the same content."""
    return msgspec.json.encode(value, order="deterministic")


def read_event(topic: str, body: bytes) -> Event:
    """An event out of its stored content. Raises Unavailable where a newer release must have written it."""
    kind = EVENTS.get(topic)
    if kind is None:
        raise _newer(topic, "there is no such event")
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.MsgspecError as error:
        raise _newer(topic, str(error)) from None


def _newer(topic: str, reason: str) -> Unavailable:
    return Unavailable(
        f"this release cannot read an event {topic!r}, so it changes nothing after it: {reason}",
        code="newer_event",
        suggested_actions=("Send the command to the newest release that runs, or upgrade this one.",),
    )


def _named(message: str) -> str:
    """`field: reason` out of what the decoder says, `Expected … - at `$.tiles[2].x``."""
    reason, _, place = message.partition(" - at `$")
    field = place.rstrip("`").lstrip(".")
    for pattern, text in ((_UNKNOWN, "there is no such field"), (_MISSING, "is missing")):
        if match := pattern.fullmatch(reason):
            return f"{field}.{match['name']}: {text}".lstrip(".")
    return f"{field or 'the command'}: {reason[:1].lower()}{reason[1:]}"
