"""Where each company's last event lies, by topic and partition: what its rows depend on, whatever comes of others."""

from __future__ import annotations

from typing import Any

import psycopg

from projections.engine.store.port import Admitted

ENDS = """
    INSERT INTO tenant_positions (topic, company_id, partition, next_offset)
    SELECT %s, * FROM unnest(%s::text[], %s::int[], %s::bigint[])
    ON CONFLICT (company_id, topic, partition)
    DO UPDATE SET next_offset = GREATEST(tenant_positions.next_offset, excluded.next_offset)
"""
REPLACED = """
    INSERT INTO tenant_positions VALUES (%s, '', 0, 1) ON CONFLICT (company_id, topic, partition)
    DO UPDATE SET next_offset = tenant_positions.next_offset + 1
"""


def record_ends(cursor: psycopg.Cursor[Any], topic: str, admitted: Admitted) -> None:
    """Note where the companies' last events of a batch end."""
    if admitted.tenants:
        ends = sorted((company, partition, end) for (partition, company), end in admitted.tenants.items())
        cursor.execute(ENDS, (topic, *map(list, zip(*ends, strict=True))))


def record_replacement(connection: psycopg.Connection, company: str) -> None:
    """Note that rows of a company were put in place of others at the same position."""
    connection.execute(REPLACED, (company,))
