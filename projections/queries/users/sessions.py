"""Sessions out of the rows of user activity: those that events name, and runs of events that name none.

A session begins where no such event came in the 30 minutes before. No pause in a quarter of an hour is as long, so the
first and the last moment of each are all that is needed.
"""

from __future__ import annotations

from datetime import datetime

from projections.engine.query.plain import Statement
from projections.engine.query.request import Request

PAUSE = "INTERVAL '30 minutes'"  # one that ends a session is longer
EARLIER = "INTERVAL '45 minutes'"  # so far before a moment at most begins the quarter of what is a pause before it
AT = "%s::timestamptz"
QUARTER = "INTERVAL '15 minutes'"
OF_USER = "PARTITION BY company_id, user_id ORDER BY quarter"
BEGINS = f"SELECT *, COALESCE(first_at > LAG(last_at) OVER ({OF_USER}) + {PAUSE}, true) AS begins"
NUMBERED = f"SELECT *, COUNT(*) FILTER (WHERE begins) OVER ({OF_USER}) AS number"
OF_SESSION = "company_id, user_id, session_id, started, ended, events"
RUNS = """
SELECT company_id, user_id, '' COLLATE "C" AS session_id, MIN(first_at) AS started, MAX(last_at) AS ended,
    SUM(events) AS events
FROM ({numbered}) AS numbered GROUP BY company_id, user_id, number
"""
# With what goes on after the end of the period, step by step: the next event lies in one of the next two quarters.
WHOLE_RUNS = f"""
SELECT company_id, user_id, session_id, started, COALESCE(more.ended, run.ended) AS ended,
    run.events + COALESCE(more.events, 0) AS events
FROM ({{runs}}) AS run CROSS JOIN LATERAL (
    WITH RECURSIVE later AS (
        SELECT date_bin({QUARTER}, run.ended, 'epoch') AS quarter, run.ended AS last_at, 0::numeric AS events
        WHERE run.ended >= {AT} - {PAUSE}
        UNION ALL
        SELECT goes_on.* FROM later CROSS JOIN LATERAL (
            SELECT u.quarter, u.last_at, u.events::numeric FROM {{{{unnamed_quarter}}}} AS u
            WHERE u.company_id = run.company_id AND u.user_id = run.user_id
                AND u.quarter IN (later.quarter + {QUARTER}, later.quarter + 2 * {QUARTER})
                AND u.first_at <= later.last_at + {PAUSE}
            ORDER BY u.quarter LIMIT 1
        ) AS goes_on
    ) SELECT MAX(last_at) AS ended, SUM(events) AS events FROM later
) AS more
"""


def beginnings(request: Request) -> Statement:
    """SELECT of the user and the time of the beginning of each session of the period; of others as well."""
    quarters = _quarters(request.get("from"), request.get("to"))
    return Statement(
        "SELECT company_id, user_id, started AS quarter FROM {session} UNION ALL"
        f" SELECT company_id, user_id, quarter FROM ({quarters.sql}) AS quarters WHERE begins",
        quarters.params,
    )


def session_rows(first: datetime | None, end: datetime | None) -> Statement:
    """SELECT of whose session, its id, when it began and ended, and its events, of all that began in a period, however
    long they go on; of others as well.
    """
    quarters = _quarters(first, end)
    runs, params = RUNS.format(numbered=f"{NUMBERED} FROM ({quarters.sql}) AS quarters"), quarters.params
    if end is not None:
        runs, params = WHOLE_RUNS.format(runs=runs), (*params, end)
    return Statement(
        f"SELECT {OF_SESSION} FROM {{session}} UNION ALL SELECT {OF_SESSION} FROM ({runs}) AS runs", params
    )


def _quarters(first: datetime | None, end: datetime | None) -> Statement:
    """SELECT of the unnamed quarters of a period and whether a session begins in each, rightly from `first` on."""
    bounds = [(f"quarter >= {AT} - {EARLIER}", first), (f"quarter < {AT}", end)]
    within = [(condition, moment) for condition, moment in bounds if moment is not None]
    where = f" WHERE {' AND '.join(condition for condition, _ in within)}" if within else ""
    return Statement(f"{BEGINS} FROM {{unnamed_quarter}}{where}", tuple(moment for _, moment in within))
