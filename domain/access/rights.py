"""Who may what: roles and rights, tiers and features, as two tables; how much of it is in `limits`.

Every door asks here, nobody decides elsewhere.

A role gives rights inside the companies that the principal's token names; company `*` stands for all of them. A tier
gates features, whatever the role, and says how much a tenant may ask for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from domain.errors import Forbidden, Invalid

EVERY_COMPANY = "*"


class Right(StrEnum):
    """Something that a role allows."""

    DASHBOARDS = "dashboards"  # registered queries, dashboards, live figures
    REPORTS = "reports"
    QUERY = "query"  # ad-hoc questions
    EXPORT = "export"
    EXPLAIN = "explain"
    COMMAND = "command"
    EVENTS = "events"  # event history
    VERIFY = "verify"  # verification of log and read models
    TRAIL = "trail"  # who read and did what
    PROJECTIONS = "projections"  # rebuild, switch, pause
    QUARANTINE = "quarantine"
    PAYLOADS = "payloads"  # payloads classified as personal
    PUBLISH = "publish"
    STATUS = "status"  # health figures, positions and lag of projections: no tenant's data
    CATALOGUE = "catalogue"  # which queries and metrics there are: nobody's data
    OWN = "own"  # of a company the rows and events of the member alone


class Role(StrEnum):
    """What a principal is."""

    VIEWER = "viewer"
    ANALYST = "analyst"
    ADMIN = "admin"
    AUDITOR = "auditor"
    ENGINEER = "engineer"
    SERVICE = "service"
    MEMBER = "member"  # one of the company's own users


_VIEWER = frozenset({Right.DASHBOARDS, Right.REPORTS, Right.PAYLOADS, Right.STATUS, Right.CATALOGUE})
_ANALYST = _VIEWER | {Right.QUERY, Right.EXPORT, Right.EXPLAIN}
_AUDITOR = {Right.EVENTS, Right.VERIFY, Right.TRAIL, Right.EXPORT, Right.EXPLAIN}

RIGHTS: Mapping[Role, frozenset[Right]] = MappingProxyType(
    {
        Role.VIEWER: _VIEWER,
        Role.ANALYST: _ANALYST,
        Role.ADMIN: _ANALYST | {Right.COMMAND},
        Role.AUDITOR: _VIEWER | _AUDITOR,
        Role.ENGINEER: frozenset({Right.PROJECTIONS, Right.QUARANTINE, Right.STATUS, Right.CATALOGUE}),
        Role.SERVICE: frozenset({Right.PUBLISH, Right.STATUS, Right.CATALOGUE}),
        # none of the rights over a company, so that whatever asks for one of those is closed to members
        Role.MEMBER: frozenset({Right.OWN, Right.CATALOGUE}),
    }
)

# Rights over the machinery, which belongs to no tenant, or over all tenants by the role's nature.
ACROSS_COMPANIES = frozenset({Right.PROJECTIONS, Right.QUARANTINE, Right.STATUS, Right.CATALOGUE})


class Tier(StrEnum):
    """What a tenant has subscribed to."""

    FREE = "FREE"
    BASIC = "BASIC"
    PRO = "PRO"
    ENTERPRISE = "ENTERPRISE"


class Feature(StrEnum):
    """Something that a tier opens."""

    DASHBOARDS = "dashboards"
    FULL_HISTORY = "full_history"
    RETENTION = "retention"
    FUNNELS = "funnels"
    CSV = "csv"
    PREDICTIVE = "predictive"
    PIVOTS = "pivots"
    AD_HOC = "ad_hoc"
    ALERTS = "alerts"
    COMPETITIVE = "competitive"
    AUDIT_EXPORT = "audit_export"
    BRANDING = "branding"


FREE_HISTORY_DAYS = 30
_FREE = frozenset({Feature.DASHBOARDS})
_BASIC = _FREE | {Feature.FULL_HISTORY, Feature.RETENTION, Feature.FUNNELS, Feature.CSV}
_PRO = _BASIC | {Feature.PREDICTIVE, Feature.PIVOTS, Feature.AD_HOC, Feature.ALERTS}

FEATURES: Mapping[Tier, frozenset[Feature]] = MappingProxyType(
    {
        Tier.FREE: _FREE,
        Tier.BASIC: _BASIC,
        Tier.PRO: _PRO,
        Tier.ENTERPRISE: _PRO | {Feature.COMPETITIVE, Feature.AUDIT_EXPORT, Feature.BRANDING},
    }
)


NONE_STORED: Mapping[str, Tier] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Member:
    """Whose rows somebody sees who sees but their own: of these users; of these accounts, where rows name no user."""

    user_ids: frozenset[str]
    account_ids: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        ids = self.user_ids | self.account_ids
        if not self.user_ids or not all(ids) or max(len(self.user_ids), len(self.account_ids)) > MOST_IDS:
            raise Invalid(f"a member has 1 to {MOST_IDS} user ids, and at most as many account ids, none empty")

    def check_user(self, user_id: str) -> None:
        """Raise Forbidden unless the user is one of theirs, whether or not there is such a user."""
        if user_id not in self.user_ids:
            raise Forbidden("a member may ask for no other user", code="forbidden_user", suggested_actions=OWN_IDS)

    def check_account(self, account_id: str) -> None:
        """Raise Forbidden for another account than those that the token names, if it names any."""
        if self.account_ids and account_id not in self.account_ids:
            raise Forbidden("a member may ask for no other account", code="forbidden_user", suggested_actions=OWN_IDS)


MOST_IDS = 100
OWN_IDS = ("Ask for an id that the token names.",)


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody we know: `companies` are the tenants of the token, `expires_at` its end (seconds since 1970 UTC).

    `tier` is what the token says, `stored_tiers` what companies were commanded to have, as it is now. `member`: whose
    rows the role member sees; None for all other roles, which see those of the company. `company_id` is the first
    company, what a page shows before another is picked; `rights` are those of the roles.
    """

    sub: str
    companies: frozenset[str]
    roles: frozenset[Role]
    tier: Tier = Tier.FREE
    expires_at: float = float("inf")
    stored_tiers: Mapping[str, Tier] = field(default_factory=lambda: NONE_STORED, compare=False, repr=False)
    member: Member | None = None
    company_id: str = field(init=False, compare=False, repr=False)
    rights: frozenset[Right] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        if not (self.sub and self.companies and self.roles):
            raise Invalid("a principal has a subject, at least one company and at least one role")
        if (Role.MEMBER in self.roles) is not (self.member is not None):
            raise Invalid("the role member has user ids, and no other role has")
        if self.member and (len(self.roles) > 1 or len(self.companies) > 1 or EVERY_COMPANY in self.companies):
            raise Invalid("the role member stands alone, and its user ids are those of one company")
        object.__setattr__(self, "company_id", min(self.companies))
        object.__setattr__(self, "rights", frozenset().union(*(RIGHTS[role] for role in self.roles)))

    def tier_in(self, company: str) -> Tier:
        """What counts in a company: its stored tier; the token's where none is stored, or for who sees all."""
        return self.tier if EVERY_COMPANY in self.companies else self.stored_tiers.get(company, self.tier)


Authenticate = Callable[[str], Principal]
"""Turns a bearer token into a principal; raises Unauthenticated."""

OPERATOR = Principal("local-operator", frozenset({EVERY_COMPANY}), frozenset(Role) - {Role.MEMBER}, Tier.ENTERPRISE)


def may(principal: Principal, right: Right, company: str | None = None) -> bool:
    """Whether the principal has the right in that company; None asks for rights that concern no single company."""
    if right not in principal.rights:
        return False
    if right in ACROSS_COMPANIES or EVERY_COMPANY in principal.companies:
        return True
    return company is not None and company in principal.companies


def require(principal: Principal, right: Right, company: str | None = None) -> None:
    """Raise Forbidden unless the principal may."""
    if may(principal, right, company):
        return
    if right in principal.rights:
        raise Forbidden(
            f"{principal.sub} may not see company {company}" if company else f"{principal.sub} must name a company",
            code="forbidden_company",
            suggested_actions=("Ask with a token of that company.",),
        )
    if principal.member:
        raise whole_company(f"the right {right.value!r}")
    having = ", ".join(role for role in Role if right in RIGHTS[role])
    raise Forbidden(
        f"the right {right.value!r} needs one of the roles {having}",
        code="forbidden_role",
        suggested_actions=("Ask with a token that has one of these roles.",),
    )


def whole_company(what: str) -> Forbidden:
    """Why a member is refused what cannot be limited to its own rows."""
    return Forbidden(
        f"{what} is of the whole company, and the role member sees its own rows alone",
        code="forbidden_member",
        suggested_actions=("Ask a query of trades or of a user's activity, or with a token of another role.",),
    )


def opens(principal: Principal, feature: Feature, company: str) -> bool:
    """Whether the tier that counts for the principal in the company has the feature."""
    return feature in FEATURES[principal.tier_in(company)]
