"""Sessions out of the rows of user activity: those that events name, and runs of events that name none.

A session begins where no such event came in the 30 minutes before. No pause in a quarter of an hour is as long, so the
first and the last moment of each are all that is needed.
"""

from __future__ import annotations

from datetime import datetime

from projections.engine.query.formatting import show_time
from projections.engine.query.request import Request

PAUSE = "INTERVAL '30 minutes'"  # one that ends a session is longer
EARLIER = "INTERVAL '45 minutes'"  # so far before a moment at most begins the quarter of what is a pause before it
OF_USER = "PARTITION BY company_id, user_id ORDER BY quarter"
OF_SESSION = "company_id, user_id, session_id, started, ended, events"
# What goes on after the end of the period of a session that has begun in it.
GOES_ON = """
SELECT MAX(last_at) AS ended, SUM(events) AS events FROM {{unnamed_quarter}} AS u
WHERE u.company_id = cut.company_id AND u.user_id = cut.user_id AND u.quarter >= {end} AND u.quarter < COALESCE((
    SELECT quarter FROM (
        SELECT quarter, first_at > LAG(last_at, 1, cut.ended) OVER (ORDER BY quarter) + {pause} AS begins
        FROM {{unnamed_quarter}} AS n
        WHERE n.company_id = cut.company_id AND n.user_id = cut.user_id AND n.quarter >= {end}
    ) AS later WHERE begins ORDER BY quarter LIMIT 1), 'infinity')
"""


def beginnings(request: Request) -> str:
    """SELECT of the user and the time of the beginning of each session of the period; of others as well."""
    unnamed = _unnamed(request.get("from"), request.get("to"))
    return (
        "SELECT company_id, user_id, started AS quarter FROM {session} UNION ALL"
        f" SELECT company_id, user_id, quarter FROM ({unnamed}) AS u WHERE begins"
    )


def _unnamed(first: datetime | None, end: datetime | None) -> str:
    """SELECT of the unnamed quarters of a period and whether a session begins in each, rightly from `first` on."""
    bounds = [f"quarter >= {_at(first)} - {EARLIER}"] if first else []
    bounds += [f"quarter < {_at(end)}"] if end else []
    where = f" WHERE {' AND '.join(bounds)}" if bounds else ""
    begins = f"COALESCE(first_at > LAG(last_at) OVER ({OF_USER}) + {PAUSE}, true) AS begins"
    return f"SELECT *, {begins} FROM {{unnamed_quarter}}{where}"


def session_rows(first: datetime | None, end: datetime | None) -> str:
    """SELECT of the rows `AnySession` of the sessions begun in a period, however long they go on; of others as well."""
    numbered = f"SELECT *, COUNT(*) FILTER (WHERE begins) OVER ({OF_USER}) AS number FROM ({_unnamed(first, end)}) AS u"
    cut = (
        "SELECT company_id, user_id, '' COLLATE \"C\" AS session_id, MIN(first_at) AS started, MAX(last_at) AS ended,"
        f" SUM(events) AS events FROM ({numbered}) AS numbered GROUP BY company_id, user_id, number"
    )
    if end is not None:
        cut = (
            "SELECT company_id, user_id, session_id, started, COALESCE(more.ended, cut.ended) AS ended,"
            f" cut.events + COALESCE(more.events, 0) AS events FROM ({cut}) AS cut LEFT JOIN LATERAL"
            f" ({GOES_ON.format(end=_at(end), pause=PAUSE)}) AS more ON cut.ended >= {_at(end)} - {PAUSE}"
        )
    return f"SELECT {OF_SESSION} FROM {{session}} UNION ALL SELECT {OF_SESSION} FROM ({cut}) AS cut"


def _at(moment: datetime) -> str:
    return f"TIMESTAMPTZ '{show_time(moment)}'"
