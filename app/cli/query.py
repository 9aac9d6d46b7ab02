"""Commands that ask: query and explain, of the present and of the past."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from app.cli.events import parse_params
from app.cli.frame import Command, as_json, run, show_json, show_rows, with_settings
from app.settings import Settings
from domain.clean_text import clean
from domain.errors import Invalid

if TYPE_CHECKING:
    from projections.engine.query.request import Question


def _of_query(command: Command) -> Command:
    """The arguments that say what is asked."""
    for option in (
        click.option(
            "--as-of",
            multiple=True,
            metavar="TIME|POSITION",
            help="Before this event time, or as known at this position; may be given once for each.",
        ),
        click.option("--param", "-p", "params", multiple=True, metavar="K=V", help="A parameter, e.g. by=symbol."),
        click.option("--company", default="", help="The company that is asked about."),
        click.argument("name"),
    ):
        command = option(command)
    return command


@click.command()
@_of_query
@click.option("--min-position", default="", help="Position token that the answer must have reached; waits for it.")
@with_settings
def query(
    settings: Settings,
    name: str,
    company: str,
    params: tuple[str, ...],
    as_of: tuple[str, ...],
    min_position: str,
) -> None:
    """Answer a registered query: the same JSON as over HTTP."""
    show_json(run(_query(settings, _question(name, company, params, as_of), min_position)))


async def _query(settings: Settings, question: Question, min_position: str) -> dict[str, Any]:
    from app.instance.instance import reachable
    from app.read_side.past import answer_question
    from app.wiring import comparing, read_store
    from projections.engine.query.ask import answer, answerable
    from projections.engine.query.instance_query import InstanceQuery

    async with reachable(settings) as complete:
        if isinstance(answerable(question.name), InstanceQuery) and not question.about:
            return await _of_instance(complete, question)
        if min_position:
            found = await _waited_for(complete, question, min_position)
            if not question.about:
                return found
        if question.about:
            return await answer_question(complete, question)
        async with read_store(complete) as store, comparing(complete) as compares:
            return await answer(question, store, compares)


async def _of_instance(settings: Settings, question: Question) -> dict[str, Any]:
    """The answer of whoever knows how the instance runs."""
    from app.read_side.services import read_services
    from domain.access.rights import OPERATOR

    async with read_services(settings) as (side, _):
        return await side.questions.ask(OPERATOR, question)


async def _waited_for(settings: Settings, question: Question, min_position: str) -> dict[str, Any]:
    """The answer at a position that has reached this one."""
    from app.read_side.questions import listening, questions
    from app.wiring import event_log, live_bus
    from domain.access.rights import OPERATOR
    from domain.position import Position

    async with (
        event_log(settings) as log,
        live_bus(settings) as bus,
        listening(bus) as movements,
        questions(settings, log, movements) as asking,
    ):
        return await asking.ask(OPERATOR, question, Position.parse(min_position))


@click.command()
@_of_query
@click.argument("measure")
@click.option("-n", "--limit", type=click.IntRange(1, 10_000), default=100, show_default=True, help="Events at most.")
@click.option("--cursor", default="", help="Where the last page ended (next_cursor of its answer).")
@click.option("--newest", is_flag=True, help="The newest events first.")
@as_json
@with_settings
def explain(
    settings: Settings,
    name: str,
    measure: str,
    company: str,
    params: tuple[str, ...],
    as_of: tuple[str, ...],
    as_json: bool,
    limit: int,
    cursor: str,
    newest: bool,
) -> None:
    """Show the events behind a measure of a query, each with its share."""
    order = "newest" if newest else "oldest"
    page = {"measure": measure, "limit": str(limit), "cursor": cursor, "order": order}
    found = run(_explain(settings, _question(name, company, params, as_of, **page)))
    if as_json:
        show_json(found)
        return
    rows = [{**e, "row": ", ".join(f"{k}={v}" for k, v in e["row"].items())} for e in found["events"]]
    show_rows(rows, ("timestamp", "topic", "partition", "offset", "item", "event_id", "row", "share"), as_json=False)
    more = f"; more: --cursor {found['next_cursor']}" if found["next_cursor"] else ""
    click.echo(f"{clean(measure)} = {found['value']}, {found['rule']} of {found['total']:,} events{more}", err=True)


async def _explain(settings: Settings, question: Question) -> dict[str, Any]:
    from app.instance.instance import reachable
    from app.read_side.past import answer_question

    async with reachable(settings) as complete:
        return await answer_question(complete, question)


def _question(name: str, company: str, params: tuple[str, ...], as_of: tuple[str, ...], **page: str) -> Question:
    from projections.engine.query.request import Question

    if not company:
        raise Invalid("name a company with --company", code="missing_parameter")
    past = {"as_known_at" if "=" in text else "as_of": text for text in as_of}
    if len(past) < len(as_of):
        raise Invalid("give one time, one position, or one of each", code="bad_parameter")
    return Question(name, company, parse_params(params), datetime.now(UTC), about=past | page)
