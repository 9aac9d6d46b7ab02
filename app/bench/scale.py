"""How much the bench measures. The full run is made for a quiet machine, the quick one for a look in between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Scale:
    """Sizes of the figures, in events unless said otherwise."""

    one: int  # for one additive projection
    mixed: int  # of all types, for all projections
    batches: int  # batch events of 50 facts each
    foreign: int  # without a producer's stamp
    lines: int  # at each door
    reads: int  # HTTP requests
    rate: int  # events/s while latency is measured
    seconds: float  # for which latency is measured
    probes: int = 20  # events/s whose way is timed

    def of(self, one: int) -> Scale:
        """The scale at which `one` has this value, and all other sizes but rate and seconds in proportion."""

        def part(size: int) -> int:
            return max(100, round(size * one / self.one))

        return replace(
            self,
            one=one,
            mixed=part(self.mixed),
            batches=part(self.batches),
            foreign=part(self.foreign),
            lines=part(self.lines),
            reads=part(self.reads),
        )


FULL = Scale(1_000_000, 300_000, 20_000, 200_000, 30_000, 5_000, 10_000, 20.0)
QUICK = Scale(200_000, 60_000, 4_000, 40_000, 5_000, 1_000, 10_000, 5.0)

SCALES: Mapping[str, Scale] = MappingProxyType({"full": FULL, "quick": QUICK})
