"""Who is in the sample: companies, their users, and the seeds and identities of what happens to them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from random import Random

from domain.access.rights import Tier
from domain.events.identity import new_event_id
from eventlog.publish.event import Origin

MADE_UP = "demo"  # service_source of everything that is made up
SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000  # ms
UNTIL = (
    int(datetime(2026, 11, 23, tzinfo=UTC).timestamp()) * SECOND
)  # fixed: the same event ids on every run; loaded, it is moved (rebase.py)
MONTHS = 18  # how long before UNTIL the first users joined


@dataclass(frozen=True, slots=True)
class Company:
    """A tenant of the sample. `symbols`: what its users trade; `services`: what measures itself."""

    company_id: str
    tier: Tier
    users: int
    accounts: int
    symbols: tuple[str, ...]
    services: tuple[str, ...]


COMPANIES = (
    Company(
        "acme",
        Tier.ENTERPRISE,
        users=240,
        accounts=110,
        symbols=("AAPL", "SPX", "IXIC"),
        services=("gateway", "orders", "matching", "risk", "quotes"),
    ),
    Company(
        "borealis", Tier.PRO, users=120, accounts=60, symbols=("AAPL", "IXIC"), services=("gateway", "orders", "risk")
    ),
    Company("cedar", Tier.BASIC, users=60, accounts=20, symbols=("SPX",), services=("gateway", "orders")),
    Company("dune", Tier.FREE, users=30, accounts=10, symbols=("AAPL",), services=("gateway",)),
)
PURCHASES_OF = "cedar"  # whose customers are those of CDNOW


@dataclass(frozen=True, slots=True)
class User:
    """A user: when they joined and left (ms; after UNTIL for who stays), and how often they come, 0 to 1."""

    user_id: str
    joined: int
    left: int
    eagerness: float


def users(company: Company) -> list[User]:
    """The users of a company, by the time when they joined: more join month by month, and one in four leaves again."""
    chance = seeded("users", company.company_id)
    span = MONTHS * 30 * DAY
    joined = sorted(UNTIL - int(span * (1 - chance.random() ** 0.7)) for _ in range(company.users))
    return [
        User(
            user_id=f"u{number:03}",
            joined=moment,
            left=moment + int((10 + 300 * chance.random()) * DAY) if chance.random() < 0.25 else UNTIL + 1,
            eagerness=0.1 + 0.8 * chance.random() ** 2,
        )
        for number, moment in enumerate(joined, 1)
    ]


def seeded(*names: object) -> Random:
    """Chance that falls alike on every machine and in every run, and independently for other names."""
    return Random("/".join(map(str, names)))


def origin(name: str, at: int, source: str = MADE_UP) -> Origin:
    """Identity, time and source of a sample event: the id follows from the name, which must be its own."""
    return Origin(
        event_id=new_event_id(at, blake2b(name.encode(), digest_size=10).digest()),
        timestamp=at,
        service_source=source,
    )
