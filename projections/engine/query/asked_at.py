"""The moment of a question, which notes up to when an answer that looked at it would be the same.

Queries do not see the moment itself but what they want of it: its day, the earlier of it and of an end, whether
something is over. Each look notes the next moment at which it would give something else. Who takes `exact` gets the
moment, and an answer that lasts no longer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from domain.company_calendar import UTC_CALENDAR, begin_of, day_at, next_first_day
from domain.configuration.company import Calendar

FOREVER = datetime.max.replace(tzinfo=UTC)
INSTANT = timedelta(microseconds=1)  # no two moments lie closer together
DAY = timedelta(days=1)


class LastingAnswer(dict[str, Any]):
    """An answer in the form of the API: of the same rows it is the same to all who ask from `asked_at` to `until`.

    `beside`: the projections beside its own on which it rests, such as settings.
    """

    def __init__(
        self, answer: Mapping[str, Any], asked_at: datetime, until: datetime, beside: Iterable[str] = ()
    ) -> None:
        super().__init__(answer)
        self.asked_at, self.until, self.beside = asked_at, until, frozenset(beside)

    def holds_at(self, moment: datetime) -> bool:
        """Whether it is the answer to who asks at a moment, as far as time goes."""
        return self.asked_at <= moment < self.until


class AskedAt:
    """The moment of one question; shared by all that it asks in turn, so that `until` is the nearest of them all.

    Its day is that of the calendar of whoever asks.
    """

    __slots__ = ("_calendar", "_later", "_moment")

    def __init__(self, moment: datetime, calendar: Calendar = UTC_CALENDAR) -> None:
        self._moment = moment.astimezone(UTC)
        self._calendar = calendar
        self._later: set[datetime] = set()  # adding to it is safe where parts are combined in threads

    @property
    def until(self) -> datetime:
        """The moment (exclusive) up to which everything that was looked at stays the same; FOREVER at the latest."""
        return min(tuple(self._later), default=FOREVER)

    @property
    def exact(self) -> datetime:
        """The moment, UTC: the answer is one of this moment alone."""
        self._later.add(self._moment + INSTANT)
        return self._moment

    @property
    def day(self) -> date:
        """Today."""
        self._later.add(self._end_of_day(self._moment))
        return self._day_at(self._moment)

    @property
    def month(self) -> date:
        """The first day of this month."""
        first = self._day_at(self._moment).replace(day=1)
        self._later.add(begin_of(next_first_day(first, "month", self._calendar), self._calendar))
        return first

    def is_before(self, moment: datetime) -> bool:
        """Whether it was asked before a moment."""
        if self._moment < moment:
            self._later.add(moment)
            return True
        return False

    def capped(self, end: datetime) -> datetime:
        """The end of what is over by now: `end`, or the moment where that lies ahead."""
        return end if end <= self._moment else self.exact

    def capped_day(self, day: date) -> date:
        """The day, or today where that lies ahead."""
        return day if day <= self._day_at(self._moment) else self.day

    def capped_today(self, end: datetime) -> datetime:
        """The end, or that of today where `end` lies behind it."""
        tonight = self._end_of_day(self._moment)
        if end > tonight:
            self._later.add(tonight)
        return min(end, tonight)

    def last_day(self, end: datetime) -> date:
        """The day of the last instant that is over of what goes up to `end`."""
        if end <= self._moment:
            return self._day_at(end - INSTANT)
        last = self._moment - INSTANT
        if end > (tonight := self._end_of_day(last)):
            self._later.add(tonight + INSTANT)
        return self._day_at(last)

    def _day_at(self, at: datetime) -> date:
        return day_at(at, self._calendar)

    def _end_of_day(self, at: datetime) -> datetime:
        """What lies beyond it is not of that day."""
        return begin_of(day_at(at, self._calendar) + DAY, self._calendar)
