"""Reports that were made: what was asked for and what came of it. Their files are in the data folder."""

from alembic import op

revision = "0024_reports"
down_revision = "0023_tenant_positions"


def upgrade() -> None:
    """Make the table. The company comes first, as everywhere."""
    op.execute("""
        CREATE TABLE reports (
            company_id text NOT NULL,
            report_id text NOT NULL,
            kind text NOT NULL,
            requested_by text NOT NULL,
            requested_at bigint NOT NULL,
            idempotency_key text,
            report jsonb NOT NULL,
            PRIMARY KEY (company_id, report_id),
            UNIQUE (company_id, requested_by, idempotency_key)
        )
    """)
    op.execute("CREATE INDEX reports_newest ON reports (company_id, requested_at DESC, report_id DESC)")


def downgrade() -> None:
    """Drop the table; the files stay where they are."""
    op.execute("DROP TABLE reports")
