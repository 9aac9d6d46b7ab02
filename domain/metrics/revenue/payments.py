"""Payments: gross and net revenue, refund rate, failed charges, and how many of them were recovered.

gross_revenue: money taken (succeeded and recovered). net_revenue: less refunds and the provider's fees. refund_rate:
refunded over taken. failed_charge_rate: invoices whose charge failed over invoices charged. dunning_recovery_rate: of
the invoices whose charge failed in the period, the share that was paid within `days`; those whose days are not over
yet and that are unpaid are left out, because they may still be paid.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from domain.metrics.value import Reason, Stat, ratio

MS_PER_DAY = 86_400_000


class Takings(NamedTuple):
    """Sums of a period's payments in millionths, and their numbers."""

    succeeded: int = 0
    recovered: int = 0
    refunded: int = 0
    fees: int = 0
    succeeded_count: int = 0
    recovered_count: int = 0
    failed_count: int = 0

    @property
    def gross_revenue(self) -> int:
        """Money taken, in millionths."""
        return self.succeeded + self.recovered

    @property
    def net_revenue(self) -> int:
        """Less refunds and fees, in millionths; negative where they are larger."""
        return self.gross_revenue - self.refunded - self.fees

    @property
    def refund_rate(self) -> Stat:
        """Refunded over taken."""
        return ratio(self.refunded, self.gross_revenue, Reason.NO_DATA)


class Invoice(NamedTuple):
    """What became of one invoice; times in ms, 0 where it did not happen."""

    failed_at: int = 0  # first failure
    paid_at: int = 0  # first success or recovery


def failed_charge_rate(invoices: Iterable[Invoice]) -> Stat:
    """Invoices of which a charge failed over all that were charged."""
    failed = [invoice.failed_at > 0 for invoice in invoices]
    return ratio(sum(failed), len(failed), Reason.NO_DATA)


def dunning_recovery_rate(invoices: Iterable[Invoice], now: int, days: int = 30) -> Stat:
    """Of those that failed, the share paid within `days` after the failure, as far as that is decided at `now`."""
    paid, decided = 0, 0
    for failed_at, paid_at in invoices:
        in_time = failed_at <= paid_at <= failed_at + days * MS_PER_DAY
        if failed_at and (in_time or failed_at + days * MS_PER_DAY <= now):
            decided += 1
            paid += in_time
    return ratio(paid, decided, Reason.NO_DATA)
