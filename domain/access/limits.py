"""How much each tier may ask for: reads, commands, events, what is asked at once and what is followed live."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from domain.access.rights import Tier


class Use(StrEnum):
    """What is counted."""

    READS = "reads"
    COMMANDS = "commands"
    EVENTS = "events"


@dataclass(frozen=True, slots=True)
class Rate:
    """So many a second in the long run, so many at once after a rest."""

    per_second: float
    burst: float

    def times(self, factor: float) -> Rate:
        """The rate scaled; a burst lets at least one through."""
        return Rate(self.per_second * factor, max(1.0, self.burst * factor))


@dataclass(frozen=True, slots=True)
class TierLimits:
    """What a tenant of a tier may ask for, of each API process.

    `at_once`: questions that are being answered; `feeds`: what is followed live, over all its connections, of which
    there are no more.
    """

    rates: Mapping[Use, Rate]
    at_once: int
    feeds: int

    def times(self, factor: float) -> TierLimits:
        """The limits scaled, of which one question and one feed are always left; no limit of these where it is 0."""
        at_once, feeds = (max(1, int(most * factor)) if factor else sys.maxsize for most in (self.at_once, self.feeds))
        return TierLimits({use: rate.times(factor) for use, rate in self.rates.items()}, at_once, feeds)


def _limits(reads: float, commands: float, events: float, at_once: int, feeds: int) -> TierLimits:
    """Bursts of three seconds' reads, ten seconds' commands and events."""
    rates = {
        Use.READS: Rate(reads, 3 * reads),
        Use.COMMANDS: Rate(commands, 10 * commands),
        Use.EVENTS: Rate(events, 10 * events),
    }
    return TierLimits(MappingProxyType(rates), at_once, feeds)


LIMITS: Mapping[Tier, TierLimits] = MappingProxyType(
    {
        Tier.FREE: _limits(20, 2, 1_000, 4, 32),
        Tier.BASIC: _limits(100, 10, 10_000, 16, 128),
        Tier.PRO: _limits(500, 50, 50_000, 64, 512),
        Tier.ENTERPRISE: _limits(10_000, 500, 1_000_000, 256, 4_096),
    }
)
