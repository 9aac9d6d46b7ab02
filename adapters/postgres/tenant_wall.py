"""The tenant wall in PostgreSQL: readers are a role that sees the rows of one company, which each transaction names.

The role is made by migration 0012, the function that encloses a table by 0022. Row security is forced, so that it binds
the owner as well: the owner has a policy that lets it write everything, readers have one that shows the company of
`analytics.company`, and none while that is not set.
Members are another role (migration 0022): of a table whose rows say whose they are it sees those of
`analytics.user_ids` and `analytics.account_ids`, of one that is open to members those of the company, of others none.
"""

from __future__ import annotations

import psycopg

from adapters.postgres.roles import MEMBER, READER

AS_READER = f"-c role={READER}"  # for a login that is another's: RESET ROLE comes back to it, too
AS_MEMBER = f"-c role={MEMBER}"
SET_TENANT = b"SELECT set_config('analytics.company', %s, true)"  # until the end of the transaction


def enclose(connection: psycopg.Connection, name: str, *, open_to_members: bool = False) -> None:
    """Put a new table, which has a company_id, behind the wall; one that is behind it already stays so."""
    connection.execute("SELECT read_models.enclose(%s::regclass, %s)", (name, open_to_members))


def act_as_reader(connection: psycopg.Connection, company: str) -> None:
    """The rest of the transaction sees what readers of this company see."""
    connection.execute(f"SET LOCAL ROLE {READER}".encode())
    connection.execute(SET_TENANT, (company,))
