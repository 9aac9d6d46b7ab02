"""The four database roles of the service, none of which is a superuser or passes row security by.

`analytics_owner` owns the tables and migrates them; nothing else uses it. `analytics_writer` is the service: it changes
rows, and makes the tables of projections, which it owns. `analytics_reader` answers queries: it sees the rows of one
company at a time, and is a member of nothing, so that there is no role that it could change to. `analytics_member`
answers members: it sees the rows of some users of a company, of tables that say whose their rows are, or are nobody's.
A database may as well be used with one login for everything; then there are no such roles, but for the last two.
"""

from __future__ import annotations

from collections.abc import Callable

import psycopg
from psycopg import sql

OWNER, WRITER, READER = "analytics_owner", "analytics_writer", "analytics_reader"
MEMBER = "analytics_member"

_RIGHTS = sql.SQL("LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD {}")

# Of a database that a superuser worked in so far: what it made belongs to the owner, and read models to the writer.
_HAND_OVER = """
    DO $$ DECLARE found record; BEGIN
        FOR found IN SELECT nspname FROM pg_namespace WHERE nspowner = to_regrole(current_user)
                     AND nspname !~ '^pg_' AND nspname <> 'information_schema' LOOP
            EXECUTE format('ALTER SCHEMA %I OWNER TO analytics_owner', found.nspname);
        END LOOP;
        FOR found IN SELECT c.oid::regclass AS name, n.nspname FROM pg_class c JOIN pg_namespace n
                     ON n.oid = c.relnamespace WHERE c.relowner = to_regrole(current_user) AND c.relkind IN ('r', 'p')
                     AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' LOOP
            EXECUTE format('ALTER TABLE %s OWNER TO %s', found.name,
                CASE found.nspname WHEN 'read_models' THEN 'analytics_writer' ELSE 'analytics_owner' END);
        END LOOP;
        FOR found IN SELECT p.oid::regprocedure AS name FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
                     WHERE p.proowner = to_regrole(current_user)
                     AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' LOOP
            EXECUTE format('ALTER ROUTINE %s OWNER TO analytics_owner', found.name);
        END LOOP;
    END $$
"""

# What the current user, who has just migrated, owns. Rights to read are given by the migrations themselves.
_GRANT = """
    DO $$ DECLARE found record; BEGIN
        IF current_user = 'analytics_writer' OR to_regrole('analytics_writer') IS NULL THEN
            RETURN;
        END IF;
        FOR found IN SELECT nspname FROM pg_namespace
                     WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' LOOP
            EXECUTE format('GRANT USAGE ON SCHEMA %I TO analytics_writer', found.nspname);
        END LOOP;
        FOR found IN SELECT oid::regclass AS name, relkind FROM pg_class WHERE relowner = to_regrole(current_user)
                     AND relkind IN ('r', 'p', 'S') AND relname <> 'alembic_version'
                     AND relnamespace <> 'pg_catalog'::regnamespace AND relnamespace <> 'pg_toast'::regnamespace LOOP
            EXECUTE format(CASE found.relkind WHEN 'S' THEN 'GRANT USAGE ON SEQUENCE %s TO analytics_writer'
                ELSE 'GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO analytics_writer' END, found.name);
        END LOOP;
        GRANT SELECT ON public.alembic_version TO analytics_writer;
        FOR found IN SELECT tablename FROM pg_policies WHERE schemaname = 'read_models' AND policyname = 'writer'
                     AND NOT 'analytics_writer' = ANY (roles) LOOP
            EXECUTE format('ALTER POLICY writer ON read_models.%I TO analytics_writer', found.tablename);
        END LOOP;
        GRANT CREATE ON SCHEMA read_models TO analytics_writer;
    END $$
"""

_GRANTED = """
    SELECT current_user = 'analytics_writer' OR to_regrole('analytics_writer') IS NULL
        OR has_schema_privilege(to_regrole('analytics_writer'), 'read_models', 'CREATE')
"""


def make_roles(connection: psycopg.Connection, password: Callable[[str], str]) -> None:
    """Make the roles with these passwords, and hand over what is in the database; as the server's administrator."""
    for role in (OWNER, WRITER, READER, MEMBER):
        name = sql.Identifier(role)
        if connection.execute("SELECT FROM pg_roles WHERE rolname = %s", (role,)).rowcount == 0:
            connection.execute(sql.SQL("CREATE ROLE {}").format(name))
        connection.execute(sql.SQL("ALTER ROLE {} WITH {}").format(name, _RIGHTS.format(sql.Literal(password(role)))))
    connection.execute(
        "GRANT analytics_reader, analytics_member TO analytics_owner, analytics_writer WITH INHERIT FALSE, SET TRUE"
    )
    connection.execute("GRANT analytics_writer TO analytics_owner")  # whose migrations may touch what the writer made
    database = sql.Identifier(connection.info.dbname)
    connection.execute(sql.SQL("ALTER DATABASE {} OWNER TO analytics_owner").format(database))
    connection.execute(_HAND_OVER)


def rights_are_given(connection: psycopg.Connection) -> bool:
    """Whether the writer, if there is one beside the current user, has its rights."""
    return connection.execute(_GRANTED).fetchone() == (True,)


def give_rights(connection: psycopg.Connection) -> None:
    """Give the writer, if there is one, what it needs of what the current user owns."""
    connection.execute(_GRANT)
