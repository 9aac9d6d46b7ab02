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
from domain.access.rights import EVERY_COMPANY, Principal, Tier
from domain.errors import LimitExceeded

REMEMBERED = 10_000  # tenants; the one that was longest away begins with a full bucket again


@dataclass(slots=True)
class Bucket:
    """What is left of a rate. Times are seconds of any clock that does not go back."""

    rate: Rate
    left: float
    at: float

    @property
    def wait(self) -> float:
        """Seconds from the last refill until one may be taken; 0 when it may be now. It may be in debt."""
        return max(0.0, (1.0 - self.left) / self.rate.per_second)


LATELY = 60.0  # seconds over which it is told how often somebody asks


@dataclass(slots=True)
class _Lately:
    """How much was asked for in this stretch of LATELY seconds and in the one before."""

    begin: float
    now: float = 0.0
    before: float = 0.0

    def add(self, amount: float, at: float) -> None:
        """Count."""
        if at - self.begin >= LATELY:
            self.before = self.now if at - self.begin < 2 * LATELY else 0.0
            self.begin, self.now = at - (at - self.begin) % LATELY, 0.0
        self.now += amount

    def per_second(self, at: float) -> float:
        """Over the last LATELY seconds: of the stretch before, its share that lies in them is taken."""
        self.add(0.0, at)
        return (self.now + self.before * (1 - (at - self.begin) / LATELY)) / LATELY


@dataclass(slots=True)
class Tenant:
    """What a tenant has used, and how many questions, live feeds and live connections it has open."""

    tier: Tier = Tier.FREE
    buckets: dict[Use, Bucket] = field(default_factory=dict)
    reads: _Lately = field(default_factory=lambda: _Lately(0.0))
    asking: int = 0
    feeds: int = 0
    sockets: int = 0

    def bucket(self, use: Use, rate: Rate, now: float) -> Bucket:
        """What is left now; at another rate it goes on with that, so that tokens of two tiers do not begin anew."""
        bucket = self.buckets.get(use)
        if bucket is None:
            bucket = self.buckets[use] = Bucket(rate, rate.burst, now)
        come = max(0.0, now - bucket.at) * bucket.rate.per_second
        bucket.left, bucket.at = min(bucket.rate.burst, bucket.left + come), max(bucket.at, now)
        if bucket.rate is not rate:
            bucket.rate, bucket.left = rate, min(bucket.left, rate.burst)
        return bucket

    def take(self, use: Use, rate: Rate, now: float, amount: float) -> None:
        """Take so much. Raises LimitExceeded where there is nothing left."""
        bucket = self.bucket(use, rate, now)
        if (wait := bucket.wait) > 0:
            raise _too_often(f"asks for more than {rate.per_second:g} {use} a second", wait)
        bucket.left -= amount


@dataclass(frozen=True, slots=True)
class TenantUse:
    """What a tenant may ask for of this process, by the tier it asked with last (None: no limit), and has open now."""

    company: str
    tier: Tier
    limits: TierLimits | None
    questions: int
    feeds: int
    connections: int
    reads: float  # a second, lately; those that were refused as well


class Rates:
    """The buckets of one process. `factor` scales the table of `domain.access.rights`; 0 sets no limit.

    `company` is the one asked about, where a request names one.
    """

    def __init__(self, factor: float = 1.0) -> None:
        self._unlimited = not factor
        self._limits = {tier: limits.times(factor) for tier, limits in LIMITS.items()}
        self._tenants: OrderedDict[str, Tenant] = OrderedDict()

    def admit(self, principal: Principal, use: Use, now: float, amount: float = 1.0, company: str = "") -> None:
        """Take so many requests or events; 0 where they are charged later. Raises LimitExceeded with `retry_after`."""
        if self._unlimited:
            return
        tenant, limits = self._tenant(principal, company)
        tenant.take(use, limits.rates[use], now, amount)

    def charge_each(self, principal: Principal, use: Use, amounts: Mapping[str, float], now: float) -> float:
        """Take what was used for each company; the seconds until every one of them has something again."""
        longest = 0.0
        if not self._unlimited:
            for company, amount in amounts.items():
                tenant, limits = self._tenant(principal, company)
                bucket = tenant.bucket(use, limits.rates[use], now)
                bucket.left -= amount
                longest = max(longest, bucket.wait)
        return longest

    def question(self, principal: Principal, now: float, company: str = "") -> AbstractContextManager[None]:
        """One read, from its beginning to its end.

        Entering it raises LimitExceeded where it comes too often, and for more at once than the tier has.
        """
        return _Question(self, principal, now, company)

    def _begin(self, principal: Principal, now: float, company: str) -> Tenant:
        """A read begins; whose it is."""
        tenant, limits = self._tenant(principal, company)
        tenant.reads.add(1.0, now)
        if tenant.asking >= limits.at_once:
            raise _too_often(f"asks for more than {limits.at_once:g} questions at once", 0.1)
        if not self._unlimited:
            tenant.take(Use.READS, limits.rates[Use.READS], now, 1.0)
        tenant.asking += 1
        return tenant

    @contextmanager
    def feed(self, principal: Principal, company: str = "") -> Iterator[None]:
        """One live feed, from its beginning to its end. Raises LimitExceeded for more than the tier has."""
        tenant, limits = self._tenant(principal, company)
        if tenant.feeds >= limits.feeds:
            raise _too_many_feeds()
        tenant.feeds += 1
        try:
            yield
        finally:
            tenant.feeds -= 1

    @contextmanager
    def socket(self, principal: Principal) -> Iterator[None]:
        """One live connection, from its sign-in to its end. Raises LimitExceeded for more than the tier has feeds."""
        tenant, limits = self._tenant(principal, "")
        if tenant.sockets >= limits.feeds:
            raise _too_often("has more live connections than its tier opens", 1.0)
        tenant.sockets += 1
        try:
            yield
        finally:
            tenant.sockets -= 1

    def check_feeds(self, principal: Principal, company: str = "") -> None:
        """Raise LimitExceeded where the tenant has more feeds open than its tier has now: the tier may have fallen."""
        tenant, limits = self._tenant(principal, company)
        if tenant.feeds > limits.feeds:
            raise _too_many_feeds()

    def uses(self, now: float) -> list[TenantUse]:
        """What every tenant that is remembered here may ask for, and has open; the one that was here last is last."""
        return [
            TenantUse(
                company,
                one.tier,
                None if self._unlimited else self._limits[one.tier],
                one.asking,
                one.feeds,
                one.sockets,
                one.reads.per_second(now),
            )
            for company, one in self._tenants.items()
        ]

    def _tenant(self, principal: Principal, company: str) -> tuple[Tenant, TierLimits]:
        """What the tenant that pays has used, and what it may use.

        It is the company asked about where the token names it, else its first one. Who may see all companies belongs to
        none of them, and uses no tenant's rate.
        """
        name = company if company in principal.companies else principal.company_id
        if EVERY_COMPANY in principal.companies:
            name = EVERY_COMPANY
        tenant = self._tenants.get(name)
        if tenant is None:
            tenant = self._tenants[name] = Tenant()
        self._tenants.move_to_end(name)
        if len(self._tenants) > REMEMBERED:
            idle = (name for name, each in self._tenants.items() if not (each.asking or each.feeds or each.sockets))
            del self._tenants[next(idle, name)]
        tenant.tier = principal.tier_in(name)
        return tenant, self._limits[tenant.tier]


class _Question:
    """A read between its beginning and its end; a generator would cost three times as much."""

    __slots__ = ("_company", "_now", "_principal", "_rates", "_tenant")

    def __init__(self, rates: Rates, principal: Principal, now: float, company: str) -> None:
        self._rates, self._principal, self._now, self._company = rates, principal, now, company

    def __enter__(self) -> None:
        self._tenant = self._rates._begin(self._principal, self._now, self._company)

    def __exit__(self, *_: object) -> None:
        self._tenant.asking -= 1


def _too_many_feeds() -> LimitExceeded:
    return _too_often("has more live feeds than its tier opens", 1.0)


def _too_often(what: str, wait: float) -> LimitExceeded:
    error = LimitExceeded(
        f"this tenant {what}", code="rate_limited", suggested_actions=(f"Try again in {wait:.1f} s.",)
    )
    error.retry_after = wait
    return error
