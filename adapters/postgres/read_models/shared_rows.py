"""Rows of the company `_system` that are everybody's: where they move, answers of every company may be others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from domain.audit import SYSTEM
from domain.ports import Checkpoint
from projections.engine.declare import registry


def shared_with(projections: Sequence[str], company: str) -> list[str]:
    """Those of the projections that have such rows for a company; none where no company is meant."""
    return [name for name in projections if company not in ("", SYSTEM) and registry.projection(name).shared]


def with_those_of_all(own: Mapping[str, Checkpoint], of_all: Mapping[str, Checkpoint]) -> Mapping[str, Checkpoint]:
    """Checkpoints of a company whose rows have changed where its own or those of all have."""
    return {**own, **{name: replace(own[name], of_all=each.of_company) for name, each in of_all.items() if name in own}}
