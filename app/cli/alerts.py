"""Commands of alert rules: their states and how these came, notices, what a rule would have done, and silences."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import click

from app.cli.command import give
from app.cli.frame import as_json, run, show_json, show_rows, with_settings
from app.cli.reports import company_option
from app.settings import Settings
from domain.errors import Invalid, NotFound

if TYPE_CHECKING:
    from domain.alerting.alert_store import ListedNotice
    from domain.alerting.evaluation import Transition
    from read_api.services import ReadServices

SECONDS = {"m": 60, "h": 3_600, "d": 86_400}
STATES = ("rule", "severity", "series", "state", "at", "since", "value", "condition", "reason")
CHANGES = ("at", "rule", "series", "before", "after", "since", "value", "condition", "reason")
NOTICES = ("at", "rule", "channel", "series", "state", "tried_at", "error")
rule_option = click.option("--id", "target", type=click.UUID, help="Of this rule alone.")
limit_option = click.option(
    "-n", "--limit", type=click.IntRange(1, 10_000), default=1_000, show_default=True, help="At most."
)


@click.group()
def alert() -> None:
    """Alert rules: their states, history and notices; back-tests; silences."""


@alert.command("list")
@company_option
@rule_option
@click.option("--state", default="", help="normal, pending, firing, recovering, no_data or error.")
@limit_option
@as_json
@with_settings
def states(settings: Settings, company: str, target: UUID | None, state: str, limit: int, as_json: bool) -> None:
    """List the states of alert rules, a row a series."""
    asked = {"rule_id": str(target or ""), "state": state, "limit": str(limit)}
    show_rows(run(_rows(settings, "alerts", company, asked)), STATES, as_json=as_json)


@alert.command("history")
@company_option
@rule_option
@click.option("--from", "begin", default="", metavar="TIME", help="Changes from this moment on.")
@click.option("--to", "end", default="", metavar="TIME", help="Changes before this moment.")
@limit_option
@as_json
@with_settings
def history(
    settings: Settings, company: str, target: UUID | None, begin: str, end: str, limit: int, as_json: bool
) -> None:
    """List the changes of states of alert rules, in order of time."""
    asked = {"rule_id": str(target or ""), "from": begin, "to": end, "limit": str(limit)}
    show_rows(run(_rows(settings, "alert_history", company, asked)), CHANGES, as_json=as_json)


@alert.command("notices")
@company_option
@click.option("--state", default="", type=click.Choice(["", "waiting", "sent", "dead"]), help="How far they have got.")
@limit_option
@as_json
@with_settings
def notices(settings: Settings, company: str, state: str, limit: int, as_json: bool) -> None:
    """List what people were sent, the newest first; state dead is what never arrived, and why."""
    show_rows([_notice_row(each) for each in run(_notices(settings, company, state, limit))], NOTICES, as_json=as_json)


@alert.command("backtest")
@click.argument("target", type=click.UUID, metavar="RULE_ID")
@company_option
@click.option("--from", "begin", required=True, metavar="TIME", help="The first period begins here, or after it.")
@click.option("--to", "end", default="", metavar="TIME", help="The last period ends here, or before it; else now.")
@as_json
@with_settings
def backtest(settings: Settings, target: UUID, company: str, begin: str, end: str, as_json: bool) -> None:
    """Show what a rule, as it is now, would have done: its changes of state, as `alert history` has those that were."""
    ends = _moment("--from", begin), _moment("--to", end) if end else None
    changes = run(_backtest(settings, company, str(target), ends))
    show_rows([_change_row(each) for each in changes], CHANGES, as_json=as_json)


@alert.command("silence")
@click.argument("target", type=click.UUID, metavar="RULE_ID")
@company_option
@click.option("--for", "span", required=True, metavar="SPAN", help="How long from now: 30m, 2h, 7d.")
@click.option("--reason", required=True, help="Why.")
@click.option("--matching", "-m", multiple=True, metavar="K=V", help="Only series with this value of a dimension.")
@as_json
@with_settings
def silence(
    settings: Settings, target: UUID, company: str, span: str, reason: str, matching: tuple[str, ...], as_json: bool
) -> None:
    """Tell nobody about a rule for a time. It is evaluated all the same; what still fires then is told."""
    from app.cli.events import parse_params
    from command_api.command_handler import CommandRequest
    from domain.configuration.registry import command_by_name, read_command

    kind = command_by_name("alert_rule.silence")
    body = {"for_seconds": _seconds(span), "reason": reason, "matching": parse_params(matching)}
    request = CommandRequest(
        type=kind, command=read_command(kind, _json(body)), company_id=company, aggregate_id=target
    )
    result = run(give(settings, request)).as_json()
    if as_json:
        show_json(result)
    else:
        show_rows([result], ("id", "version", "position"), as_json=False)


def _json(body: Mapping[str, object]) -> bytes:
    import msgspec

    return msgspec.json.encode(body)


def _seconds(span: str) -> int:
    match = re.fullmatch(r"([1-9][0-9]{0,5})([mhd])", span)
    if match is None:
        raise Invalid(f"--for: {span!r} is no span such as 30m, 2h or 7d", code="bad_parameter")
    return int(match[1]) * SECONDS[match[2]]


def _moment(option: str, text: str) -> int:
    from projections.engine.query.params import read_time

    try:
        return round(read_time(text).timestamp() * 1000)
    except ValueError as error:
        raise Invalid(f"{option}: {error}", code="bad_parameter") from None


@asynccontextmanager
async def _services(settings: Settings) -> AsyncIterator[tuple[Settings, ReadServices]]:
    from app.instance.instance import reachable
    from app.read_side.services import read_services

    async with reachable(settings) as complete, read_services(complete) as (side, _):
        yield complete, side


async def _rows(settings: Settings, query: str, company: str, asked: Mapping[str, str]) -> Sequence[Mapping[str, Any]]:
    from domain.access.rights import OPERATOR
    from projections.engine.query.request import Question

    params = {name: text for name, text in asked.items() if text}
    async with _services(settings) as (_, side):
        answer = await side.questions.ask(OPERATOR, Question(query, company, params, datetime.now(UTC)))
    return list(answer["rows"])


async def _notices(settings: Settings, company: str, state: str, limit: int) -> Sequence[ListedNotice]:
    from app.instance.instance import reachable
    from app.wiring import alerts

    async with reachable(settings) as complete, alerts(complete) as store:
        return await store.listing(company, state, limit)


async def _backtest(
    settings: Settings, company: str, rule_id: str, ends: tuple[int, int | None]
) -> Sequence[Transition]:
    from app.wiring import alerts
    from domain.alerting.watch import Rule
    from read_api.alerts.backtest import backtest
    from read_api.alerts.rules import RuleBook
    from read_api.alerts.values import Reader

    async with _services(settings) as (complete, side), alerts(complete) as store:
        rules = RuleBook(store)
        await rules.read()
        rule = rules.find(company, rule_id)
        if rule is None:
            raise NotFound(f"{company} has no alert rule {rule_id}", code="no_rule")
        end = ends[1] if ends[1] is not None else round(datetime.now(UTC).timestamp() * 1000)
        return await backtest(Reader(side.questions, {}), company, Rule(rule_id, rule), ends[0], end)


def _change_row(change: Transition) -> dict[str, Any]:
    import msgspec

    row = msgspec.to_builtins(change)
    return {**row, "at": _time(change.at), "since": _time(change.since)}


def _notice_row(listed: ListedNotice) -> dict[str, Any]:
    import msgspec

    notice: dict[str, Any] = msgspec.to_builtins(listed.notice)
    channel = notice.pop("channel")
    return {
        **notice,
        "at": _time(notice["at"]),
        "channel": channel.get("to") or channel.get("url"),
        "series": ", ".join(f"{item['series'] or 'all'} {item['news']}" for item in notice["items"]),
        "state": listed.state,
        "tried_at": _time(listed.tried_at) if listed.tried_at else None,
        "error": listed.error,
    }


def _time(ms: int) -> str:
    from projections.engine.query.formatting import show_time

    return str(show_time(datetime.fromtimestamp(ms / 1000, UTC)))
