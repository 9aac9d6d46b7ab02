"""When bad events are so many that the code must be wrong: stop, instead of setting the whole log aside."""

from __future__ import annotations

from domain.errors import Defect

ENOUGH = 1_000  # records before a share means anything


class PoisonGauge:
    """Share of bad records lately: an exponentially fading count, so that old good days do not excuse a bad hour."""

    def __init__(self, limit: float, enough: int = ENOUGH) -> None:
        self._limit = limit
        self._enough = enough
        self._records = 0.0
        self._bad = 0.0

    def count(self, records: int, bad: int) -> None:
        """Count one batch; raises Defect when the share passes the limit."""
        fade = 0.5 if self._records > 50 * self._enough else 1.0
        self._records = self._records * fade + records
        self._bad = self._bad * fade + bad
        if bad and self._records >= self._enough and self._bad > self._limit * self._records:
            raise Defect(
                f"{self._bad:.0f} of the last {self._records:.0f} events are bad, more than the limit of"
                f" {self._limit:.0%}: nothing of this batch was stored",
                code="too_many_bad_events",
                suggested_actions=(
                    "look at a few of them",
                    "deploy a fix or raise the limit, then resume the projection",
                ),
            )
