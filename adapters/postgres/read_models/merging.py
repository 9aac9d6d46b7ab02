"""Merging: what a batch was folded to goes into the tables of its version."""

from __future__ import annotations

import psycopg

from adapters.postgres.read_models import ledgers, ordered_rows, staging
from projections.engine.declare.projection import Projection
from projections.engine.store import sql
from projections.engine.store.port import Changes


def merge(connection: psycopg.Connection, projection: Projection, changes: Changes) -> None:
    """Enter reports, add rows to those that are there, and advance ordered folds, within the caller's transaction."""
    entered = ledgers.entered(connection, projection, changes)
    for each in entered.rows:
        staged = staging.stage(connection, each.table, projection.version, each.csv)
        connection.execute(sql.merge(each.table, projection.version, staged).encode())
    for ledger, facts in entered.gone:
        ledgers.count(connection, projection, ledger, facts)
    for of_keys in changes.ordered:
        ordered_rows.store(connection, projection, of_keys)
