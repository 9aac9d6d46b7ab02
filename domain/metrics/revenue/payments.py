"""Payments: gross revenue is money in (succeeded and recovered), net revenue less refunds and the provider's fees."""

from __future__ import annotations

from typing import NamedTuple

from domain.metrics.value import Reason, Stat, ratio

MS_PER_DAY = 86_400_000


class Takings(NamedTuple):
    """Sums of a period's payments in trillionths, and their numbers."""

    succeeded: int = 0
    recovered: int = 0
    refunded: int = 0
    fees: int = 0
    succeeded_count: int = 0
    recovered_count: int = 0
    failed_count: int = 0

    @property
    def gross_revenue(self) -> int:
        """Money taken, in trillionths."""
        return self.succeeded + self.recovered

    @property
    def net_revenue(self) -> int:
        """Less refunds and fees, in trillionths; negative where they are larger."""
        return self.gross_revenue - self.refunded - self.fees

    @property
    def refund_rate(self) -> Stat:
        """Refunded over taken."""
        return ratio(self.refunded, self.gross_revenue, Reason.NO_DATA)
