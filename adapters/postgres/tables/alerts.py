"""Watches of alert rules, their changes on the way into the log, and notices (migration 0031).

Whoever evaluates a watch writes its book, the changes of the period and their notices in one transaction: so whatever
is killed, a period has been evaluated with all that follows from it, or it has not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from adapters.postgres.connections.link import Link
from adapters.postgres.tables.decided import decided
from adapters.postgres.tables.heard_of import HeardOf
from domain.alerting.alert_store import HeldNotice, HeldWatch, ListedNotice, Take
from domain.alerting.evaluation import Book, Transition
from domain.alerting.notices import Notice
from domain.alerting.watch import Watch
from domain.configuration.event_store import Stored
from domain.errors import Fenced

ADD = """
    INSERT INTO alert_watches (company_id, watch_id, watch, book, due) VALUES (%s, %s, %s, %s, %s)
    ON CONFLICT (company_id, watch_id) DO NOTHING
"""
CLAIM = """
    UPDATE alert_watches AS w SET holder = %s, tries = tries + 1, lease_until = now() + %s * interval '1 second'
    FROM (
        SELECT company_id, watch_id FROM alert_watches
        WHERE due <= %s AND (lease_until IS NULL OR lease_until < now())
        ORDER BY due LIMIT 1 FOR UPDATE SKIP LOCKED) AS oldest
    WHERE (w.company_id, w.watch_id) = (oldest.company_id, oldest.watch_id)
    RETURNING w.watch, w.book, w.tries
"""
HELD = "company_id = %s AND watch_id = %s AND holder = %s AND tries = %s"
EXTEND = f"UPDATE alert_watches SET lease_until = now() + %s * interval '1 second' WHERE {HELD}"
KEEP = f"UPDATE alert_watches SET book = %s WHERE {HELD}"
GIVE_BACK = f"UPDATE alert_watches SET due = %s, holder = NULL, lease_until = NULL WHERE {HELD}"
CHANGED = "COPY alert_outbox (company_id, transition) FROM STDIN"
NOTICE = """
    INSERT INTO alert_notices (company_id, notice_id, at, notice) VALUES (%s, %s, %s, %s)
    ON CONFLICT (company_id, notice_id) DO NOTHING
"""
OUTBOX = """
    DELETE FROM alert_outbox WHERE number IN (
        SELECT number FROM alert_outbox ORDER BY number LIMIT %s FOR UPDATE SKIP LOCKED)
    RETURNING number, company_id, transition
"""
CLAIM_NOTICE = """
    UPDATE alert_notices AS n SET holder = %s, tries = tries + 1, lease_until = now() + %s * interval '1 second'
    FROM (
        SELECT company_id, notice_id FROM alert_notices
        WHERE state = 'waiting' AND (lease_until IS NULL OR lease_until < now())
        ORDER BY at LIMIT 1 FOR UPDATE SKIP LOCKED) AS oldest
    WHERE (n.company_id, n.notice_id) = (oldest.company_id, oldest.notice_id)
    RETURNING n.notice, n.tries
"""
SENDING = "company_id = %s AND notice_id = %s AND holder = %s AND tries = %s"
EXTEND_NOTICE = f"UPDATE alert_notices SET lease_until = now() + %s * interval '1 second' WHERE {SENDING}"
END_NOTICE = f"""
    UPDATE alert_notices SET state = %s, tried_at = %s, error = %s, holder = NULL, lease_until = NULL WHERE {SENDING}
"""
LIST = """
    SELECT notice, state, tried_at, error FROM alert_notices WHERE company_id = %s AND (%s = '' OR state = %s)
    ORDER BY at DESC, notice_id LIMIT %s
"""
AT_ONCE = 1_000  # changes in one append


class PostgresAlerts:
    """`domain.alerting.alert_store.AlertStore`; watches and notices are held for `lease` seconds.

    Connects when first used. Methods raise Unavailable.
    """

    def __init__(self, database_url: str, lease: float) -> None:
        self._link, self._outbox = Link(database_url), Link(database_url)  # the log may let the second one wait
        self._lease = lease
        processes = HeardOf(self._link, "alerter_reports", "alerter")
        self.note_alive, self.problem = processes.note_alive, processes.problem

    async def decided(self, number: int) -> Sequence[Stored]:
        """The events of alert rules after this number of the event store, in commit order."""
        return await decided(self._link, "alert_rule", number)

    async def add(self, watches: Sequence[tuple[Watch, int]]) -> None:
        """Keep those of these that are not there yet, evaluated up to a moment (ms)."""
        rows = [(*_place(watch), _json(watch), _json(Book(until)), until) for watch, until in watches]
        async with self._link.use() as connection, connection.cursor() as cursor:
            await cursor.executemany(ADD, rows)

    async def claim(self, holder: str, now: int) -> HeldWatch | None:
        """Take a watch that is due and nobody holds, or whose holder was not heard of; None where there is none."""
        async with self._link.use() as connection:
            row = await (await connection.execute(CLAIM, (holder, self._lease, now))).fetchone()
        if row is None:
            return None
        watch, book, tries = row
        return HeldWatch(watch=msgspec.convert(watch, Watch), book=msgspec.convert(book, Book), tries=tries)

    async def extend(self, held: HeldWatch, holder: str) -> None:
        """Say that its holder is alive. Raises Fenced where somebody else has taken it over; so do the next two."""
        async with self._link.use() as connection:
            _hold(await connection.execute(EXTEND, (self._lease, *_holding(held, holder))))

    async def keep(
        self, held: HeldWatch, holder: str, transitions: Sequence[Transition], notices: Sequence[Notice]
    ) -> None:
        """Keep its book, with the changes and notices of the same period; all or nothing."""
        company = held.watch.company
        async with self._link.use() as connection, connection.transaction(), connection.cursor() as cursor:
            _hold(await connection.execute(KEEP, (_json(held.book), *_holding(held, holder))))
            if transitions:
                async with cursor.copy(CHANGED) as rows:
                    for each in transitions:
                        await rows.write_row((company, _json(each)))
            if notices:
                values = [(company, each.notice_id, each.at, _json(each)) for each in notices]
                await cursor.executemany(NOTICE, values)

    async def give_back(self, held: HeldWatch, holder: str, due: int) -> None:
        """Let it be claimed from a moment (ms) on."""
        async with self._link.use() as connection:
            _hold(await connection.execute(GIVE_BACK, (due, *_holding(held, holder))))

    async def hand_over(self, take: Take) -> int:
        """Hand changes to who writes them into the log, in their order; how many are written. They may come again."""
        async with self._outbox.use() as connection, connection.transaction():
            rows = await (await connection.execute(OUTBOX, (AT_ONCE,))).fetchall()
            if rows:
                await take([(company, msgspec.convert(each, Transition)) for _, company, each in sorted(rows)])
        return len(rows)

    async def claim_notice(self, holder: str) -> HeldNotice | None:
        """Take the oldest notice that waits; None where there is none."""
        async with self._link.use() as connection:
            row = await (await connection.execute(CLAIM_NOTICE, (holder, self._lease))).fetchone()
        return HeldNotice(msgspec.convert(row[0], Notice), row[1]) if row else None

    async def extend_notice(self, held: HeldNotice, holder: str) -> None:
        """Say that its holder is alive. Raises Fenced where somebody else has taken it over; so does the next one."""
        async with self._link.use() as connection:
            _hold(await connection.execute(EXTEND_NOTICE, (self._lease, *_sending(held, holder))))

    async def end_notice(self, held: HeldNotice, holder: str, now: int, error: str) -> None:
        """It was sent; or it was not, and never will be, where there is an error."""
        state = "dead" if error else "sent"
        async with self._link.use() as connection:
            _hold(await connection.execute(END_NOTICE, (state, now, error, *_sending(held, holder))))

    async def listing(self, company: str, state: str, limit: int) -> Sequence[ListedNotice]:
        """The notices of a company, in one state where that is said, the newest first."""
        async with self._link.use() as connection:
            cursor = await connection.execute(LIST, (company, state, state, limit))
            return [ListedNotice(msgspec.convert(each, Notice), *more) for each, *more in await cursor.fetchall()]

    async def close(self) -> None:
        """Close the connections."""
        await self._link.close()
        await self._outbox.close()


def _place(watch: Watch) -> tuple[str, str]:
    return watch.company, watch.watch_id


def _holding(held: HeldWatch, holder: str) -> tuple[str, str, str, int]:
    return (*_place(held.watch), holder, held.tries)


def _sending(held: HeldNotice, holder: str) -> tuple[str, str, str, int]:
    return held.notice.company, held.notice.notice_id, holder, held.tries


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _hold(changed: Any) -> None:
    if not changed.rowcount:
        raise Fenced("it was taken over by another alerter")
