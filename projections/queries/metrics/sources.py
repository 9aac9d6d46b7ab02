"""Where the values of metrics come from: for each source one question to a projection, and how its rows become sums.

A source is a registered query, asked for its rows as they are stored, or a SELECT where a query would give a row for
every user, invoice or ticket.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

from domain.decimals import ONE
from domain.metrics.revenue.deferred import Prepaid, deferred_revenue, service_period
from domain.metrics.satisfaction.support import Ticket
from domain.ports import ReadStore
from projections.engine.query.answer_row import CURRENCY
from projections.engine.query.composed import Part, Select
from projections.engine.query.formatting import show_time
from projections.engine.query.no_amount import NoAmounts
from projections.engine.query.plain import Converted, Converts, Statement
from projections.engine.query.quantiles import middle_of
from projections.engine.query.rates_used import rate_policy
from projections.engine.query.reporting import Standing
from projections.engine.query.request import Request
from projections.exchange_rates import REPORTING
from projections.queries.metrics.metric_scope import MetricScope, Rows, Source, Sums, query_of
from projections.queries.metrics.periods import LAST, Span, year_before
from projections.queries.metrics.traders import trader_sums, traders
from projections.queries.users import counts
from projections.queries.users.counts import Cycle, Windows
from projections.queries.users.sessions import session_rows

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ROLLING = timedelta(days=30)  # of trials
TO_PAY, TO_ACTIVATE = timedelta(days=30), timedelta(days=7)  # after which it is decided whether it was in time


def of_mrr(source: Source) -> Source:
    """The same, up to today where the period ends later: what lies ahead, a scheduled cancel or a debt that is not old
    enough yet, is no MRR of today's.
    """

    def ask(scope: MetricScope) -> Part | Select:
        return source.ask(scope.up_to_today)

    return replace(source, ask=ask)


def _movements(scope: MetricScope) -> Part:
    return _under(scope, query_of("mrr_movements", money=True)(scope))


def _under(scope: MetricScope, part: Part) -> Part:
    return replace(part, params={**part.params, **({"policy": scope.policy} if scope.policy else {})})


def _scheduled(scope: MetricScope, by: Sequence[str] | None = None) -> Select:
    """What was known by the end of the period of what takes effect later, by the dimensions or others."""
    names = scope.by if by is None else by
    listed = ", ".join(f'"{name}"' for name in dict.fromkeys((*names, CURRENCY)))
    only = "".join(f' AND "{name}" = %s' for name in scope.only)
    sql = (
        f"SELECT {listed}, SUM(change) AS scheduled FROM {{scheduled_mrr}}"
        f" WHERE company_id = %s AND policy IN ('default', %s) AND quarter < %s{only} GROUP BY {listed}"
    )
    params = scope.company, scope.policy or "default", scope.span.bounds[1], *scope.only.values()
    return Select("subscriptions", Statement(sql, params), _at_the_end(scope, names, "scheduled"))


def _at_the_end(scope: MetricScope, by: Sequence[str], amount: str) -> Converts:
    """Amounts by currency that stand at the end of the period as those of one: at the rates of its last day."""

    async def converts(request: Request, store: ReadStore, _projection: str, rows: list[dict[str, Any]]) -> Converted:
        policy = rate_policy(scope.rates, scope.span.ends, (scope.last_day,), scope.asked_at)
        standing = Standing(rows, by, amount)
        return await REPORTING.added(scope.company, store, standing, policy._replace(day=policy.day or scope.last_day))

    return converts


def _of_year(scope: MetricScope) -> Part:
    """Movements of the year that ends with the period."""
    end = scope.span.bounds[1]
    return _movements(replace(scope, span=Span(year_before(end, scope.span.by), end, scope.span.by)))


def _retained(scope: MetricScope) -> Part:
    return _under(scope, query_of("mrr_retained", money=True)(scope))


def _customers_after(scope: MetricScope) -> Part:
    """MRR of each customer at the end of the period."""
    return _under(scope, Part("customer_mrr", {"from": show_time(scope.span.bounds[1]), **scope.rates}, raw=True))


def _kinds(rows: Rows, _: MetricScope) -> Sums:
    sums: Sums = {"fees": 0}
    for row in rows:
        sums[f"{row['kind']}_count"] = int(row["payments"])
        if not isinstance(row, NoAmounts):
            sums |= {row["kind"]: int(row["amount"]), "fees": sums["fees"] + int(row["fees"])}
    whole = {name: sums.get(name, 0) for name in TAKINGS}
    missing = next((row.reason for row in rows if isinstance(row, NoAmounts)), None)
    return whole if missing is None else NoAmounts(whole, TAKINGS[:4], missing)


TAKINGS = (
    *("succeeded", "recovered", "refunded", "fees"),
    *("succeeded_count", "recovered_count", "failed_count"),
)

INVOICES = """
SELECT COUNT(*) FILTER (WHERE first_at >= %s AND first_at < %s) AS charged,
    COUNT(*) FILTER (WHERE first_at >= %s AND first_at < %s AND failed_at IS NOT NULL) AS failed,
    COUNT(*) FILTER (WHERE owed AND (in_time OR failed_at + INTERVAL '30 days' <= %s)) AS decided,
    COUNT(*) FILTER (WHERE owed AND in_time) AS recovered
FROM (SELECT first_at, failed_at, failed_at >= %s AND failed_at < %s AS owed,
        paid_at >= failed_at AND paid_at <= failed_at + INTERVAL '30 days' AS in_time
    FROM {invoice} WHERE company_id = %s AND first_at < %s
        AND (first_at >= %s OR failed_at >= %s AND failed_at < %s)) AS invoices
"""


def _invoices(scope: MetricScope) -> Select:
    span = scope.span.bounds
    decided = scope.asked_at.capped(_later(span[1], TO_PAY))
    return Select(
        "payments",
        Statement(INVOICES, (*span, *span, decided, *span, scope.company, span[1], span[0], *span)),
    )


OWING = """
SELECT COALESCE(array_agg(DISTINCT customer_id), ARRAY[]::text[]) AS owing FROM {debt}
WHERE company_id = %s AND since < %s AND (until IS NULL OR until >= %s)
"""


def _owing(scope: MetricScope) -> Select:
    end = scope.span.bounds[1]
    return Select("subscriptions", Statement(OWING, (scope.company, end, end)))


CHARGED = """
SELECT DISTINCT ON (customer_id, subscription_id) customer_id, subscription_id, charge, currency,
    interval, interval_count, started_at
FROM {subscription_term} WHERE company_id = %s AND since < %s ORDER BY customer_id, subscription_id, since DESC
"""


def _charged(scope: MetricScope) -> Select:
    at = scope.asked_at.capped(scope.span.bounds[1])
    by = "customer_id", "subscription_id"
    return Select("subscriptions", Statement(CHARGED, (scope.company, at)), _at_the_end(scope, by, "charge"))


def _deferred(rows: Rows, scope: MetricScope) -> Sums:
    at = ms(scope.asked_at.capped(scope.span.bounds[1]))
    charges = []
    for row in rows:
        if row["charge"]:
            period = service_period(ms(row["started_at"]), row["interval"], int(row["interval_count"]), at)
            charges.append(Prepaid(int(row["charge"]), *period))
    return {"deferred": deferred_revenue(charges, at)}


FIRSTS = """
SELECT COUNT(*) AS signups, COUNT(*) FILTER (WHERE in_time) AS activated,
    COUNT(*) FILTER (WHERE in_time OR signup + INTERVAL '7 days' <= %s) AS decided,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY round(extract(epoch FROM activation - signup) * 1000)::float8)
        FILTER (WHERE activation >= signup) AS time_to_value
FROM (SELECT signup, activation, COALESCE(activation BETWEEN signup AND signup + INTERVAL '7 days', false) AS in_time
    FROM (SELECT first_at AS signup, (SELECT first_at FROM {user_first} AS activated
            WHERE activated.company_id = signed.company_id AND activated.user_id = signed.user_id
            AND read_models.short(activated.name) = 'activated') AS activation
        FROM {user_first} AS signed
        WHERE company_id = %s AND read_models.short(name) = 'signup' AND first_at >= %s AND first_at < %s OFFSET 0
    ) AS pairs) AS told
"""


def _firsts(scope: MetricScope) -> Select:
    decided = scope.asked_at.capped(_later(scope.span.bounds[1], TO_ACTIVATE))
    return Select("user_steps", Statement(FIRSTS, (decided, scope.company, *scope.span.bounds)))


TRIALS = """
SELECT COUNT(*) FILTER (WHERE inside) AS begun, COUNT(*) FILTER (WHERE inside AND paying) AS converted,
    COUNT(*) FILTER (WHERE trial_started_at > %s AND trial_started_at <= %s) AS begun_30d,
    COUNT(*) FILTER (WHERE started_at > %s AND started_at <= %s) AS converted_30d
FROM (SELECT trial_started_at, started_at, trial_started_at >= %s AND trial_started_at < %s AS inside,
        COALESCE(started_at >= trial_started_at, false) AS paying
    FROM {customer_subscription} WHERE company_id = %s AND trial_started_at IS NOT NULL) AS trials
"""


def _trials(scope: MetricScope) -> Select:
    now = scope.asked_at.capped(scope.span.bounds[1])
    last = now - ROLLING, now
    return Select("subscriptions", Statement(TRIALS, (*last, *last, *scope.span.bounds, scope.company)))


def _activity(scope: MetricScope) -> Part:
    """Sums of a day have rows of their own; only those of a user are read from the days of users."""
    of_user = "user_id" in (*scope.by, *scope.only)
    return query_of("user_activity" if of_user else "activity_totals")(scope)


def _users(scope: MetricScope) -> Select:
    """What is asked about users at once is one statement, which both sources share."""
    first, end = scope.span.bounds
    earlier = scope.span.before().bounds[0] if scope.span.start else first
    cycle = Cycle(earlier, first, end) if "user_lifecycle" in scope.reads else None
    windows = Windows(scope.last_day, scope.span.by) if "user_windows" in scope.reads else None
    return counts.select_counts(scope.company, cycle, windows)


SESSIONS = """
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY round(extract(epoch FROM ended - started) * 1000)::float8) / 60000
    AS median_minutes FROM ({sessions}) AS begun WHERE company_id = %s AND started >= %s AND started < %s
"""


def _sessions(scope: MetricScope) -> Select:
    rows = session_rows(scope.span.start, scope.span.end)
    params = *rows.params, scope.company, *scope.span.bounds
    return Select("user_activity", Statement(SESSIONS.format(sessions=rows.sql), params))


FEATURES = """
SELECT SUM(features) AS features, COUNT(*) AS users FROM (SELECT COUNT(*) AS features
    FROM (SELECT DISTINCT user_id, feature FROM {feature_quarter}
        WHERE company_id = %s AND quarter >= %s AND quarter < %s) AS used
    GROUP BY user_id) AS users
"""


def _features(scope: MetricScope) -> Select:
    return Select("user_activity", Statement(FEATURES, (scope.company, *scope.span.bounds)))


def _durations(rows: Rows, _: MetricScope) -> Sums:
    """Durations of successes in ms with their numbers, and how many failed."""
    succeeded = [row for row in rows if row["outcome"] != "error"]
    return {
        "ok": [(middle_of(int(row["bucket"])) / ONE, int(row["count"])) for row in succeeded],
        "failures": sum(int(row["count"]) for row in rows if row["outcome"] == "error"),
    }


def _scores(rows: Rows, _: MetricScope) -> Sums:
    sums: Sums = {}
    for row in rows:
        sums.setdefault(row["survey"], {})[int(row["score"])] = int(row["answers"])
    return sums


TICKETS = """
SELECT opened_at, first_response_at, resolved_at, reopened FROM {ticket}
WHERE company_id = %s AND opened_at >= %s AND opened_at < %s
"""


def _tickets(scope: MetricScope) -> Select:
    return Select("satisfaction", Statement(TICKETS, (scope.company, *scope.span.bounds)))


def _ticket_sums(rows: Rows, _: MetricScope) -> Sums:
    return {
        "tickets": [
            Ticket(_when(row["opened_at"]), _when(row["first_response_at"]), _when(row["resolved_at"]), row["reopened"])
            for row in rows
        ]
    }


def _when(at: datetime | None) -> int:
    return ms(at) if at else 0


def _later(at: datetime, by: timedelta) -> datetime:
    return min(at, LAST - by) + by


def ms(at: datetime) -> int:
    """A time as ms since 1970 UTC."""
    return (at - EPOCH) // timedelta(milliseconds=1)


def earlier(source: Source) -> Source:
    """The same of the period before."""
    return replace(source, ask=lambda scope: source.ask(scope.before()))


def _ever(projection: str, table: str, time: str, names: Sequence[str]) -> Callable[[MetricScope], Select]:
    """Whether anything of a table had been reported by the end of the period; asked of a whole, because a group has
    rows of its own.
    """

    def ask(scope: MetricScope) -> Select:
        if scope.by:
            return Select(projection, Statement("SELECT 1 AS ever WHERE false", ()))
        only = {name: value for name, value in scope.only.items() if name in names}
        where = "".join(f' AND "{name}" = %s' for name in only)
        sql = f"SELECT 1 AS ever FROM {{{table}}} WHERE company_id = %s AND {time} < %s{where} LIMIT 1"
        return Select(projection, Statement(sql, (scope.company, scope.span.bounds[1], *only.values())))

    return ask


FIRST_STEPS, COSTS = Source(_firsts), Source(query_of("acquisition_costs", money=True), money=frozenset({"cost"}))
EVER_COST = Source(_ever("acquisition", "acquisition_quarter", "quarter", ("channel", "campaign", "currency")))
EVER_OPERATED = Source(_ever("system_metrics", "operation_minute", "minute", ("service", "operation")))

EARNED = frozenset(
    {"total_pnl", "gross_profit", "gross_loss", "total_fees", "turnover", "largest_win", "largest_loss", "pnl"}
)
TWELFTHS = Fraction(1, 12)
LEVELS = ("start", "new", "expansion", "contraction", "churned", "reactivated", "currency", "end")
MRR = frozenset(f"{level}_mrr" for level in (*LEVELS, "retained", "kept", "top10"))
CUSTOMERS = frozenset({"customers"})  # and the MRR of each
SOURCES: Mapping[str, Source] = {
    "mrr_movements": of_mrr(Source(_movements, money=MRR, units=TWELFTHS)),
    "mrr_scheduled": of_mrr(Source(_scheduled, money=frozenset({"scheduled"}), units=TWELFTHS)),
    "customers_scheduled": of_mrr(
        Source(lambda scope: _scheduled(scope, ("customer_id",)), lambda rows, _: {"customers": rows}, CUSTOMERS)
    ),
    "mrr_year": of_mrr(Source(_of_year, money=MRR, units=TWELFTHS)),
    "mrr_retained": of_mrr(Source(_retained, money=MRR, units=TWELFTHS)),
    "customer_mrr": of_mrr(Source(_customers_after, lambda rows, _: {"customers": rows}, CUSTOMERS)),
    "owing_customers": Source(_owing),
    "subscriptions": Source(_charged, _deferred, frozenset({"deferred"})),
    "payment_totals": Source(query_of("payment_totals", "kind", money=True), _kinds, frozenset(TAKINGS[:4])),
    "invoices": Source(_invoices),
    "user_firsts": FIRST_STEPS,
    "user_firsts_before": earlier(FIRST_STEPS),
    "trials": Source(_trials),
    "acquisition_costs": COSTS,
    "acquisition_costs_before": earlier(COSTS),
    "acquisition_ever": EVER_COST,
    "acquisition_ever_before": earlier(EVER_COST),
    "activity": Source(_activity),
    "user_lifecycle": Source(_users),
    "user_windows": Source(_users),
    "sessions": Source(_sessions),
    "feature_usage": Source(_features),
    "trading_totals": Source(query_of("trading_totals", money=True), money=EARNED),
    "trading_users": Source(
        lambda scope: traders(scope.company, scope.span.ends, scope.asked_at, scope.rates), trader_sums
    ),
    "operations": Source(query_of("operations", raw=False)),
    "operations_ever": EVER_OPERATED,
    "operation_buckets": Source(query_of("operation_buckets", "bucket", "outcome"), _durations),
    "survey_answers": Source(query_of("survey_answers", "survey", "score"), _scores),
    "tickets": Source(_tickets, _ticket_sums),
}


def names(reads: Iterable[str]) -> tuple[str, ...]:
    """Sources, each once, in a fixed order."""
    return tuple(name for name in SOURCES if name in set(reads))
