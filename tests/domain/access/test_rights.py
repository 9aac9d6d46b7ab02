"""Who may what: the two tables, and that every door can rely on the answers."""

from __future__ import annotations

import pytest

from domain.access.rights import (
    FEATURES,
    OPERATOR,
    RIGHTS,
    Feature,
    Member,
    Principal,
    Right,
    Role,
    Tier,
    may,
    opens,
    require,
)
from domain.errors import Forbidden, Invalid


def somebody(*roles: Role, companies: frozenset[str] = frozenset({"acme"}), tier: Tier = Tier.PRO) -> Principal:
    """A principal of acme with these roles."""
    member = Member(frozenset({"u1"})) if Role.MEMBER in roles else None
    return Principal("ann", companies, frozenset(roles), tier, member=member)


def test_a_viewer_reads_dashboards_of_the_own_company_and_no_other() -> None:
    """A tenant is a wall."""
    ann = somebody(Role.VIEWER)
    assert may(ann, Right.DASHBOARDS, "acme")
    assert not may(ann, Right.DASHBOARDS, "other")
    assert not may(ann, Right.DASHBOARDS)
    with pytest.raises(Forbidden, match="ann may not see company other") as refused:
        require(ann, Right.DASHBOARDS, "other")
    assert refused.value.code == "forbidden_company"


def test_each_step_from_viewer_to_admin_adds_rights() -> None:
    """viewer ⊂ analyst ⊂ admin."""
    assert RIGHTS[Role.VIEWER] < RIGHTS[Role.ANALYST] < RIGHTS[Role.ADMIN]


def test_an_engineer_sees_the_machinery_of_all_companies_and_no_figures_of_any() -> None:
    """Projections and quarantine belong to nobody; payloads and dashboards to their tenant."""
    eve = somebody(Role.ENGINEER)
    assert may(eve, Right.PROJECTIONS)
    assert may(eve, Right.QUARANTINE, "other")
    assert not may(eve, Right.DASHBOARDS, "acme")
    assert not may(eve, Right.PAYLOADS, "acme")


def test_an_auditor_with_the_star_may_look_at_every_company() -> None:
    """`*` stands for all companies."""
    abe = somebody(Role.AUDITOR, companies=frozenset({"*"}))
    assert may(abe, Right.EVENTS, "anybody")
    assert not may(abe, Right.COMMAND, "anybody")


def test_a_service_publishes_for_its_companies_and_reads_nothing() -> None:
    """Its claim names them."""
    bot = somebody(Role.SERVICE, companies=frozenset({"acme", "beta"}))
    assert may(bot, Right.PUBLISH, "beta")
    assert not may(bot, Right.PUBLISH, "gamma")
    assert not may(bot, Right.DASHBOARDS, "acme")
    assert bot.company_id == "acme"


@pytest.mark.parametrize(
    ("roles", "companies", "users"),
    [
        ({Role.MEMBER}, {"acme"}, None),
        ({Role.VIEWER}, {"acme"}, {"u1"}),
        ({Role.MEMBER, Role.VIEWER}, {"acme"}, {"u1"}),
        ({Role.MEMBER}, {"acme", "beta"}, {"u1"}),
        ({Role.MEMBER}, {"*"}, {"u1"}),
        ({Role.MEMBER}, {"acme"}, set()),
        ({Role.MEMBER}, {"acme"}, {""}),
        ({Role.MEMBER}, {"acme"}, {str(number) for number in range(101)}),
    ],
)
def test_a_member_stands_alone_with_users_of_one_company(
    roles: set[Role], companies: set[str], users: set[str] | None
) -> None:
    """No mixture of roles, companies and ids opens more than was meant: it cannot be made."""

    def made() -> Principal:
        member = None if users is None else Member(frozenset(users))
        return Principal("ann", frozenset(companies), frozenset(roles), member=member)

    with pytest.raises(Invalid):
        made()


def test_a_member_is_told_why_it_is_refused() -> None:
    """Any right but those of members is over the whole company."""
    ann = somebody(Role.MEMBER)
    for right in set(Right) - {Right.OWN, Right.CATALOGUE}:
        with pytest.raises(Forbidden, match="whole company") as refused:
            require(ann, right, "acme")
        assert refused.value.code == "forbidden_member"
    with pytest.raises(Forbidden, match="may not see company beta"):
        require(ann, Right.OWN, "beta")


def test_a_missing_right_is_told_with_the_roles_that_have_it() -> None:
    """The caller learns what to ask for."""
    with pytest.raises(Forbidden, match="needs one of the roles admin") as refused:
        require(somebody(Role.VIEWER), Right.COMMAND, "acme")
    assert refused.value.code == "forbidden_role"


def test_every_role_and_tier_stands_in_its_table() -> None:
    """Nobody is forgotten, and higher tiers lose nothing."""
    assert set(RIGHTS) == set(Role)
    assert set(FEATURES) == set(Tier)
    assert FEATURES[Tier.FREE] < FEATURES[Tier.BASIC] < FEATURES[Tier.PRO] < FEATURES[Tier.ENTERPRISE]
    assert FEATURES[Tier.ENTERPRISE] == set(Feature)


def test_tiers_gate_features_whatever_the_role() -> None:
    """An admin of a FREE tenant still sees 30 days."""
    assert not opens(somebody(Role.ADMIN, tier=Tier.FREE), Feature.FULL_HISTORY, "acme")
    assert opens(somebody(Role.VIEWER, tier=Tier.BASIC), Feature.FULL_HISTORY, "acme")


def test_the_local_operator_may_everything() -> None:
    """Whoever has the data folder has all of it anyway, and no rows that are only its own."""
    assert {right for right in Right if not may(OPERATOR, right, "any")} == {Right.OWN}


def test_a_principal_without_company_or_role_cannot_be_made() -> None:
    """An empty claim must not become a wildcard."""
    with pytest.raises(Invalid):
        Principal("ann", frozenset(), frozenset({Role.VIEWER}))


PROMISED = {
    # contracts.md, "Who may what": line by line
    Role.VIEWER: {"dashboards", "reports"},
    Role.ANALYST: {"dashboards", "reports", "query", "export", "explain"},
    Role.ADMIN: {"dashboards", "reports", "query", "export", "explain", "command"},
    Role.AUDITOR: {"events", "verify", "trail"},
    Role.ENGINEER: {"projections", "quarantine"},
    Role.SERVICE: {"publish"},
    Role.MEMBER: {"own", "catalogue"},
}
KEPT_BACK: dict[Role, set[str]] = {
    Role.VIEWER: {"query", "export", "explain", "command", "events", "trail", "projections", "quarantine", "publish"},
    Role.ANALYST: {"command", "events", "verify", "trail", "projections", "quarantine", "publish"},
    Role.ADMIN: {"events", "verify", "trail", "projections", "quarantine", "publish"},
    Role.AUDITOR: {"query", "command", "projections", "quarantine", "publish"},
    Role.ENGINEER: {"dashboards", "reports", "query", "export", "command", "events", "trail", "payloads", "publish"},
    Role.SERVICE: {right.value for right in Right} - {"publish", "status", "catalogue"},
    Role.MEMBER: {right.value for right in Right} - {"own", "catalogue"},
}
OPENED = {
    Tier.FREE: {"dashboards"},
    Tier.BASIC: {"retention", "funnels", "csv", "full_history"},
    Tier.PRO: {"predictive", "pivots", "ad_hoc", "alerts"},
    Tier.ENTERPRISE: {"competitive", "audit_export", "branding"},
}


@pytest.mark.parametrize("role", Role)
def test_a_role_has_what_was_promised_and_nothing_that_was_kept_back(role: Role) -> None:
    """The line of the contract, in the own company; in another one only what belongs to no tenant."""
    who = somebody(role)
    assert all(may(who, Right(right), "acme") for right in PROMISED[role])
    assert not any(may(who, Right(right), "acme") for right in KEPT_BACK[role])
    elsewhere = {right for right in Right if may(who, right, "other")}
    assert elsewhere <= {Right.PROJECTIONS, Right.QUARANTINE, Right.STATUS, Right.CATALOGUE}


@pytest.mark.parametrize("tier", Tier)
def test_a_tier_opens_its_line_and_those_below(tier: Tier) -> None:
    """FREE dashboards and the last 30 days; each tier adds its own."""
    expected = {
        feature
        for t, features in OPENED.items()
        if list(Tier).index(t) <= list(Tier).index(tier)
        for feature in features
    }
    assert {feature for feature in Feature if opens(somebody(Role.ADMIN, tier=tier), feature, "acme")} == expected
