"""What every insight carries: its kind, of a closed set, and what it rests on.

A method answers with its finding or with the reason why there is none. The numbers of a finding are its evidence; the
basis beside them names the method and its version, how many observations it had and how few it accepts.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Kind(StrEnum):
    """The kinds of insight there are."""

    TREND = "trend"
    CHANGE_POINTS = "change_points"
    GROWTH = "growth"
    SEASONALITY = "seasonality"
    ANOMALIES = "anomalies"
    FORECAST = "forecast"
    DRIVERS = "drivers"
    CHURN = "churn"
    LIFETIME_VALUE = "lifetime_value"
    SURVIVAL = "survival"
    RETENTION = "retention"
    COMPETITIVE = "competitive"
    RECOMMENDATION = "recommendation"


class Basis(msgspec.Struct, frozen=True):
    """What a finding rests on."""

    method: str  # in words that a statistician can check
    version: int  # of the method: another version may answer otherwise
    sample: int  # observations used
    minimum: int  # with fewer there is no finding


class Finding(msgspec.Struct, frozen=True, tag_field="kind"):
    """One insight; each kind is a subclass with its numbers."""

    basis: Basis
