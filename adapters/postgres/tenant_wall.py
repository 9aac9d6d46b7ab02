"""The tenant wall in PostgreSQL: readers are a role that sees the rows of one company, which each transaction names.

The role and the function that encloses a table are made by migration 0012. Row security is forced, so that it binds the
owner as well: the owner has a policy that lets it write everything, readers have one that shows the company of
`analytics.company`, and none while that is not set.
"""

from __future__ import annotations

import psycopg

from adapters.postgres.roles import READER

AS_READER = f"-c role={READER}"  # for a login that is another's: RESET ROLE comes back to it, too
SET_TENANT = b"SELECT set_config('analytics.company', %s, true)"  # until the end of the transaction


def enclose(connection: psycopg.Connection, name: str) -> None:
    """Put a new table, which has a company_id, behind the wall; one that is behind it already stays so."""
    connection.execute("SELECT read_models.enclose(%s::regclass)", (name,))


def act_as_reader(connection: psycopg.Connection, company: str) -> None:
    """The rest of the transaction sees what readers of this company see."""
    connection.execute(f"SET LOCAL ROLE {READER}".encode())
    connection.execute(SET_TENANT, (company,))
