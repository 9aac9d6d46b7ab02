"""Filters of the event index hold ids with their company: rows without them would rule out what is there."""

from alembic import op

revision = "0017_ids_with_their_company"
down_revision = "0016_stored_tiers"


def upgrade() -> None:
    """Forget the index; the indexer makes it anew, and searches read the log until then."""
    op.execute("TRUNCATE log_blocks")


def downgrade() -> None:
    """As there."""
    op.execute("TRUNCATE log_blocks")
