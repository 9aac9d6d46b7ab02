"""Support: medians of first response and resolution, first contact resolution, tickets per 100 users.

Times are of tickets that have been answered, or are resolved. A ticket is resolved at first contact if it is resolved
and was never opened again. What is told of the time before a ticket was opened is left out: it cannot be.
"""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median
from typing import NamedTuple

from domain.metrics.value import Reason, Stat, ratio

MS_PER_MINUTE, MS_PER_HOUR = 60_000, 3_600_000


class Ticket(NamedTuple):
    """Times in ms; 0 where it has not happened."""

    opened: int
    first_response: int = 0
    resolved: int = 0  # the last time
    reopened: int = 0  # how often


def first_response_minutes(tickets: Iterable[Ticket]) -> Stat:
    """Median from opening to the first response."""
    return _median((t.first_response - t.opened for t in tickets if t.first_response >= t.opened > 0), MS_PER_MINUTE)


def resolution_hours(tickets: Iterable[Ticket]) -> Stat:
    """Median from opening to the last resolution."""
    return _median((t.resolved - t.opened for t in tickets if t.resolved >= t.opened > 0), MS_PER_HOUR)


def first_contact_resolution_rate(tickets: Iterable[Ticket]) -> Stat:
    """Of the resolved tickets, those never reopened."""
    once = [not ticket.reopened for ticket in tickets if ticket.resolved and ticket.resolved >= ticket.opened]
    return ratio(sum(once), len(once), Reason.NO_DATA)


def tickets_per_100_users(tickets: int, active: int) -> Stat:
    """Tickets opened for every hundred active users."""
    return ratio(100 * tickets, active, Reason.NO_DATA)


def _median(times: Iterable[int], unit: int) -> Stat:
    ordered = list(times)
    return median(ordered) / unit if ordered else Reason.NO_DATA
