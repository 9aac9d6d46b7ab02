"""Where each company's last event lies: what was computed of its rows stays right while only others' events come."""

from alembic import op

revision = "0023_tenant_positions"
down_revision = "0022_members"


def upgrade() -> None:
    """Make the table. Who has no row there has had no event since; readers see the rows of the company asked about.

    Topic '': how often rows of the company were put in place of others at the same position.
    """
    op.execute("""
        CREATE TABLE tenant_positions (
            company_id text NOT NULL, topic text NOT NULL, partition int NOT NULL, next_offset bigint NOT NULL,
            PRIMARY KEY (company_id, topic, partition)
        ) WITH (fillfactor = 70)
    """)
    op.execute("ALTER TABLE tenant_positions ENABLE ROW LEVEL SECURITY")
    op.execute("""
        CREATE POLICY writer ON tenant_positions
        USING (current_user NOT IN ('analytics_reader', 'analytics_member'))
        WITH CHECK (current_user NOT IN ('analytics_reader', 'analytics_member'))
    """)
    op.execute("""
        CREATE POLICY tenant ON tenant_positions FOR SELECT TO analytics_reader
        USING (company_id = current_setting('analytics.company', true))
    """)
    op.execute("GRANT SELECT ON tenant_positions TO analytics_reader")


def downgrade() -> None:
    """Answers are kept by the position of the whole log again."""
    op.execute("DROP TABLE tenant_positions")
