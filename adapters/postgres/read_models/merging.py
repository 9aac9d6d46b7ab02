"""Merging: what a batch was folded to goes into the tables of its version."""

from __future__ import annotations

from collections.abc import Iterable

import psycopg

from adapters.postgres.read_models import ordered_rows, staging
from projections.engine.declare.projection import Projection
from projections.engine.store import sql
from projections.engine.store.port import OrderedFacts, Rows


def merge(
    connection: psycopg.Connection, projection: Projection, rows: Iterable[Rows], ordered: Iterable[OrderedFacts]
) -> None:
    """Add rows to those that are there, and advance ordered folds, within the caller's transaction."""
    for each in rows:
        staged = staging.stage(connection, each.table, projection.version, each.csv)
        connection.execute(sql.merge(each.table, projection.version, staged).encode())
    for facts in ordered:
        ordered_rows.store(connection, projection, facts)
