"""When bad events are so many, of so many companies, that the code must be wrong: stop, before all is set aside.

What one company sends says nothing about the code: nobody's events, however many of them are bad, stop the projections
of others. Theirs are set aside one by one, and the log says that they are many.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from domain.errors import Defect

if TYPE_CHECKING:
    import polars as pl

ENOUGH = 1_000  # records before a share means anything
FEW = 5  # records of one company before its share does

logger = logging.getLogger(__name__)


def by_company(facts: Mapping[str, pl.DataFrame]) -> Counter[str]:
    """How many facts each company has."""
    counts = Counter[str]()
    for frame in facts.values():
        counts.update(dict(frame.get_column("company_id").value_counts().iter_rows()))
    return counts


class BadEventRate:
    """Shares of bad records lately, by company: fading counts, so that old good days do not excuse a bad hour.

    `work` is what the log calls it; `least`: how many companies must pass the limit at least, 1 where the work is
    one company's. What tells no company counts as one of its own.
    """

    def __init__(self, work: str, limit: float, enough: int = ENOUGH, *, least: int = 2) -> None:
        self._work = work
        self._limit = limit
        self._enough = enough
        self._least = least
        self._records: Counter[str] = Counter()
        self._bad: Counter[str] = Counter()
        self._reported: set[str] = set()

    @property
    def met(self) -> bool:
        """Whether anything bad was counted: until then nothing needs to be."""
        return bool(self._bad)

    def count(self, records: Mapping[str, int], bad: Mapping[str, int]) -> None:
        """Count one batch by company; raises Defect when most companies, and so many at least, pass the limit."""
        if self._records.total() > 50 * self._enough:
            for counts in (self._records, self._bad):
                for company in list(counts):
                    counts[company] //= 2
        self._records.update(records)
        self._bad.update(bad)
        if not bad or self._records.total() < self._enough:
            return
        seen = [company for company, number in self._records.items() if number >= FEW]
        beyond = {company for company in seen if self._bad[company] > self._limit * self._records[company]}
        if (
            len(beyond) >= max(self._least, len(seen) // 2 + 1)
            and self._bad.total() > self._limit * self._records.total()
        ):
            raise Defect(
                f"of the last {self._records.total()} events {self._bad.total()} are bad, and in {len(beyond)} of"
                f" {len(seen)} companies more than the limit of {self._limit:.0%}: nothing of this batch was stored",
                code="too_many_bad_events",
                suggested_actions=(
                    "look at a few of them",
                    "deploy a fix or raise the limit, then resume the projection",
                ),
            )
        for company in beyond - self._reported:
            logger.error(
                "%s sets aside %d of the last %d events of one company: they wait in quarantine",
                self._work, self._bad[company], self._records[company], extra={"company": company},
            )  # fmt: skip
        self._reported = beyond
