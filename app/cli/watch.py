"""`analytics watch METRIC`: a live metric in the terminal, as it moves."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from app.cli.events import parse_params
from app.cli.frame import as_json, run, show_json, table_lines, with_settings
from app.cli.terminal import Redrawn
from app.settings import Settings
from domain.errors import Invalid

if TYPE_CHECKING:
    from read_api.answers.realtime import LiveQuestion

MOST_LINES = 40  # rows of a table that moves
REDRAWN = 0.1  # seconds between two tables at least: people read no faster


@click.command()
@click.argument("metric")
@click.option("--company", required=True, help="The company whose figures are watched.")
@click.option("--window", "width", default="1m", show_default=True, help="1m, 5m or 1h, or 5m/1m, which slides.")
@click.option("--by", default="", help="Dimensions of the window, comma-separated; without: one total row.")
@click.option("--param", "-p", "params", multiple=True, metavar="K=V", help="Only rows of this, e.g. symbol=AAPL.")
@click.option("--count", type=click.IntRange(1), default=None, help="Stop after so many messages; else at Ctrl-C.")
@as_json
@with_settings
def watch(settings: Settings, metric: str, company: str, as_json: bool, count: int | None, **about: Any) -> None:
    """Watch a live metric: trading, user_activity, system_metrics, operations, market_bars, or WINDOW.MEASURE.

    The table shows the newest window; --json prints a line for each message.
    """
    from domain.access.rights import OPERATOR
    from read_api.answers.realtime import live_questions

    filters = parse_params(about["params"])
    questions = live_questions(OPERATOR, company, metric, about["width"], about["by"], filters)
    if len(questions) > 1:
        raise Invalid("watch one live window at a time", code="bad_parameter")
    run(_watch(settings, questions[0], count, as_json=as_json))


async def _watch(settings: Settings, question: LiveQuestion, count: int | None, *, as_json: bool) -> None:
    from app.instance.instance import reachable
    from app.read_side.questions import listening, live_metrics, questions
    from app.wiring import event_log, live_bus

    redrawn = Redrawn()
    async with (
        reachable(settings) as complete,
        event_log(complete) as log,
        live_bus(complete) as bus,
        listening(bus) as movements,
        questions(complete, log, movements) as answers,
        live_metrics(bus, answers) as live,
    ):
        number = 0
        async for message in question.messages(live):
            if as_json:
                show_json(message, spread=False)
            else:
                redrawn(_lines_of(message))
            number += 1
            if number == count:
                return
            if not as_json and sys.stdout.isatty():
                await asyncio.sleep(REDRAWN)


def _lines_of(message: Mapping[str, Any]) -> list[str]:
    window = message["windows"][0]
    late = f", {window['late_share']:.1%} late" if window["late_share"] else ""
    part = f", partial ({', '.join(window['partial_reasons'])})" if window["partial"] else ""
    currency = window.get("currency") or message["currency"] or ""
    about = f"{message['metric']} of {message['company']}, {currency} · {window['start']} to"
    state = f"{window['kind']}, revision {window['revision']}, watermark {window['watermark']}{part}{late}"
    return [f"{about} {window['end']}", state, *table_lines(_turned(window["rows"][:MOST_LINES]))]


def _turned(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A single row has its measures below each other: so many do not fit beside each other."""
    if len(rows) != 1:
        return [{name: value for name, value in row.items() if name != "reasons"} for row in rows]
    (row,) = rows
    why = row.get("reasons", {})
    return [{"measure": k, "value": why.get(k, "") if v is None else v} for k, v in row.items() if k != "reasons"]
