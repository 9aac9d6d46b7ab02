"""Who agreed to be compared: one function that looks over the tenant wall, and gives ids of companies alone."""

from alembic import op

revision = "0013_agreed_companies"
down_revision = "0012_tenant_wall"

# As its owner, whom the policy `writer` lets see all rows; nobody else may call it but readers. The search path is set
# and ends with pg_temp, or a caller's temporary table could stand in for one that is named here. A company of which an
# event cannot be read counts as one that did not agree: it may be what that event says.
AGREED = """
    CREATE FUNCTION read_models.agreed_companies(of_tier text, of_currency text, most int) RETURNS SETOF text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    DECLARE stored int := (SELECT version FROM public.projections WHERE name = 'configuration' AND live);
    BEGIN
        IF stored IS NULL THEN
            RETURN;
        END IF;
        RETURN QUERY EXECUTE format('SELECT company_id::text FROM read_models.%I'
            ' WHERE benchmark_consent AND unread_events = 0 AND tier = $1 AND ($2 IS NULL OR currency = $2)'
            ' ORDER BY sha256(convert_to(company_id, ''UTF8'')) LIMIT $3', 'configured_company_v' || stored)
            USING of_tier, of_currency, most;
    END $$
"""


def upgrade() -> None:
    """Make the function, for readers."""
    op.execute(AGREED)
    op.execute("REVOKE ALL ON FUNCTION read_models.agreed_companies FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION read_models.agreed_companies TO analytics_reader")


def downgrade() -> None:
    """Take it away."""
    op.execute("DROP FUNCTION read_models.agreed_companies")
