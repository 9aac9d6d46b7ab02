"""Rates and quotas of tenants: token buckets, with the time as an argument.

One bucket for each tenant and use, in each API process. A tenant is what a token stands for: its set of companies. Who
asks is refused while the bucket is empty; what can be counted only afterwards (events of a body) is charged afterwards
and may leave a debt, which the tenant then waits off.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from domain.access import LIMITS, Principal, Rate, Tier, Use
from domain.errors import LimitExceeded

REMEMBERED = 10_000  # tenants; the one that was longest away begins with a full bucket again


@dataclass(slots=True)
class Bucket:
    """What is left of a rate. Times are seconds of any clock that does not go back."""

    rate: Rate
    left: float
    at: float

    def refill(self, now: float) -> None:
        """Add what has come since the last time."""
        self.left = min(self.rate.burst, self.left + max(0.0, now - self.at) * self.rate.per_second)
        self.at = max(self.at, now)

    def wait(self, now: float) -> float:
        """Seconds until one may be taken; 0 when it may be now."""
        self.refill(now)
        return max(0.0, (1.0 - self.left) / self.rate.per_second)

    def take(self, now: float, amount: float = 1.0) -> None:
        """Take so many, into debt if need be."""
        self.refill(now)
        self.left -= amount


@dataclass(slots=True)
class _Tenant:
    tier: Tier
    buckets: dict[Use, Bucket] = field(default_factory=dict)
    asking: int = 0


class Rates:
    """The buckets of one process. `factor` scales the table of `domain.access`; 0 sets no limit."""

    def __init__(self, factor: float = 1.0) -> None:
        self._factor = factor
        self._tenants: OrderedDict[frozenset[str], _Tenant] = OrderedDict()

    def admit(self, principal: Principal, use: Use, now: float, amount: float = 1.0) -> None:
        """Take one (or none, where the amount is charged later). Raises LimitExceeded with `retry_after`."""
        if not self._factor:
            return
        bucket = self._bucket(principal, use, now)
        wait = bucket.wait(now)
        if wait > 0:
            raise _too_often(f"more than {bucket.rate.per_second:g} {use} a second", wait)
        bucket.take(now, amount)

    def charge(self, principal: Principal, use: Use, amount: float, now: float) -> float:
        """Take what was used; the seconds until there is something again."""
        if not self._factor:
            return 0.0
        bucket = self._bucket(principal, use, now)
        bucket.take(now, amount)
        return bucket.wait(now)

    @contextmanager
    def question(self, principal: Principal, now: float) -> Iterator[None]:
        """One read, from its beginning to its end. Raises LimitExceeded, too, for more at once than the tier has."""
        self.admit(principal, Use.READS, now)
        if not self._factor:
            yield
            return
        tenant, most = self._tenant(principal), max(1, int(LIMITS[principal.tier].at_once * self._factor))
        if tenant.asking >= most:
            raise _too_often(f"more than {most} questions at once", 0.1)
        tenant.asking += 1
        try:
            yield
        finally:
            tenant.asking -= 1

    def _tenant(self, principal: Principal) -> _Tenant:
        found = self._tenants.get(principal.companies)
        if found is None or found.tier != principal.tier:
            found = self._tenants[principal.companies] = _Tenant(principal.tier)
        self._tenants.move_to_end(principal.companies)
        if len(self._tenants) > REMEMBERED:
            self._tenants.popitem(last=False)
        return found

    def _bucket(self, principal: Principal, use: Use, now: float) -> Bucket:
        buckets = self._tenant(principal).buckets
        if use not in buckets:
            rate = LIMITS[principal.tier].rates[use].times(self._factor)
            buckets[use] = Bucket(rate, rate.burst, now)
        return buckets[use]


def _too_often(what: str, wait: float) -> LimitExceeded:
    error = LimitExceeded(
        f"this tenant asks for {what}", code="rate_limited", suggested_actions=(f"Try again in {wait:.1f} s.",)
    )
    error.retry_after = wait
    return error
