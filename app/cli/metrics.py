"""Commands about metrics: the catalogue, and all key figures of a company."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click

from app.cli.frame import as_json, run, show_json, show_rows, with_settings
from app.settings import Settings
from domain.errors import Invalid

COLUMNS = ("key", "value", "previous", "change", "unit", "why")


@click.command()
@click.option("--company", default="", help="The company that is asked about.")
@click.option("--at", default="", metavar="DATE", help="A moment in the period; now without it.")
@click.option("--period", default="", help="day, week, month, quarter or year around it; month without it.")
@click.option("--section", default="", help="Only this section of the catalogue.")
@as_json
@with_settings
def kpis(settings: Settings, company: str, as_json: bool, **asked: str) -> None:
    """Show every key figure of a company for a period, beside that of the period before."""
    if not company:
        raise Invalid("name a company with --company", code="missing_parameter")
    answer = run(_kpis(settings, company, {name: text for name, text in asked.items() if text}))
    if as_json:
        show_json(answer)
        return
    rows = [row | {"why": row.get("reason", "")} for row in answer["rows"]]
    show_rows(rows, COLUMNS, as_json=False)
    first = answer["rows"][0]
    running = ", still running" if first["unfinished"] else ""
    click.echo(f"{first['from']} to {first['to']}{running}; position {answer['position'] or 'none'}", err=True)


async def _kpis(settings: Settings, company: str, params: dict[str, str]) -> dict[str, Any]:
    from app.instance.instance import reachable
    from app.wiring import read_store
    from projections.engine.query.ask import answer
    from projections.engine.query.request import Question
    from projections.engine.query.unknown import require_company

    question = Question("kpis", company, params, datetime.now(UTC))
    async with reachable(settings) as complete, read_store(complete) as store:
        await require_company(question, store)
        return await answer(question, store)


@click.command()
@as_json
@with_settings
def metrics(settings: Settings, as_json: bool) -> None:
    """List the catalogue of metrics: what each is, how it is computed, what it may be split by."""
    from read_api.http.metrics import described

    rows = [row | {"split by": ", ".join(row["dimensions"])} for row in described()] if not as_json else described()
    show_rows(rows, ("key", "title", "unit", "formula", "split by"), as_json=as_json)
