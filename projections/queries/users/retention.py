"""Behaviour: retention, funnels and journeys, computed from every user's events when asked for.

Users and names travel as numbers, so that half a million events are a few megabytes; more are refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from msgspec import UNSET, UnsetType, structs

from domain.access.rights import Feature
from domain.company_calendar import week_start
from domain.errors import Invalid
from domain.metrics.value import Stat, has_value
from projections.engine.query.answer_row import CURRENCY, AnswerRow, Rows
from projections.engine.query.asked_at import FOREVER
from projections.engine.query.composed import Composed, Select
from projections.engine.query.formatting import money
from projections.engine.query.packed_columns import (
    bounded,
    integers,
    moments,
    read_integers,
    read_moments,
    read_wholes,
    wholes,
)
from projections.engine.query.params import FROM, TO, Param, read_choice, read_time, read_whole
from projections.engine.query.plain import Statement
from projections.engine.query.request import Request
from projections.engine.query.zones import day_of, zone_in_sql
from projections.engine.store.sql import equals
from projections.queries.users.funnels_and_paths import MOST_EVENTS
from projections.user_steps import UserFirst

if TYPE_CHECKING:
    from domain.metrics.engagement.retention import Did, Matrix, RetentionQuestion

MEASURES = ("on", "on_or_after", "on_or_before", "brackets", "streak")
UNITS = ("day", "week", "month")
AGES = {"day": 91, "week": 53, "month": 25}
MOST_AGES = 1_000
AGE_LIMIT = Param("ages", "how many ages at most", read_whole(1, MOST_AGES))


class CohortAge(AnswerRow, kw_only=True):
    """An age of a cohort: who came back (or what they paid), as a share, and whether the period has not ended yet.

    A mean has the share alone.
    """

    age: int
    retained: int | str | UnsetType = UNSET
    unfinished: bool | UnsetType = UNSET
    rate: float | None
    reason: str = ""


class Cohort(AnswerRow, kw_only=True):
    """A cohort by its first day, its users, and what rates are a share of; without a day: the means over all."""

    cohort: date | None
    users: int
    base: int | str
    ages: list[CohortAge]
    currency: str | UnsetType = UNSET  # of revenue


def read_brackets(text: str) -> tuple[int, ...]:
    """First ages of brackets in steps of the retention, ascending from 0. Raises ValueError for anything else."""
    ages = tuple(int(part) if part.isdecimal() else -1 for part in text.split(","))
    if ages[0] != 0 or list(ages) != sorted(set(ages)) or ages[-1] >= MOST_AGES:
        raise ValueError(f"{text!r} is no ascending list of ages that begins with 0")
    return ages


# Users are numbered in the order of their ids, of both selects alike: whoever has events has a first one.
STARTS = """
    SELECT count(*) AS starts, {users} AS users, {at} AS at, MAX(latest) AS latest FROM (
        SELECT number, first_at, (SELECT MAX(last_at) FROM {{user_first}} WHERE company_id = %s) AS latest FROM (
            SELECT dense_rank() OVER (ORDER BY user_id)::int AS number, user_id, name, first_at
            FROM {{user_first}} WHERE company_id = %s
        ) AS numbered WHERE {started}
    ) AS picked
"""
RETURNS = """
    SELECT count(*) AS events, {users} AS users, {at} AS at FROM (
        SELECT number, at FROM {{user_step}} JOIN (
            SELECT DISTINCT user_id, dense_rank() OVER (ORDER BY user_id)::int AS number
            FROM {{user_first}} WHERE company_id = %s
        ) AS numbered USING (user_id) WHERE {returned} LIMIT {most}
    ) AS picked
"""
PAID = """
    SELECT count(*) AS events, count(DISTINCT currency) AS currencies,
        MAX(currency) AS currency, MAX(latest) AS latest,
        {users} AS users, {at} AS at, {amount} AS amount, {takes} AS takes
    FROM (
        SELECT dense_rank() OVER (ORDER BY customer_id)::int AS number, quarter AS at, currency,
            {latest} AS latest, (kind <> 'refunded')::int AS takes,
            signed
        FROM (
            SELECT *, CASE WHEN kind = 'refunded' THEN -amount ELSE amount END AS signed FROM {{payment_quarter}}
            WHERE {where} AND kind IN ('succeeded', 'recovered', 'refunded') LIMIT {most}
        ) AS paid
    ) AS picked
"""
PACKED = {"users": integers("number"), "most": MOST_EVENTS + 1}


def retention_parts(request: Request) -> Mapping[str, Select]:
    """Starts and returns, or payments."""
    if request.get("what") == "revenue":
        return {"paid": _paid(request)}
    started, of_starts = ["true"], list[object]()
    if (name := request.get("start")) is not None:
        condition, values = equals(UserFirst.table, "name", name)
        started.append(condition)
        of_starts += values
    starts = STARTS.format(**PACKED, at=moments("first_at"), started=" AND ".join(started))
    until = request.get("until")
    # all of today without an end, so that the answer lasts; what lies ahead of the moment is left out afterwards
    last = request.asked_at.capped_today(FOREVER) if until is None else request.asked_at.capped(until)
    returned, of_returns = ["company_id = %s", "at <= %s"], list[object]([request.company, last])
    if (begin := request.get("from")) is not None:  # nobody of the cohorts has done anything that counts before
        returned.append("day >= %s::date AND at >= %s")
        of_returns += [begin, begin]
    if until is not None:
        returned.append("at < %s")
        of_returns.append(until)
    if (name := request.get("return")) is not None:
        returned.append("name = %s")
        of_returns.append(name)
    returns = RETURNS.format(**PACKED, at=moments("at"), returned=" AND ".join(returned))
    company = request.company
    return {
        "starts": Select("user_steps", Statement(starts, (company, company, *of_starts))),
        "returns": Select("user_steps", Statement(returns, (company, *of_returns))),
    }


def _paid(request: Request) -> Select:
    if request.get("age") == "rolling" or request.get("start"):
        raise Invalid("revenue is told by the calendar, from the first payment on", code="bad_parameter")
    until = request.get("until")
    last = request.asked_at.capped_today(FOREVER) if until is None else request.asked_at.capped_today(until)
    where, params = ["company_id = %s", "quarter < %s"], list[object]([request.company, last])
    for name, condition in (("currency", "currency = %s"), ("until", "quarter < %s")):
        if request.get(name) is not None:
            where.append(condition)
            params.append(request.get(name))
    amount = {"amount": wholes("signed"), "takes": integers("takes")}
    last_day = f"({day_of('MAX(quarter) OVER ()', request.calendar)} + 1)"
    latest = f"{last_day}::timestamp AT TIME ZONE {zone_in_sql(request.calendar)}"
    sql = PAID.format(**PACKED, **amount, at=moments("at"), latest=latest, where=" AND ".join(where))
    return Select("payments", Statement(sql, tuple(params)))


def retention_rows(request: Request, rows: Mapping[str, Rows]) -> list[Cohort]:
    """A row a cohort with its ages, the oldest first; the last row, without a cohort, has the means of all."""
    from domain.metrics.engagement.retention import retention

    began, returned, latest = _revenue(rows["paid"][0]) if "paid" in rows else _users(rows)
    if latest is None:
        return []
    question = _retention_question(request, latest)
    by_then = returned.at <= question.until
    values = None if returned.values is None else returned.values[by_then]
    returned = returned._replace(users=returned.users[by_then], at=returned.at[by_then], values=values)
    shown = _shown(request, question, retention(_cohorts(request, began, question), returned, question))
    if "paid" in rows:
        shown = [structs.replace(cohort, currency=rows["paid"][0][CURRENCY]) for cohort in shown]
    return shown


def _users(rows: Mapping[str, Rows]) -> tuple[Did, Did, Any]:
    from domain.metrics.engagement.retention import Did

    starts, returns = rows["starts"][0], rows["returns"][0]
    bounded(returns["events"], MOST_EVENTS, "events")
    began = Did(read_integers(starts["users"]), read_moments(starts["at"]))
    return began, Did(read_integers(returns["users"]), read_moments(returns["at"])), starts["latest"]


def _revenue(row: Mapping[str, Any]) -> tuple[Did, Did, Any]:
    from domain.metrics.engagement.retention import Did

    bounded(row["events"], MOST_EVENTS, "payments by quarter of an hour")
    if row["currencies"] > 1:
        raise Invalid("payments are of several currencies: name one as the parameter currency", code="bad_parameter")
    users, at, amounts = read_integers(row["users"]), read_moments(row["at"]), read_wholes(row["amount"])
    takes = read_integers(row["takes"]) == 1
    return Did(users[takes], at[takes]), Did(users, at, amounts), row["latest"]


def _retention_question(request: Request, latest: Any) -> RetentionQuestion:
    from domain.metrics.engagement.retention import DAY_BRACKETS, RetentionQuestion

    interval, until = request.get("unit", "day"), request.asked_at.capped(request.get("until", latest))
    ages = request.get("ages", AGES[interval])
    brackets = [age for age in request.get("brackets", DAY_BRACKETS) if age < ages]
    return RetentionQuestion(
        int(until.timestamp() * 1000),
        interval,
        request.get("measure", "on"),
        request.calendar.time_zone,
        request.get("age") == "rolling",
        brackets,
        ages,
        week_start(request.calendar),
    )


def _cohorts(request: Request, began: Did, question: RetentionQuestion) -> Did:
    """Those whose first start lies in the period that is asked about."""
    import numpy as np

    users = np.unique(began.users)
    first = np.full(len(users), np.iinfo(np.int64).max)
    np.minimum.at(first, np.searchsorted(users, began.users), began.at)
    counted = first <= question.until
    for bound, inside in (("from", np.greater_equal), ("to", np.less), ("until", np.less)):
        if request.get(bound) is not None:
            counted &= inside(first, int(request.get(bound).timestamp() * 1000))
    return began._replace(users=users[counted], at=first[counted])


def _shown(request: Request, question: RetentionQuestion, matrix: Matrix) -> list[Cohort]:
    from domain.metrics.engagement.periods import begin_of

    amount: Callable[[int], Any] = money if request.get("what") == "revenue" else int
    ages = list(question.brackets) if question.measure == "brackets" else list(range(question.ages))
    begins = (
        begin_of(matrix.cohorts, question.interval, week_start=question.week_start)
        .astype("datetime64[ms]")
        .astype("datetime64[D]")
    )
    cohorts = []
    for row, begin in enumerate(begins.tolist()):
        cells = [
            CohortAge(
                age=ages[k],
                retained=amount(int(matrix.retained[row, k])),
                unfinished=bool(matrix.unfinished[row, k]),
                **_rate(matrix.rate(row, k)),
            )
            for k in range(matrix.retained.shape[1])
            if matrix.begun[row, k]
        ]
        base = amount(int(matrix.base[row]))
        cohorts.append(Cohort(cohort=begin, users=int(matrix.sizes[row]), base=base, ages=cells))
    weighted = request.get("mean", "weighted") == "weighted"
    means = [
        CohortAge(age=ages[k], **_rate(matrix.mean(k, weighted=weighted))) for k in range(matrix.retained.shape[1])
    ]
    base = amount(sum(matrix.base.tolist()))
    return [*cohorts, Cohort(cohort=None, users=int(matrix.sizes.sum()), base=base, ages=means)] if cohorts else []


def _rate(stat: Stat) -> dict[str, Any]:
    return {"rate": stat} if has_value(stat) else {"rate": None, "reason": stat}


RETENTION = Composed(
    "retention",
    "Retention by cohort and age: how many users, or how much of their payments, came back.",
    (
        FROM,
        TO,
        Param("until", "moment up to which events count; the latest event by default, now at the latest", read_time),
        Param("start", "name of the event that begins a cohort; any event by default"),
        Param("return", "name of the event that counts as coming back; any event by default"),
        Param("unit", "day (default), week or month", read_choice(*UNITS)),
        Param("measure", f"one of {', '.join(MEASURES)}; on by default", read_choice(*MEASURES)),
        Param(
            "age", "calendar periods (default), or rolling ones of 1, 7 or 30 days", read_choice("calendar", "rolling")
        ),
        Param("what", "users (default) or revenue", read_choice("users", "revenue")),
        Param("currency", "of revenue: which one"),
        Param("mean", "weighted by what cohorts began with (default) or simple", read_choice("weighted", "simple")),
        Param("brackets", "first ages of the brackets, comma-separated, from 0 on", read_brackets),
        AGE_LIMIT,
    ),
    retention_parts,
    retention_rows,
    Cohort,
    feature=Feature.RETENTION,
    slow=True,
    any_zone=True,
)
