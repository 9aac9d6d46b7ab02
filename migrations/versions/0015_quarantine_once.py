"""What identifies a bad event of a door: it is kept once, however often it is sent."""

from alembic import op

revision = "0015_quarantine_once"
down_revision = "0014_sealer_reports"


def upgrade() -> None:
    """Add the column; what lies there already, and what comes from the log, has none."""
    op.execute("ALTER TABLE quarantine ADD COLUMN identity bytea UNIQUE")


def downgrade() -> None:
    """Forget it."""
    op.execute("ALTER TABLE quarantine DROP identity")
