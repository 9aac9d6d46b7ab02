"""Members: a role that sees the rows of some users of one company, whatever the statement forgets to say.

It may read the tables whose rows say whose they are, and those that are open to members; no other one.
"""

from alembic import op

revision = "0022_members"
down_revision = "0021_stamps_of_tenants"

# As the role of readers, in migration 0012.
ROLE = """
    DO $$ BEGIN
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'analytics_member') THEN
            CREATE ROLE analytics_member NOLOGIN;
        END IF;
        IF NOT pg_has_role(current_user, 'analytics_member', 'SET') THEN
            GRANT analytics_member TO CURRENT_USER WITH INHERIT FALSE, SET TRUE;
        END IF;
    EXCEPTION
        WHEN duplicate_object OR unique_violation THEN
            RAISE EXCEPTION 'another database of this server is being migrated: try again';
        WHEN insufficient_privilege THEN
            RAISE EXCEPTION 'this user may not make the role of members; let somebody who may run:'
                ' CREATE ROLE analytics_member NOLOGIN; GRANT analytics_member TO %', quote_ident(current_user);
    END $$
"""

# The ids are read once a statement, by the SELECT around them, and not once a row. Where they are not set there is no
# row, as with the company. Where rows name no user they are their account's. The policy of a table comes from its
# columns, so that no table can be forgotten: one without a user or account stays closed unless it is opened.
ENCLOSE = """
    CREATE FUNCTION read_models.enclose(target regclass, open_to_members boolean DEFAULT false) RETURNS void
    LANGUAGE plpgsql AS $$
    DECLARE
        own text := '%1$I = ANY ((SELECT NULLIF(current_setting(''analytics.%1$ss'', true), '''')::text[])::text[])';
        of_user text; of_account text;
    BEGIN
        IF NOT (SELECT relforcerowsecurity FROM pg_class WHERE oid = target) THEN
            EXECUTE format('ALTER TABLE %1$s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', target);
            EXECUTE format('CREATE POLICY writer ON %1$s TO CURRENT_USER USING (true) WITH CHECK (true)', target);
            EXECUTE format('CREATE POLICY tenant ON %1$s FOR SELECT TO analytics_reader'
                ' USING (company_id = current_setting(''analytics.company'', true))', target);
            EXECUTE format('GRANT SELECT ON %1$s TO analytics_reader', target);
        END IF;
        IF EXISTS (SELECT FROM pg_policy WHERE polrelid = target AND polname = 'member') THEN
            RETURN;
        END IF;
        SELECT max(format(own, attname)) FILTER (WHERE attname = 'user_id'),
               max(format(own, attname)) FILTER (WHERE attname = 'account_id')
        INTO of_user, of_account FROM pg_attribute WHERE attrelid = target AND NOT attisdropped;
        own := CASE WHEN open_to_members THEN 'true' ELSE COALESCE(of_user, of_account) END;
        IF own IS NOT NULL THEN
            EXECUTE format('CREATE POLICY member ON %s FOR SELECT TO analytics_member'
                ' USING (company_id = current_setting(''analytics.company'', true) AND %s)', target, own);
            EXECUTE format('GRANT SELECT ON %s TO analytics_member', target);
        END IF;
    END $$
"""

# Those that are open, as their declarations say from now on.
EXISTING = """
    DO $$ DECLARE found record; BEGIN
        FOR found IN SELECT oid::regclass AS name, relname FROM pg_class
                     WHERE relnamespace = 'read_models'::regnamespace AND relkind = 'r' AND relforcerowsecurity LOOP
            PERFORM read_models.enclose(found.name, found.relname ~ '^(market_bar|configured_company)_v[0-9]');
        END LOOP;
    END $$
"""


def upgrade() -> None:
    """Make the role, give it what members need, and a policy to every table that it may read."""
    op.execute(ROLE)
    op.execute("GRANT USAGE ON SCHEMA read_models TO analytics_member")
    op.execute("GRANT SELECT ON checkpoints TO analytics_member")
    op.execute("GRANT SELECT (name, version, definition, live) ON projections TO analytics_member")
    op.execute("DROP FUNCTION read_models.enclose(regclass)")
    op.execute(ENCLOSE)
    op.execute(EXISTING)


def downgrade() -> None:
    """Close everything to members. The role stays: other databases of the server may need it."""
    op.execute("""
        DO $$ DECLARE found record; BEGIN
            FOR found IN SELECT polrelid::regclass AS name FROM pg_policy WHERE polname = 'member' LOOP
                EXECUTE format('DROP POLICY member ON %s', found.name);
                EXECUTE format('REVOKE ALL ON %s FROM analytics_member', found.name);
            END LOOP;
        END $$
    """)
    op.execute("REVOKE ALL ON projections, checkpoints FROM analytics_member")
    op.execute("REVOKE ALL ON SCHEMA read_models FROM analytics_member")
    op.execute("DROP FUNCTION read_models.enclose(regclass, boolean)")
    op.execute("""
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
    """)
