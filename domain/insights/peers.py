"""Where a tenant stands among its peers: tenants of its tier that agreed to be compared, never fewer than five.

The answer is a rounded percentile and the number of peers in tens; no value of a peer leaves. The count of peers below
gets Laplace noise of scale 1/ε (another value of one peer moves it by at most 1), so the answer is ε-differentially
private towards what each peer's value is (Dwork et al. 2006). The noise comes from a secret of the service and from the
values alone: the same events get the same answer in whatever period or metric they are asked about, and asking again
does not average it away. Every other state of the values is a draw of its own: with the same noise before and after,
the difference of two answers would tell what one peer's value is.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from hashlib import blake2b

import msgspec

from domain.insights.finding import Basis, Finding, Kind
from domain.metrics.value import Reason

METHOD = "percentile among consenting peers of the tier; Laplace noise on the count, rounded"
FEWEST = 5
EPSILON = 1.0
ROUNDED_TO = 5  # percent


class Peer(msgspec.Struct, frozen=True):
    """One tenant's value, and whether it agreed that others are compared with it."""

    tenant: str
    tier: str
    agreed: bool
    value: float


class Standing(Finding, frozen=True, tag=Kind.COMPETITIVE.value):
    """A tenant among its peers. `basis.sample` is the number of peers, rounded down to tens (5 below ten)."""

    tier: str
    percentile: int  # share of peers whose value is lower (half of those equal), 0 to 100, with noise and rounded
    epsilon: float  # of the noise: smaller is more noise
    rounded_to: int
    noise: str  # in words, with the size to expect


def standing(
    own: float, tenant: str, tier: str, tenants: Iterable[Peer], key: bytes, epsilon: float = EPSILON
) -> Standing | Reason:
    """Of `own`, the value of `tenant`, among the others of `tier`. `key`: a secret of the service."""
    if not math.isfinite(own):
        return Reason.NOT_FINITE
    peers = {p.tenant: p.value for p in tenants if p.agreed and p.tier == tier and p.tenant != tenant}
    values = [value for value in peers.values() if math.isfinite(value)]
    if len(values) < FEWEST:
        return Reason.TOO_FEW
    below = sum(value < own for value in values) + sum(value == own for value in values) / 2
    drawn_for = f"{tenant} {own!r} {sorted(values)!r}".encode()
    noisy = below + _laplace(blake2b(drawn_for, key=blake2b(key).digest(), digest_size=8).digest(), 1 / epsilon)
    percent = 100 * min(1.0, max(0.0, noisy / len(values)))
    rounded = max(FEWEST, len(values) // 10 * 10)
    return Standing(
        basis=Basis(METHOD, 1, rounded, FEWEST),
        tier=tier,
        percentile=ROUNDED_TO * round(percent / ROUNDED_TO),
        epsilon=epsilon,
        rounded_to=ROUNDED_TO,
        noise=f"Laplace noise of about {100 / epsilon / rounded:.0f} percentage points, then rounded to {ROUNDED_TO}",
    )


def _laplace(digest: bytes, scale: float) -> float:
    """A draw from the Laplace distribution, from eight bytes that look random."""
    uniform = ((int.from_bytes(digest, "big") >> 12) + 0.5) / 2**52 - 0.5  # within (−½, ½), never at its ends
    return -scale * math.copysign(math.log1p(-2 * abs(uniform)), uniform)
