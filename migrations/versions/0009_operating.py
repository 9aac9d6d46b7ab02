"""How the workers are: classified failures of projections, and heartbeats of those who fold."""

from alembic import op

revision = "0009_operating"
down_revision = "0008_quarantine_settled"


def upgrade() -> None:
    """Add the column and the table. A heartbeat that is lost is written again a second later: no WAL for it."""
    op.execute("ALTER TABLE projections ADD COLUMN failure jsonb")
    op.execute("""
        CREATE UNLOGGED TABLE heartbeats (
            worker text PRIMARY KEY,
            seen_at timestamptz NOT NULL DEFAULT now(),
            topics jsonb NOT NULL
        )
    """)


def downgrade() -> None:
    """Forget them."""
    op.execute("DROP TABLE heartbeats")
    op.execute("ALTER TABLE projections DROP failure")
