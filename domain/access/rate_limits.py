"""Rates and quotas of tenants: token buckets, with the time as an argument.

One bucket for each tenant and use, in each API process. A tenant is one company, whatever tier or set of companies a
token names: a token of several companies uses the rate of the one that it asks about. Who asks is refused while the
bucket is empty; what can be counted only afterwards (events of a body) is charged afterwards and may leave a debt,
which the tenant then waits off.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field

from domain.access.limits import LIMITS, Rate, TierLimits, Use
from domain.access.rights import EVERY_COMPANY, Principal
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

    def change(self, rate: Rate, now: float) -> None:
        """Go on at another rate with what is left, so that tokens of two tiers in turn do not begin anew each time."""
        if rate != self.rate:
            self.refill(now)
            self.rate, self.left = rate, min(self.left, rate.burst)

    def wait(self, now: float) -> float:
        """Seconds until one may be taken; 0 when it may be now."""
        self.refill(now)
        return max(0.0, (1.0 - self.left) / self.rate.per_second)

    def take(self, now: float, amount: float = 1.0) -> None:
        """Take so many requests or events, into debt if need be."""
        self.refill(now)
        self.left -= amount


@dataclass(slots=True)
class _Tenant:
    """What a tenant has used, and how many questions, live feeds and live connections it has open."""

    buckets: dict[Use, Bucket] = field(default_factory=dict)
    asking: int = 0
    feeds: int = 0
    sockets: int = 0


class Rates:
    """The buckets of one process. `factor` scales the table of `domain.access.rights`; 0 sets no limit.

    `company` is the one asked about, where a request names one.
    """

    def __init__(self, factor: float = 1.0) -> None:
        self._factor = factor
        self._tenants: OrderedDict[str, _Tenant] = OrderedDict()

    def admit(self, principal: Principal, use: Use, now: float, amount: float = 1.0, company: str = "") -> None:
        """Take so many requests or events; 0 where they are charged later. Raises LimitExceeded with `retry_after`."""
        if not self._factor:
            return
        bucket = self._bucket(principal, company, use, now)
        wait = bucket.wait(now)
        if wait > 0:
            raise _too_often(f"asks for more than {bucket.rate.per_second:g} {use} a second", wait)
        bucket.take(now, amount)

    def charge(self, principal: Principal, use: Use, amount: float, now: float, company: str = "") -> float:
        """Take what was used; the seconds until there is something again."""
        if not self._factor:
            return 0.0
        bucket = self._bucket(principal, company, use, now)
        bucket.take(now, amount)
        return bucket.wait(now)

    def charge_each(self, principal: Principal, use: Use, amounts: Mapping[str, float], now: float) -> float:
        """Take what was used for each company; the seconds until every one of them has something again."""
        waits = (self.charge(principal, use, amount, now, company) for company, amount in amounts.items())
        return max(waits, default=0.0)

    def question(self, principal: Principal, now: float, company: str = "") -> AbstractContextManager[None]:
        """One read, from its beginning to its end.

        Entering it raises LimitExceeded where it comes too often, and for more at once than the tier has.
        """
        return _Question(self, principal, now, company)

    def _begin(self, principal: Principal, now: float, company: str) -> _Tenant:
        """A read begins; whose it is."""
        self.admit(principal, Use.READS, now, company=company)
        tenant, most = self._tenant(principal, company), self._most(principal, _limits(principal, company).at_once)
        if tenant.asking >= most:
            raise _too_often(f"asks for more than {most:g} questions at once", 0.1)
        tenant.asking += 1
        return tenant

    @contextmanager
    def feed(self, principal: Principal, company: str = "") -> Iterator[None]:
        """One live feed, from its beginning to its end. Raises LimitExceeded for more than the tier has."""
        tenant = self._tenant(principal, company)
        if tenant.feeds >= self._most(principal, _limits(principal, company).feeds):
            raise _too_many_feeds()
        tenant.feeds += 1
        try:
            yield
        finally:
            tenant.feeds -= 1

    @contextmanager
    def socket(self, principal: Principal) -> Iterator[None]:
        """One live connection, from its sign-in to its end. Raises LimitExceeded for more than the tier has feeds."""
        tenant = self._tenant(principal, "")
        if tenant.sockets >= self._most(principal, _limits(principal, "").feeds):
            raise _too_often("has more live connections than its tier opens", 1.0)
        tenant.sockets += 1
        try:
            yield
        finally:
            tenant.sockets -= 1

    def check_feeds(self, principal: Principal, company: str = "") -> None:
        """Raise LimitExceeded where the tenant has more feeds open than its tier has now: the tier may have fallen."""
        if self._tenant(principal, company).feeds > self._most(principal, _limits(principal, company).feeds):
            raise _too_many_feeds()

    def _most(self, principal: Principal, number: int) -> float:
        return max(1, int(number * self._factor)) if self._factor else float("inf")

    def _tenant(self, principal: Principal, company: str) -> _Tenant:
        name = tenant_charged(principal, company)
        tenant = self._tenants.setdefault(name, _Tenant())
        self._tenants.move_to_end(name)
        if len(self._tenants) > REMEMBERED:
            idle = (name for name, each in self._tenants.items() if not (each.asking or each.feeds or each.sockets))
            del self._tenants[next(idle, name)]
        return tenant

    def _bucket(self, principal: Principal, company: str, use: Use, now: float) -> Bucket:
        rate = _limits(principal, company).rates[use].times(self._factor)
        bucket = self._tenant(principal, company).buckets.setdefault(use, Bucket(rate, rate.burst, now))
        bucket.change(rate, now)
        return bucket


class _Question:
    """A read between its beginning and its end; a generator would cost three times as much."""

    __slots__ = ("_company", "_now", "_principal", "_rates", "_tenant")

    def __init__(self, rates: Rates, principal: Principal, now: float, company: str) -> None:
        self._rates, self._principal, self._now, self._company = rates, principal, now, company

    def __enter__(self) -> None:
        self._tenant = self._rates._begin(self._principal, self._now, self._company)

    def __exit__(self, *_: object) -> None:
        self._tenant.asking -= 1


def tenant_charged(principal: Principal, company: str) -> str:
    """Whose rate a request uses: that of the company asked about where the token names it, else of its first one.

    Who may see all companies belongs to none of them, and uses no tenant's rate.
    """
    if EVERY_COMPANY in principal.companies:
        return EVERY_COMPANY
    return company if company in principal.companies else principal.company_id


def _limits(principal: Principal, company: str) -> TierLimits:
    return LIMITS[principal.tier_in(tenant_charged(principal, company))]


def _too_many_feeds() -> LimitExceeded:
    return _too_often("has more live feeds than its tier opens", 1.0)


def _too_often(what: str, wait: float) -> LimitExceeded:
    error = LimitExceeded(
        f"this tenant {what}", code="rate_limited", suggested_actions=(f"Try again in {wait:.1f} s.",)
    )
    error.retry_after = wait
    return error
