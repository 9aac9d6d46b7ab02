"""Sealer: what was last heard of it, where other processes can read it."""

from alembic import op

revision = "0014_sealer_reports"
down_revision = "0013_agreed_companies"


def upgrade() -> None:
    """Make the table of one row."""
    op.execute("""
        CREATE TABLE sealer_reports (
            single bool PRIMARY KEY DEFAULT true CHECK (single), problem text NOT NULL, every float8 NOT NULL,
            heard_at timestamptz NOT NULL)
    """)


def downgrade() -> None:
    """Take it away."""
    op.execute("DROP TABLE sealer_reports")
