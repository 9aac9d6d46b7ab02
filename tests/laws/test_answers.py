"""The law of answers: each says which period it is about, what cut it and of which names nothing is known, alike.

Every registered query is asked about a company of which it has something to tell. A query that is declared enters by
itself.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from domain.company_calendar import UTC_CALENDAR
from domain.errors import Invalid, NotFound
from domain.metrics.catalogue import METRICS
from projections.engine.declare.merge_rules import Text
from projections.engine.declare.registry import all_registered, projection
from projections.engine.query.composed import Composed, tables_of
from projections.engine.query.request import Question, read_params
from projections.engine.query.unknown import require_company
from tests.laws.busy_company import busy_company
from tests.projections.harness import COMPANY, ReadModels
from tests.projections.test_currencies import in_currency
from tests.support.needed import needed_by
from tests.support.of_instance import OF_INSTANCE

MOMENT = datetime(2025, 3, 25, 12, tzinfo=UTC)
TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}")
FORMS = {
    "month": r"\d{4}-(0[1-9]|1[0-2])", "day": r"\d{4}-\d{2}-\d{2}", "week": r"\d{4}-\d{2}-\d{2}",
    "quarter": r"\d{4}-Q[1-4]", "year": r"\d{4}", "currency": r"[A-Z]*",
}  # fmt: skip
WITHOUT_OTHERS = {"competitive", *OF_INSTANCE}  # whose answers rest on other companies, or on no event
ASKED = sorted(all_registered().keys() - WITHOUT_OTHERS)
OPEN = {"from": None, "to": None}
THINGS = ("symbol", "user_id", "account_id", "strategy", "customer_id", "service", "channel", "plan")


QUIET = {"symbol": "AAPL", "user_id": "u1"}  # that something is known of, though nothing of long ago


@pytest.fixture(scope="module")
def folded(module_database_url: str) -> str:
    """A company of which every query has something to tell."""
    asyncio.run(ReadModels(module_database_url).given([*busy_company(), in_currency("USD")]).close())
    return module_database_url


@pytest.fixture
async def models(folded: str) -> AsyncIterator[ReadModels]:
    """It is asked about, at a moment in the middle of what happened."""
    opened = ReadModels(folded, [projection("satisfaction")])  # tables are there: none need be made
    opened.asked_at = MOMENT
    yield opened
    await opened.close()


def takes(name: str, *params: str) -> bool:
    """Whether a query has these parameters."""
    return {*params} <= {param.name for param in all_registered()[name].params}


def values(row: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Every value of a row, however deep, with the name of its field."""
    if isinstance(row, dict):
        for key, value in row.items():
            yield from values(value, key)
    elif isinstance(row, list):
        for value in row:
            yield from values(value, name)
    else:
        yield name, row


@pytest.mark.parametrize("name", ASKED)
async def test_an_answer_says_its_period_and_what_cut_it(name: str, models: ReadModels) -> None:
    """The one that was asked for; without one that of the query, and none where all is told. A limit is said."""
    needed = needed_by(all_registered()[name])
    answer = await models.answer(name, **needed)
    assert list(answer)[:4] == ["query", "period", "limited", "unknown"]
    assert (answer["limited"], answer["unknown"]) == ([], {})
    assert answer["period"].keys() == OPEN.keys()
    if takes(name, "from", "to"):
        month = await models.answer(name, from_="2025-02-01", to="2025-03-01", **needed)
        assert month["period"] == {"from": "2025-02-01T00:00:00Z", "to": "2025-03-01T00:00:00Z"}
        with pytest.raises(Invalid, match="turned round"):
            await models.answer(name, from_="2025-03-01", to="2025-02-01", **needed)
    if takes(name, "limit") and len(answer["rows"]) > 1:
        first = await models.answer(name, limit="1", **needed)
        assert (len(first["rows"]), first["limited"]) == (1, ["limit"])
        all_of_them = await models.answer(name, limit=str(len(answer["rows"])), **needed)
        assert (all_of_them["rows"], all_of_them["limited"]) == (answer["rows"], [])
    for field, value in (each for row in answer["rows"] for each in values(row)):
        if isinstance(value, str) and TIME.match(value):
            assert value.endswith("Z"), (field, value)
        if field in FORMS and value is not None:
            assert re.fullmatch(FORMS[field], str(value)), (field, value)


DECIMAL = re.compile(r"-?\d+(\.\d+)?")
OF_NO_CURRENCY = {  # decimal texts that are no money of anybody's
    *("market_bars", "markets"),  # prices of a market, in whatever it is quoted in, and what changed hands
    "exchange_rates",  # units of the quote for one of the base, which are beside them
    *("alert_rules", "configuration_history"),  # what was said of a bound
    *("alerts", "alert_history"),  # of whatever the rule watches
}
UNITS_OF_MONEY = ("money", "currency")


def nameless(row: Any, name: str = "", *, told: bool = False) -> Iterator[str]:
    """Fields of a row with money that has no currency beside it, nor beside what it is in."""
    if isinstance(row, dict):
        told = told or row.get("currency") is not None
        for key, value in row.items():
            yield from nameless(value, key, told=told)
    elif isinstance(row, list):
        for value in row:
            yield from nameless(value, name, told=told)
    elif isinstance(row, str) and DECIMAL.fullmatch(row) and not told:
        yield name


@pytest.mark.parametrize("name", [name for name in ASKED if name not in OF_NO_CURRENCY])
async def test_money_has_its_currency_beside_it(name: str, models: ReadModels) -> None:
    """In every row: of the whole and of each split, and in what says of itself that it is money.

    A fact that named no currency, of which '' is told, is of the company's.
    """
    needed = needed_by(all_registered()[name])
    splits = [{}, {"by": "day"}, {"by": "currency"}, {"what": "revenue", "currency": "USD"}]
    for split in (split for split in splits if takes(name, *split)):
        try:
            rows = await models.rows(name, **{**needed, **split})
        except Invalid:
            continue
        assert not {field for row in rows for field in nameless(row)}, split
        for row in rows:
            assert row.get("unit") not in UNITS_OF_MONEY or "currency" in row, row


@pytest.mark.parametrize("query", ["metric", "ingredients", "key_figure"])
@pytest.mark.ci  # every metric
async def test_every_metric_of_money_has_its_currency_beside_it(query: str, models: ReadModels) -> None:
    """And every ingredient of any metric that is money."""
    told = set()
    for key in (key for key, entry in METRICS.items() if not entry.told_by):
        for row in await models.rows(query, key=key):
            assert not [*nameless({**row, "formula": ""})], (key, row)
            assert (row["unit"] == "money") == (row.get("currency") is not None) or row["value"] is None, row
            told |= {key} if row["unit"] == "money" and row["value"] is not None else set()
    assert {"mrr", "arpa", "total_pnl", "net_revenue"} <= told


SPLIT = [(name, param) for name in ASKED for param in ("by", "unit", "period") if takes(name, param)]


@pytest.mark.parametrize(("name", "param"), SPLIT)
async def test_days_and_months_have_one_form_in_every_split(name: str, param: str, models: ReadModels) -> None:
    """Whatever splits by them."""
    needed = needed_by(all_registered()[name])
    for field in ("day", "week", "month", "quarter", "year"):
        try:
            rows = await models.rows(name, **{**needed, param: field})
        except Invalid:
            continue
        for found, value in (each for row in rows for each in values(row)):
            assert found not in FORMS or value is None or re.fullmatch(FORMS[found], str(value)), (found, value)


@pytest.mark.parametrize("name", [name for name in ASKED if any(takes(name, thing) for thing in THINGS)])
async def test_a_name_that_nothing_is_known_of_is_said(name: str, models: ReadModels) -> None:
    """The answer is empty, and says which one; one that is known is not said, though it has nothing in the period."""
    needed = needed_by(all_registered()[name])
    for thing in (thing for thing in THINGS if takes(name, thing)):
        asked = {**needed, thing: "no-such-one"}
        try:
            answer = await models.answer(name, **asked)
        except Invalid:  # the metric of `needed` is not split by it
            continue
        tables = tables_of(Question(name, COMPANY, asked, MOMENT))
        known = any(c.name == thing and issubclass(c.kind, Text) for table in tables for c in table.keys)
        assert answer["unknown"] == ({thing: "no-such-one"} if known else {}), thing
        long_ago = {"from_": "2011-01-01", "to": "2011-02-01"} if takes(name, "from", "to") else {}
        if known and long_ago and thing in QUIET and not isinstance(all_registered()[name], Composed):
            quiet = await models.answer(name, **{**needed, thing: QUIET[thing]}, **long_ago)
            assert quiet["unknown"] == {}


@pytest.mark.parametrize("name", sorted(all_registered()))
def test_mistyped_names_are_refused_with_the_nearest(name: str) -> None:
    """Of parameters, of what is split by, and of whatever has a closed set of names."""
    query = all_registered()[name]
    for param in query.params:
        with pytest.raises(Invalid, match=f"did you mean '{param.name}'"):
            read_params(query, {f"{param.name}x": "1"}, UTC_CALENDAR)
        if (listed := re.search(r"out of ([a-z_, ]+);", param.meaning)) is not None:
            for choice in listed[1].split(", "):
                with pytest.raises(Invalid, match=f"did you mean '{choice}'"):
                    read_params(query, {param.name: f"{choice}x"}, UTC_CALENDAR)


async def test_a_company_that_nothing_is_known_of_is_refused(models: ReadModels) -> None:
    """To who may see all of them: others are told that it is not theirs, whether it is there or not."""
    await models.reads.open()
    await require_company(Question("kpis", COMPANY, {}, MOMENT), models.reads)
    with pytest.raises(NotFound, match="nothing is known of a company 'acm'"):
        await require_company(Question("kpis", "acm", {}, MOMENT), models.reads)
