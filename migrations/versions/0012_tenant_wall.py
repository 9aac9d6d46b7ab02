"""The tenant wall: a role for readers that sees one company at a time, whatever the statement forgets to say."""

from alembic import op

revision = "0012_tenant_wall"
down_revision = "0011_relay"

# Roles belong to the whole server: another database of it may have made this one already, or may be doing so now.
ROLE = """
    DO $$ BEGIN
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'analytics_reader') THEN
            CREATE ROLE analytics_reader NOLOGIN;
        END IF;
        IF NOT pg_has_role(current_user, 'analytics_reader', 'SET') THEN
            GRANT analytics_reader TO CURRENT_USER WITH INHERIT FALSE, SET TRUE;
        END IF;
    EXCEPTION
        WHEN duplicate_object OR unique_violation THEN
            RAISE EXCEPTION 'another database of this server is being migrated: try again';
        WHEN insufficient_privilege THEN
            RAISE EXCEPTION 'this user may not make the role of readers; let somebody who may run:'
                ' CREATE ROLE analytics_reader NOLOGIN; GRANT analytics_reader TO %', quote_ident(current_user);
    END $$
"""

# FORCE binds the owner as well, so that the owner has a policy of its own. A setting that is not set is null, and one
# that was set in an earlier transaction is empty: neither is any company.
ENCLOSE = """
    CREATE FUNCTION read_models.enclose(target regclass) RETURNS void LANGUAGE plpgsql AS $$ BEGIN
        IF (SELECT relforcerowsecurity FROM pg_class WHERE oid = target) THEN
            RETURN;
        END IF;
        EXECUTE format('ALTER TABLE %1$s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', target);
        EXECUTE format('CREATE POLICY writer ON %1$s TO CURRENT_USER USING (true) WITH CHECK (true)', target);
        EXECUTE format('CREATE POLICY tenant ON %1$s FOR SELECT TO analytics_reader'
            ' USING (company_id = current_setting(''analytics.company'', true))', target);
        EXECUTE format('GRANT SELECT ON %1$s TO analytics_reader', target);
    END $$
"""

# What a build gathers is no read model yet: nobody but the owner may look, and COPY, which row security refuses to
# whom it binds, must go on.
EXISTING = """
    DO $$ DECLARE found record; BEGIN
        FOR found IN SELECT c.oid::regclass AS name, c.relname FROM pg_class c
                     WHERE c.relnamespace = 'read_models'::regnamespace AND c.relkind = 'r' LOOP
            IF found.relname !~ '_deltas$' THEN
                PERFORM read_models.enclose(found.name);
            END IF;
        END LOOP;
    END $$
"""


def upgrade() -> None:
    """Make the role, give it what readers need, and put every read model behind the wall."""
    op.execute(ROLE)
    op.execute("GRANT USAGE ON SCHEMA read_models TO analytics_reader")
    op.execute("GRANT SELECT ON checkpoints TO analytics_reader")
    op.execute("GRANT SELECT (name, version, definition, live) ON projections TO analytics_reader")
    op.execute(ENCLOSE)
    op.execute(EXISTING)


def downgrade() -> None:
    """Take the wall down. The role stays: other databases of the server may need it."""
    op.execute("""
        DO $$ DECLARE found record; BEGIN
            FOR found IN SELECT tablename, schemaname FROM pg_tables WHERE schemaname = 'read_models' LOOP
                EXECUTE format('DROP POLICY IF EXISTS writer ON %I.%I', found.schemaname, found.tablename);
                EXECUTE format('DROP POLICY IF EXISTS tenant ON %I.%I', found.schemaname, found.tablename);
                EXECUTE format('REVOKE ALL ON %I.%I FROM analytics_reader', found.schemaname, found.tablename);
                EXECUTE format('ALTER TABLE %I.%I DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY',
                    found.schemaname, found.tablename);
            END LOOP;
        END $$
    """)
    op.execute("DROP FUNCTION read_models.enclose")
    op.execute("REVOKE ALL ON projections, checkpoints FROM analytics_reader")
    op.execute("REVOKE ALL ON SCHEMA read_models FROM analytics_reader")
