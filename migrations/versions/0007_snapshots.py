"""Snapshots: copies of the rows of projections at a position, from which the past is told faster."""

from alembic import op

revision = "0007_snapshots"
down_revision = "0006_log_seals"


def upgrade() -> None:
    """Create the registry; the copies are tables of their own in the schema of the read models."""
    op.execute("""
        CREATE TABLE snapshots (
            projection text NOT NULL, version int NOT NULL, number int NOT NULL, fingerprint text NOT NULL,
            position text NOT NULL, latest bigint, taken_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (projection, version, number))
    """)


def downgrade() -> None:
    """Forget them; the copies are orphans then."""
    op.execute("DROP TABLE snapshots")
