"""Restatements: facts that were reported again, from what to what, and when that was known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from projections.engine.declare.rows import Column, Row, Table, reports_of
from projections.engine.query.answer_row import CURRENCY, AnswerRow, AnswerTime, row_type
from projections.engine.query.cursors import cursor_of, read_cursor
from projections.engine.query.extent import LIMIT as CUT
from projections.engine.query.formatting import show_time, shower
from projections.engine.query.listing import DEFAULT_LIMIT
from projections.engine.query.params import FROM, LIMIT, TO, Param
from projections.engine.query.plain import Query, Selected, Statement
from projections.engine.query.request import WITHOUT_END, Request
from projections.engine.query.row_limit import first_of
from projections.engine.store.sql import equals, listed

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MS = timedelta(milliseconds=1)

# Reports as they became known: one that comes before what counts already, by its revision, has restated nothing. The
# order of two reports is that of the arrays: what one restates is the greatest of those known before.
RESTATED = """
    WITH reports AS (
        SELECT *, ARRAY[2 * revision + taken_back::int, (extract(epoch FROM reported_at) * 1000)::bigint, place] AS rank
        FROM {{{table}}} WHERE {where}
    ), known AS (
        SELECT *, max(rank) OVER (
            PARTITION BY {keys} ORDER BY reported_at, place ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS before FROM reports
    )
    SELECT {columns} FROM known AS now JOIN reports AS was ON {same} AND was.rank = now.before
    WHERE now.rank > now.before AND {among} ORDER BY now.reported_at DESC, now.place DESC LIMIT {limit}
"""


@dataclass(frozen=True, slots=True)
class Restated:
    """The restatements of a ledger; `ask`, `shape` and `extra` are those of the query."""

    ledger: Table
    reports: Table

    def ask(self, request: Request) -> Statement:
        """One page, the newest first."""
        where, params = self._of_facts(request)
        among, cut = self._among(request)
        names = [c.name for c in self.values]
        columns = [f'now."{c.name}"' for c in self.identity] + ["now.revision", "now.taken_back", "now.reported_at"]
        columns += ["now.place"] + [f'{of}."{name}" AS "{of} {name}"' for of in ("was", "now") for name in names]
        sql = RESTATED.format(
            table=self.reports.name,
            where=where,
            keys=listed(c.name for c in self.identity),
            columns=", ".join(columns),
            same=" AND ".join(f'was."{c.name}" = now."{c.name}"' for c in self.identity),
            among=" AND ".join(among),
            limit=_page_size(request) + 1,
        )
        return Statement(sql, (*params, *cut))

    def selects(self, request: Request) -> Selected:
        """The facts that were restated, as they count: so their explanation has all reports."""
        keys, (where, params) = listed(c.name for c in self.ledger.keys), self._of_facts(request)
        restated = f"SELECT {keys} FROM {{{self.reports.name}}} WHERE {where}"
        return Selected(self.ledger, f"company_id = %s AND ({keys}) IN ({restated})", (request.company, *params))

    def _of_facts(self, request: Request) -> tuple[str, list[object]]:
        conditions, params = ["company_id = %s"], list[object]([request.company])
        for key in self.identity:
            if request.get(key.name) is not None:
                condition, values = equals(self.reports, key.name, request.get(key.name))
                conditions.append(condition)
                params += values
        return " AND ".join(conditions), params

    @property
    def values(self) -> tuple[Column, ...]:
        """What is known of a fact."""
        return self.ledger.values

    @property
    def whose(self) -> tuple[str, ...]:
        """The columns that say whose a report is, and which."""
        return ("user_id", "event_id") if self.of_users else ("event_id",)

    @property
    def of_users(self) -> bool:
        """Whether a fact is a user's."""
        return any(c.name == "user_id" for c in self.values)

    @property
    def identity(self) -> list[Column]:
        """What identifies a fact within its company."""
        return [c for c in self.reports.keys if c.name not in ("company_id", "place")]

    def _among(self, request: Request) -> tuple[list[str], list[object]]:
        among, params = ["true"], list[object]()
        for bound, operator in (("from", ">="), ("to", "<")):
            if request.get(bound) is not None:
                among.append(f"now.reported_at {operator} %s")
                params.append(request.get(bound))
        if self.of_users and request.get("user_id") is not None:
            among.append("%s IN (was.user_id, now.user_id)")
            params.append(request.get("user_id"))
        if request.get("cursor") is not None:
            among.append("(now.reported_at, now.place) < (%s, %s)")
            params += request.get("cursor")
        return among, params

    def shape(self, request: Request, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Rows with what differs between both reports; nothing where the later one takes the fact back."""
        return [self._shown(row) for row in first_of(request, rows, _page_size(request))]

    def _shown(self, row: Mapping[str, Any]) -> dict[str, Any]:
        was, now = ({c.name: shower(c.kind)(row[f"{of} {c.name}"]) for c in self.values} for of in ("was", "now"))
        differs = [name for name in was if was[name] != now[name]]
        back = row["taken_back"]
        return {
            **{c.name: row[c.name] for c in self.identity},
            "known_at": show_time(row["reported_at"]),
            "revision": row["revision"],
            "taken_back": back,
            **{name: now[name] for name in self.whose},
            **{f"was_{name}": was[name] for name in self.whose},
            **({CURRENCY: now[CURRENCY]} if CURRENCY in now else {}),
            "was": {name: was[name] for name in (was if back else differs) if name not in self.whose},
            "now": None if back else {name: now[name] for name in differs if name not in self.whose},
            "cursor": _cursor(row),
        }

    def row(self, query: str) -> type[AnswerRow]:
        """The type of these rows."""
        always: dict[str, Any] = {c.name: str for c in self.identity}
        always |= {"known_at": AnswerTime, "revision": int, "taken_back": bool}
        always |= dict.fromkeys((*self.whose, *(f"was_{name}" for name in self.whose), "cursor"), str)
        always |= {CURRENCY: str | None} if any(c.name == CURRENCY for c in self.values) else {}
        return row_type(query, {**always, "was": dict[str, Any], "now": dict[str, Any] | None})

    def extra(self, request: Request, rows: list[dict[str, Any]]) -> dict[str, Any]:
        """Where the next page begins; null on the last one."""
        return {"next_cursor": rows[-1]["cursor"] if CUT in request.extent.limits else None}


def restatements(name: str, *, of: type[Row], summary: str) -> Query:
    """A query for the restatements of a ledger, the newest first."""
    restated = Restated(of.table, reports_of(of.table))
    only = [*(c.name for c in restated.identity), *(["user_id"] if restated.of_users else [])]
    params = (
        FROM,
        TO,
        LIMIT,
        Param("cursor", "where the last page ended (next_cursor of its answer)", _read_cursor),
        *(Param(each, f"only rows with this {each}") for each in only),
    )
    return Query(
        name,
        summary,
        params,
        restated.ask,
        restated.shape,
        restated.extra,
        restated.selects,
        row=restated.row(name),
        any_zone=True,
    )


def _page_size(request: Request) -> int:
    return int(request.get("limit", WITHOUT_END if request.whole else DEFAULT_LIMIT))


def _cursor(row: Mapping[str, Any]) -> str:
    return cursor_of([(row["reported_at"] - EPOCH) // MS, row["place"]])


def _read_cursor(text: str) -> list[Any]:
    try:
        at, place = read_cursor(text)
        return [EPOCH + int(at) * MS, int(place)]
    except (ValueError, TypeError, OverflowError):
        raise ValueError(f"{text!r} is no cursor that this query has given") from None
