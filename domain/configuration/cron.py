"""Cron expressions of five fields (minute, hour, day of the month, month, day of the week), by the clock of a zone.

`cronsim` reads them as Debian's cron does. A time that the clock leaves out in spring comes at the first moment after
the gap, and one that it shows twice in autumn comes the first time; but where minute or hour begins with a star, every
moment counts at which the clock shows what is said.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo
from itertools import islice

from cronsim import CronSim, CronSimError

from domain.errors import Invalid

FIELDS = 5
DAY_MINUTES = 24 * 60
SOME_DAY = datetime(2024, 1, 1)


class Cron:
    """When something is due."""

    def __init__(self, text: str) -> None:
        """Read an expression; raises Invalid naming the field that is wrong, also for one that is never due."""
        if (number := len(text.split())) != FIELDS:
            raise Invalid(f"{text!r} has {number} fields, not minute hour day month weekday", code="bad_cron")
        try:
            next(CronSim(text, SOME_DAY))
        except CronSimError as error:
            raise Invalid(f"{text!r}: {str(error)[:1].lower()}{str(error)[1:]}", code="bad_cron") from None
        except StopIteration:
            raise Invalid(f"{text!r} is due on no day of the next fifty years", code="bad_cron") from None
        self._text = text

    @property
    def closest_minutes(self) -> int:
        """Minutes from one time to the next, the fewest there are within a day."""
        read = CronSim(self._text, SOME_DAY)
        times = sorted(60 * hour + minute for hour in read.hours for minute in read.minutes)
        return min(after - before for before, after in zip(times, [*times[1:], times[0] + DAY_MINUTES], strict=True))

    def after(self, moment: datetime, zone: tzinfo) -> Iterator[datetime]:
        """The times after a moment, in UTC, each once, for fifty years."""
        last = moment.astimezone(UTC)
        for shown in CronSim(self._text, last.astimezone(zone)):
            due = shown.astimezone(UTC)
            if due > last:  # an hour that is left out gives the moment after it for each of its times
                yield due
                last = due


def next_times(text: str, zone: tzinfo, after: datetime, number: int) -> list[datetime]:
    """The next times after a moment, by the clock of a zone. Raises Invalid for what is no expression."""
    return [at.astimezone(zone) for at in islice(Cron(text).after(after, zone), number)]
