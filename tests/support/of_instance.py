"""Queries that are about the running instance, for laws about rows: those have their tests beside health."""

from __future__ import annotations

from projections.engine.declare.registry import all_registered
from projections.engine.query.instance_query import InstanceQuery

OF_INSTANCE = frozenset(name for name, query in all_registered().items() if isinstance(query, InstanceQuery))
