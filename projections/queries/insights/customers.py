"""Insights into customers: who is likely to leave and why, what buyers will still bring, how long subscribers stay.

Models are fitted apart, on at most `MOST` customers: beyond it a sample that depends on nothing but their names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import msgspec

from domain.access.rights import Feature
from domain.company_calendar import begin_of
from domain.decimals import ONE
from domain.insights import bg_nbd
from domain.insights import churn as churning
from domain.insights import lifetime_value as lifetime
from domain.insights import survival as surviving
from domain.insights.activity import WINDOW, Features, History, features_of, went_quiet
from domain.insights.finding import Kind
from domain.insights.purchases import buyers
from domain.insights.retention import Life, alive_after, retention
from domain.insights.survival import Survival
from domain.metrics.value import Reason, has_value
from domain.ports import ReadStore
from projections.engine.query.answer_row import CURRENCY, Rows
from projections.engine.query.composed import Composed, Part, Select
from projections.engine.query.params import Param, read_day, read_whole
from projections.engine.query.plain import Converted, Statement
from projections.engine.query.rates_used import LIST_RATES, RATES, rate_policy, rates_of
from projections.engine.query.reporting import Need
from projections.engine.query.request import Request
from projections.engine.query.zones import day_of
from projections.engine.worker_process import MODELS
from projections.exchange_rates import REPORTING
from projections.queries.insights.daily_series import LONGEST, TO, end_of, window
from projections.queries.insights.shape import Insight, Method, plain

MOST = 20_000
EPOCH = date(1970, 1, 1)
HORIZON, LONGEST_HORIZON = 28, 90
MONTHS, MOST_MONTHS = 12, 36
NAMED, MOST_NAMED = 100, 1_000

FROM = Param("from", f"first day; {LONGEST.days} days before the end without it", read_day)


NAMES = Param(
    "customers", f"customers that are named, 0 to {MOST_NAMED}; {NAMED} without it", read_whole(0, MOST_NAMED)
)


def _window(request: Request) -> tuple[date, date]:
    """All that is known without `from`: a history that is cut off at its beginning is another one."""
    if request.get("from") is not None:
        return window(request)
    end = end_of(request)
    request.extent.reaches(end - LONGEST, end)
    return end - LONGEST, end


# days as numbers since 1970; one row a customer, because a row for each day would be a hundred times as many
ACTIVE = f"""
SELECT user_id AS key, {{first_day}} - DATE 'epoch' AS first, array_agg(day - DATE 'epoch' ORDER BY day) AS days
FROM (SELECT DISTINCT company_id, user_id, {{day}} AS day FROM {{{{user_quarter}}}}
    WHERE company_id = %s AND quarter >= %s AND quarter < %s) AS active
JOIN {{{{user_seen}}}} USING (company_id, user_id) GROUP BY user_id ORDER BY md5(user_id) LIMIT {MOST}
"""
# Of a customer in each currency; `utc_days` are those of the rates.
BOUGHT = f"""
SELECT key, currency, days, utc_days, amounts FROM (
    SELECT customer_id AS key, currency, array_agg(day - DATE 'epoch' ORDER BY day, utc_day) AS days,
        array_agg(utc_day ORDER BY day, utc_day) AS utc_days,
        array_agg((amount / {ONE})::float8 ORDER BY day, utc_day) AS amounts,
        dense_rank() OVER (ORDER BY md5(customer_id), customer_id) AS place
    FROM (SELECT customer_id, currency, {{day}} AS day, quarter::date AS utc_day, SUM(amount) AS amount
        FROM {{{{payment_quarter}}}} WHERE company_id = %s AND quarter >= %s AND quarter < %s
        AND kind IN ('succeeded', 'recovered') AND amount > 0 GROUP BY 1, 2, 3, 4) AS paid
    GROUP BY customer_id, currency
) AS bought WHERE place <= {MOST} ORDER BY place, currency
"""


def _about(request: Request, query: str, sample: int) -> dict[str, Any]:
    begin, end = _window(request)
    params = {"from": begin.isoformat(), "to": end.isoformat()}
    return {"evidence": {"query": query, "params": params, "customers": sample, "sampled": sample >= MOST}}


def _by_day(sql: str, request: Request) -> Statement:
    by = request.calendar
    sql = sql.format(day=day_of("quarter", by), first_day=day_of("MIN(first_seen)", by))
    return Statement(sql, (request.company, *_moments(request)))


def _moments(request: Request) -> tuple[datetime, datetime]:
    """Begin and end of the window."""
    begin, end = _window(request)
    return begin_of(begin, request.calendar), begin_of(end, request.calendar)


def _days(request: Request) -> tuple[int, int]:
    """The window as numbers of days, its last one included."""
    begin, end = _window(request)
    return (begin - EPOCH).days, (end - EPOCH).days - 1


CHURN = Method(Kind.CHURN, churning.METHOD, churning.MINIMUM)


def _parts_of_churn(request: Request) -> Mapping[str, Select]:
    return {"users": Select("user_activity", _by_day(ACTIVE, request))}


def _combine_churn(request: Request, rows: Mapping[str, Rows]) -> list[Insight]:
    users = [(str(r["key"]), History(int(r["first"]), tuple(r["days"]))) for r in rows["users"]]
    arguments = _days(request)[1], request.get("horizon", HORIZON), request.get("customers", NAMED)
    return MODELS.run(churn_of, request.company, users, *arguments, _about(request, "user_activity", len(users)))


def churn_of(
    _company: str,
    users: Sequence[tuple[str, History]],
    last: int,
    horizon: int,
    named: int,
    about: Mapping[str, Any],
) -> list[Insight]:
    """Learned from those who were active before the last `horizon` days, told of those who are active now."""
    learned = _seen(users, last - horizon)
    left = [went_quiet(history, last - horizon, horizon) for _, history, _ in learned]
    model = churning.churn([features for _, _, features in learned], left)
    about = {**about, "horizon_days": horizon}
    if isinstance(model, Reason):
        return [CHURN.row(model, len(learned), about)]
    risks = [(user, model.risk(features)) for user, _, features in _seen(users, last)]
    risks.sort(key=lambda pair: (-pair[1].probability, pair[0]))
    customers = {
        "customers": len(risks),
        "expected_to_leave": sum(risk.probability for _, risk in risks),
        "at_risk": [{"user_id": user, **plain(risk)} for user, risk in risks[:named]],
    }
    return [CHURN.row(model, len(learned), about, lambda shown: {**customers, **shown})]  # tables show the first list


def _seen(users: Sequence[tuple[str, History]], day: int) -> list[tuple[str, History, Features]]:
    """Who was active in the window before the end of that day: of the others it is known that they left."""
    return [
        (user, history, features_of(history, day))
        for user, history in users
        if history.first <= day and any(day - WINDOW < active <= day for active in history.active)
    ]


churn_risks = Composed(
    "churn_risks",
    "Users by their probability of doing nothing in the next days, with its drivers and the model's calibration.",
    (
        Param("horizon", f"days, 7 to {LONGEST_HORIZON}; {HORIZON} without it", read_whole(7, LONGEST_HORIZON)),
        NAMES,
        FROM,
        TO,
    ),
    _parts_of_churn,
    _combine_churn,
    Insight,
    feature=Feature.PREDICTIVE,
    apart=True,
    any_zone=True,
)

VALUE = Method(Kind.LIFETIME_VALUE, lifetime.METHOD, bg_nbd.MINIMUM)


def _parts_of_value(request: Request) -> Mapping[str, Select]:
    return {"customers": Select("payments", _by_day(BOUGHT, request), _amounts_in_one)}


MISSING = "_missing"  # why amounts of several currencies are none of one


async def _amounts_in_one(
    request: Request, store: ReadStore, _projection: str, rows: list[dict[str, Any]]
) -> Converted:
    """What was paid, in one currency at the rates of its days; a row that says why there is none, where that is so."""
    named = {row[CURRENCY] for row in rows}
    common = await REPORTING.common(request.company, store, named)
    if not common.several:
        return rows, {CURRENCY: common.currency}
    if common.currency is None:
        return [{MISSING: Reason.NO_REPORTING_CURRENCY}], {CURRENCY: None}
    days = [day for row in rows for day in (min(row["utc_days"]), max(row["utc_days"]))]
    policy = rate_policy(rates_of(request), _moments(request), days, request.asked_at)
    converter = await REPORTING.converter(request.company, store, Need(common.currency, named, days), policy)
    factors = {
        (row[CURRENCY], day): converter.factor(row[CURRENCY], day) for row in rows for day in sorted({*row["utc_days"]})
    }
    if None in factors.values():
        return [{MISSING: Reason.NO_RATE}], converter.said()
    at = {key: float(factor or 0) for key, factor in factors.items()}
    return [
        {**row, "amounts": [x * at[row[CURRENCY], day] for x, day in zip(row["amounts"], row["utc_days"], strict=True)]}
        for row in rows
    ], converter.said()


def _combine_value(request: Request, rows: Mapping[str, Rows]) -> list[Insight]:
    paid = rows["customers"]
    missing = [row[MISSING] for row in paid if MISSING in row]
    about = {**_about(request, "payment_totals", len({row.get("key") for row in paid})), "unit": "currency"}
    if missing:
        return [VALUE.row(missing[0], 0, about)]
    bought = [(str(r["key"]), tuple(r["days"]), tuple(r["amounts"])) for r in paid]
    arguments = _days(request)[1], request.get("months", MONTHS), request.get("customers", NAMED)
    return MODELS.run(value_of, request.company, bought, *arguments, about)


def value_of(
    _company: str,
    bought: Sequence[tuple[str, Sequence[int], Sequence[float]]],
    last: int,
    months: int,
    named: int,
    about: Mapping[str, Any],
) -> list[Insight]:
    """The models, and the customers who will bring most."""
    purchases = ((key, day, amount) for key, days, amounts in bought for day, amount in zip(days, amounts, strict=True))
    sample = buyers(purchases, last)
    model = lifetime.lifetime_value(sample, months)
    if not isinstance(model, Reason):
        ranked = sorted(model.buyers, key=lambda buyer: (-buyer.lifetime_value, buyer.key))
        model = msgspec.structs.replace(model, buyers=tuple(ranked[:named]))
    return [VALUE.row(model, len(sample), about)]


lifetime_value = Composed(
    "lifetime_value",
    "What customers who pay again and again will still bring, discounted: fitted on their payments.",
    (
        Param("months", f"that are looked ahead, 1 to {MOST_MONTHS}; {MONTHS} without it", read_whole(1, MOST_MONTHS)),
        NAMES,
        FROM,
        TO,
        RATES,
        LIST_RATES,
    ),
    _parts_of_value,
    _combine_value,
    Insight,
    feature=Feature.PREDICTIVE,
    apart=True,
    any_zone=True,
)

RENEWALS = 12  # that are told ahead
PERIOD = Param("period_days", "days from renewal to renewal, 1 to 366; 30 without it", read_whole(1, 366))
SURVIVAL = Method(Kind.SURVIVAL, surviving.METHOD, surviving.MINIMUM)


def _parts_of_survival(request: Request) -> Mapping[str, Part]:
    filters = {name: request.get(name) for name in ("plan", "tier") if request.get(name) is not None}
    return {"subscriptions": Part("subscriptions", filters)}


def _combine_survival(request: Request, rows: Mapping[str, Rows]) -> list[Insight]:
    lives = _lives(rows["subscriptions"], *_moments(request))
    result = surviving.survival([life.lasted for life in lives], [life.over for life in lives])
    about = _about(request, "subscriptions", len(lives))
    return [SURVIVAL.row(result, len(lives), about, lambda shown: {**shown, **_ahead(request, result, lives)})]


def _ahead(request: Request, curve: Survival | Reason, lives: Sequence[Life]) -> dict[str, Any]:
    """Churn within each period to come of who has reached an age, as it was, and as the model of renewals has it."""
    period = request.get(PERIOD.name, 30)
    ages = () if isinstance(curve, Reason) else range(0, int(curve.seen_until) - period + 1, period)
    model = retention(alive_after(lives, period))
    shown: dict[str, Any] = {"period_days": period, "churn_within": [], "renewals": None}
    if not isinstance(curve, Reason):
        churn = [{"age": age, "probability": curve.churn_within(age, period)} for age in ages]
        shown["churn_within"] = [each for each in churn if has_value(each["probability"])]
    if isinstance(model, Reason):
        return {**shown, "reasons": {"renewals": str(model)}}
    rates = [model.renewal_rate(number + 1) for number in range(RENEWALS)]
    ahead = [{"renewals": number, "share": model.at(number)} for number in range(1, RENEWALS + 1)]
    basis = {"method": model.basis.method, "sample": model.basis.sample, "alpha": model.alpha, "beta": model.beta}
    return {**shown, "renewals": {**basis, "renewal_rates": rates, "still_there": ahead}}


def _lives(rows: Sequence[Mapping[str, Any]], begin: datetime, end: datetime) -> list[Life]:
    """Of each customer who began within the window how many days it had paid at its end, and whether that is over."""
    spells: dict[str, list[tuple[datetime, datetime | None]]] = {}
    for row in (r for r in rows if r["started_at"] is not None):
        ended = None if row["ended_at"] is None else datetime.fromisoformat(row["ended_at"])
        spells.setdefault(row["customer_id"], []).append((datetime.fromisoformat(row["started_at"]), ended))
    lives = []
    for of_customer in spells.values():
        started = min(start for start, _ in of_customer)
        over = [stop for _, stop in of_customer if stop is not None and stop <= end]
        gone = len(over) == len(of_customer)
        if begin <= started < end:
            lives.append(Life(((max(over) if gone else end) - started).days, gone, (end - started).days))
    return lives


survival = Composed(
    "survival",
    "How long subscribers stay: the share that is still there after so many days, with 95 % intervals, churn within"
    " each period of who has reached an age, and how many will renew (shifted beta-geometric).",
    (
        *(Param(name, f"only subscriptions of this {name}") for name in ("plan", "tier")),
        PERIOD,
        FROM,
        TO,
    ),
    _parts_of_survival,
    _combine_survival,
    Insight,
    feature=Feature.PREDICTIVE,
    slow=True,
    any_zone=True,
)
