"""Commands that ask: queries, query and explain, of the present and of the past."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.cli.answers import TABLE, answer_forms, answer_lines, form_of, show_answer, write_answer
from app.cli.events import parse_params
from app.cli.frame import Command, as_json, run, show_json, show_rows, with_settings
from app.cli.terminal import Redrawn
from app.settings import Settings
from domain.clean_text import clean
from domain.errors import Invalid

if TYPE_CHECKING:
    from projections.engine.query.request import Question

METRIC, INGREDIENTS = "metric", "ingredients"  # queries
Answer = Mapping[str, Any]
Ask = Callable[["Question"], Awaitable[Answer]]


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
        click.argument("name", shell_complete=_names_of_queries),
    ):
        command = option(command)
    return command


def _names_of_queries(_context: click.Context, _argument: click.Parameter, begun: str) -> list[str]:
    from projections.engine.declare.registry import all_registered

    return [name for name in sorted(all_registered()) if name.startswith(begun)]


@click.command()
@click.argument("name", default="", shell_complete=_names_of_queries)
@as_json
def queries(name: str, as_json: bool) -> None:
    """List the registered queries; with NAME, what this one takes."""
    from projections.engine.query.ask import answerable, listed_queries

    if name:
        summary, listed = answerable(name).summary, [each for each in listed_queries() if each["name"] == name]
        if not as_json:
            click.echo(f"{name}: {summary}", err=True)
            show_rows(listed[0]["params"], ("name", "required", "meaning"), as_json=False)
            return
    else:
        listed = listed_queries()
    show_rows(listed, ("name", "summary"), as_json=as_json)


@click.command()
@_of_query
@click.option("--min-position", default="", help="Position token that the answer must have reached; waits for it.")
@click.option(
    "--watch", "every", type=click.FloatRange(0.1), metavar="SECONDS", help="Ask again every so often, until Ctrl-C."
)
@click.option("--count", type=click.IntRange(1), help="With --watch: stop after so many answers.")
@answer_forms
@with_settings
def query(settings: Settings, name: str, company: str, as_of: tuple[str, ...], **options: Any) -> None:
    """Answer a registered query (`analytics queries` lists them): the same JSON as over HTTP, a table, or a file."""
    every, form, out = options["every"], form_of(options["form"]), options["out"]
    if every and (out or as_of):
        raise Invalid("--watch asks for what moves: it goes with neither --out nor --as-of", code="bad_parameter")
    question = _question(name, company, options["params"], as_of)
    answering = _answering(settings, question, options["min_position"])
    if every:
        run(_watch(answering, question, every, options["count"], form))
    else:
        _show(run(_first(answering, question)), form, out)


@click.command()
@click.argument("name", shell_complete=_names_of_queries)
@click.option("--company", default="", help="The company whose rows they are.")
@click.option("--param", "-p", "params", multiple=True, metavar="K=V", help="A parameter, e.g. symbol=AAPL.")
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write: .csv, .ndjson, .xlsx, .parquet or .arrow.",
)
@as_json
@with_settings
def export(settings: Settings, name: str, company: str, params: tuple[str, ...], out: Path, as_json: bool) -> None:
    """Write all rows of a table of facts into a file, however many they are: trades, invoices, user_steps, …"""
    from projections.engine.declare.registry import all_queries
    from read_api.export.exports import has_whole_table
    from read_api.export.tables import format_of

    form = format_of(out.suffix.removeprefix(".") or "csv").name
    if not has_whole_table(name):
        answerable_tables = ", ".join(name for name in sorted(all_queries()) if has_whole_table(name))
        raise Invalid(f"{name} is no table of facts; there are {answerable_tables}", code="bad_parameter")
    done = run(_exported(settings, _question(name, company, params, ()), form, out))
    if as_json:
        show_json(done)
    else:
        click.echo(f"{out}: {done['rows']:,} rows; position {done['position'] or 'none'}", err=True)


async def _exported(settings: Settings, question: Question, form: str, out: Path) -> dict[str, Any]:
    from msgspec.structs import asdict

    from app.instance.instance import reachable
    from app.read_side.exports import write_rows
    from app.read_side.services import read_services
    from domain.access.rights import OPERATOR
    from domain.position import Position
    from read_api.export.exports import Task

    async with reachable(settings) as complete, read_services(complete) as (side, _):
        table = await side.questions.whole_table(OPERATOR, question, Position({}))
        whose = question.company, table.member, table.projection
        task = Task(*whose, table.statement, table.columns, form, str(out))
        done = await asyncio.to_thread(write_rows, complete, task)
        return asdict(done) | {"position": table.position(done.position)}


def _show(answer: Answer, form: str, out: Path | None) -> None:
    if out is None:
        show_answer(answer, form)
    else:
        write_answer(answer, out)


async def _first(answering: AbstractAsyncContextManager[Ask], question: Question) -> Answer:
    async with answering as ask:
        return await ask(question)


async def _watch(
    answering: AbstractAsyncContextManager[Ask], question: Question, every: float, count: int | None, form: str
) -> None:
    """Show answers as they come: tables in the place of the one before, other forms one after the other."""
    redrawn, number = Redrawn(), 0
    async with answering as ask:
        while True:
            answer = await ask(replace(question, asked_at=datetime.now(UTC)))
            if form == TABLE:
                redrawn(answer_lines(answer))
            else:
                show_answer(answer, form)
            sys.stdout.flush()
            number += 1
            if number == count:
                return
            await asyncio.sleep(every)


@asynccontextmanager
async def _answering(settings: Settings, question: Question, min_position: str) -> AsyncIterator[Ask]:
    """Whoever answers this kind of question, for as long as this lasts."""
    from app.instance.instance import reachable
    from app.read_side.past import answer_question
    from app.read_side.services import read_services
    from app.wiring import comparing, read_store
    from domain.access.rights import OPERATOR
    from projections.engine.query.ask import answer, answerable
    from projections.engine.query.instance_query import InstanceQuery
    from projections.engine.query.unknown import require_company

    of_instance = isinstance(answerable(question.name), InstanceQuery)
    async with reachable(settings) as complete:
        if question.about:
            if min_position:
                async with _reaching(complete, min_position) as ask:
                    await ask(question)
            yield partial(answer_question, complete)
        elif of_instance:
            async with read_services(complete) as (side, _):  # who knows how the instance runs
                yield partial(side.questions.ask, OPERATOR)
        elif min_position:
            async with _reaching(complete, min_position) as ask:
                yield ask
        else:
            async with read_store(complete) as store, comparing(complete) as compares:
                await require_company(question, store)
                yield lambda asked: answer(asked, store, compares)


@asynccontextmanager
async def _reaching(settings: Settings, min_position: str) -> AsyncIterator[Ask]:
    """Answers at a position that has reached this one."""
    from app.read_side.questions import listening, questions
    from app.wiring import event_log, live_bus
    from domain.access.rights import OPERATOR
    from domain.position import Position

    position = Position.parse(min_position)
    async with (
        event_log(settings) as log,
        live_bus(settings) as bus,
        listening(bus) as movements,
        questions(settings, log, movements) as answers,
    ):
        yield lambda question: answers.ask(OPERATOR, question, position)


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
    """Show the events behind a measure of a query, each with its share.

    `analytics explain metric win_rate` shows the formula of a metric and all that it was computed from, and the events
    behind one measure of that: the first, or -p measure=QUERY.MEASURE.
    """
    order = "newest" if newest else "oldest"
    page = {"limit": str(limit), "cursor": cursor, "order": order}
    if name == METRIC:
        made_of = _question(INGREDIENTS, company, (*params, f"key={measure}"), as_of)
        found = run(_explain_metric(settings, made_of, page))
        measure = found["measure"]
    else:
        found = run(_explain(settings, _question(name, company, params, as_of, measure=measure, **page)))
    if as_json:
        show_json(found)
        return
    if INGREDIENTS in found:
        click.echo(f"{found[METRIC]} = {found['formula']}")
        made = [{**each, "explained_by": ", ".join(each["explained_by"])} for each in found[INGREDIENTS]]
        show_rows(made, ("ingredient", "value", "unit", "explained_by"), as_json=False)
    rows = [{**e, "row": ", ".join(f"{k}={v}" for k, v in e["row"].items())} for e in found["events"]]
    show_rows(rows, ("timestamp", "topic", "partition", "offset", "item", "event_id", "row", "share"), as_json=False)
    more = f"; more: --cursor {found['next_cursor']}" if found["next_cursor"] else ""
    value = " ".join(filter(None, (str(found["value"]), found["currency"])))
    zone = f"; days of {found['calendar']['time_zone']}" if found["calendar"] else ""
    click.echo(f"{clean(measure)} = {value}, {found['rule']} of {found['total']:,} events{zone}{more}", err=True)


async def _explain(settings: Settings, question: Question) -> dict[str, Any]:
    from app.instance.instance import reachable
    from app.read_side.past import answer_question

    async with reachable(settings) as complete:
        return await answer_question(complete, question)


async def _explain_metric(settings: Settings, asked_of: Question, page: Mapping[str, str]) -> dict[str, Any]:
    """The explanation of a metric as over HTTP; of its parameters those that the query of the measure knows."""
    from domain.metrics.catalogue import metric
    from projections.engine.declare.registry import all_registered
    from read_api.answers.explained_measure import explained_measure, made_of
    from read_api.answers.past import plain

    own = dict(asked_of.params)
    entry = metric(own["key"])
    of = explained_measure(entry, own.pop("measure", ""))
    no_rows: dict[str, Any] = {"rows": []}
    ingredients = no_rows if entry.told_by else plain(await _explain(settings, replace(asked_of, params=own)))
    known = {param.name for param in all_registered()[of.query].params}
    question = replace(
        asked_of,
        name=of.query,
        params={name: text for name, text in own.items() if name in known},
        about={**asked_of.about, **page, "measure": of.measure},
    )
    found = await _explain(settings, question)
    return {**found, **made_of(entry, ingredients)}


def _question(name: str, company: str, params: tuple[str, ...], as_of: tuple[str, ...], **page: str) -> Question:
    from projections.engine.query.request import Question

    if not company:
        raise Invalid("name a company with --company", code="missing_parameter")
    past = {"as_known_at" if "=" in text else "as_of": text for text in as_of}
    if len(past) < len(as_of):
        raise Invalid("give one time, one position, or one of each", code="bad_parameter")
    return Question(name, company, parse_params(params), datetime.now(UTC), about=past | page)
