"""A machine whose clock goes wrong by years: whoever reads it in this process is told another time."""

from __future__ import annotations

import datetime as real
import sys
import time
from typing import Any

import pytest

OURS = ("domain.", "eventlog.", "projections.", "read_api.", "adapters.", "app.")


class Ahead:
    """How much later than it is, that machine thinks it is."""

    by = real.timedelta()


class SameKind(type):
    """Whatever is a date or a time is one of the moved class, too."""

    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, cls.__mro__[1])


class MovedTime(real.datetime, metaclass=SameKind):
    """`datetime` of that machine."""

    @classmethod
    def now(cls, tz: real.tzinfo | None = None) -> Any:
        """The wrong time."""
        return real.datetime.now(tz) + Ahead.by


class MovedDate(real.date, metaclass=SameKind):
    """`date` of that machine; days that are made by it are plain ones, as on any machine."""

    def __new__(cls, *day: Any) -> Any:
        """A plain day."""
        return real.date(*day)

    @classmethod
    def today(cls) -> Any:
        """The wrong day."""
        return real.date.today() + Ahead.by


def move(monkeypatch: pytest.MonkeyPatch, by: real.timedelta) -> None:
    """Whatever our modules, as far as they are loaded, read as the time is so much later."""
    seconds, now, now_ns = by.total_seconds(), time.time, time.time_ns
    monkeypatch.setattr(time, "time", lambda: now() + seconds)
    monkeypatch.setattr(time, "time_ns", lambda: now_ns() + int(seconds * 1e9))
    monkeypatch.setattr(Ahead, "by", by)
    moved = {real.datetime: MovedTime, real.date: MovedDate}
    for name, module in list(sys.modules.items()):
        for attribute, value in list(vars(module).items()) if name.startswith(OURS) else ():
            if value is real.datetime or value is real.date:
                monkeypatch.setattr(module, attribute, moved[value])
