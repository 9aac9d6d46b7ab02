"""The rows of `subscriptions`: what each subscription came to, how MRR moved, and what of it was known ahead."""

from __future__ import annotations

from projections.engine.declare.merge_rules import Count, Key, Moment, Money, Number, Own, Quarter, Sum, Text, Twelfths
from projections.engine.declare.rows import Row


class CustomerSubscription(Row):
    """One subscription after all its facts, those that take effect in the future included."""

    company_id: Key[Text]
    customer_id: Key[Text]
    subscription_id: Key[Text]
    status: Own[Text]  # trial, active, paused or canceled
    plan: Own[Text]
    tier: Own[Text]
    currency: Own[Text]
    mrr: Own[Twelfths]
    quantity: Own[Number]
    charge: Own[Money]  # of one billing interval, whether it is charged now or not
    interval: Own[Text]
    interval_count: Own[Count]
    since: Own[Moment]  # when the newest fact took effect, or will
    trial_started_at: Own[Moment]
    started_at: Own[Moment]  # when it first was active
    ended_at: Own[Moment]


class MrrMovement(Row):
    """How MRR moved in a quarter of an hour: what moved, and how many customers' totals did.

    Measures are positive in their sense.
    """

    company_id: Key[Text]
    quarter: Key[Quarter]
    plan: Key[Text]
    tier: Key[Text]
    currency: Key[Text]
    policy: Key[Text]  # default: as it reads; another: what it reads more than the default
    new_mrr: Sum[Twelfths]
    expansion_mrr: Sum[Twelfths]
    contraction_mrr: Sum[Twelfths]
    churned_mrr: Sum[Twelfths]
    reactivated_mrr: Sum[Twelfths]
    new_count: Sum[Count]
    expansion_count: Sum[Count]
    contraction_count: Sum[Count]
    churned_count: Sum[Count]
    reactivated_count: Sum[Count]


class CustomerMrr(Row):
    """By how much a customer's MRR changed in a quarter of an hour; the sum up to one is the MRR after it."""

    company_id: Key[Text]
    customer_id: Key[Text]
    quarter: Key[Quarter]
    currency: Key[Text]
    policy: Key[Text]  # as above
    change: Sum[Twelfths]


class ScheduledMrr(Row):
    """What was known ahead: by how much a customer's committed MRR changed more than its MRR, by quarter of an hour.

    The sum up to one is what was scheduled then. Customers whose facts are never recorded ahead have no rows.
    """

    company_id: Key[Text]
    customer_id: Key[Text]
    quarter: Key[Quarter]
    plan: Key[Text]
    tier: Key[Text]
    currency: Key[Text]
    policy: Key[Text]  # as above
    change: Sum[Twelfths]


class SubscriptionTerm(Row):
    """What a subscription is charged from a moment on, until its next row: of any time, what was charged then."""

    company_id: Key[Text]
    customer_id: Key[Text]
    subscription_id: Key[Text]
    since: Key[Moment]
    charge: Own[Money]  # of one billing interval; 0 while nothing is charged
    currency: Own[Text]
    interval: Own[Text]
    interval_count: Own[Count]
    started_at: Own[Moment]  # when it first was active


class Debt(Row):
    """A time in which a customer owed something, from an invoice's first failure to its success; null: still."""

    company_id: Key[Text]
    customer_id: Key[Text]
    since: Key[Moment]
    until: Own[Moment]
