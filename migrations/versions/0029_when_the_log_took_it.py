"""The quarantine says when the log took an event: a report that is repaired is no newer than it was."""

from alembic import op

revision = "0029_when_the_log_took_it"
down_revision = "0028_ids_of_producers"


def upgrade() -> None:
    """Of entries of doors, and of those that are there, it is when they were recorded."""
    op.execute("ALTER TABLE quarantine ADD COLUMN taken_at bigint")


def downgrade() -> None:
    """Repaired events count from then on as reported when they were repaired."""
    op.execute("ALTER TABLE quarantine DROP COLUMN taken_at")
