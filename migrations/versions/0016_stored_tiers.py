"""Which tiers are stored: a function that looks over the tenant wall, and gives companies with their tiers alone."""

from alembic import op

revision = "0016_stored_tiers"
down_revision = "0015_quarantine_once"

# As `agreed_companies` in migration 0013, which says why it is written so. Before its second definition the projection
# gave every company a tier, also those that were commanded none.
STORED = """
    CREATE FUNCTION read_models.stored_tiers() RETURNS TABLE (company text, tier text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    DECLARE stored int := (
        SELECT version FROM public.projections WHERE name = 'configuration' AND live AND definition > 1);
    BEGIN
        IF stored IS NULL THEN
            RETURN;
        END IF;
        RETURN QUERY EXECUTE format('SELECT company_id::text, tier::text FROM read_models.%I'
            ' WHERE tier IS NOT NULL', 'configured_company_v' || stored);
    END $$
"""


def upgrade() -> None:
    """Make the function, for readers."""
    op.execute(STORED)
    op.execute("REVOKE ALL ON FUNCTION read_models.stored_tiers FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION read_models.stored_tiers TO analytics_reader")


def downgrade() -> None:
    """Take it away."""
    op.execute("DROP FUNCTION read_models.stored_tiers")
