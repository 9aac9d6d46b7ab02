"""Snapshots are signed: the digest of each company's rows in each of their tables, and a signature over them."""

from alembic import op

revision = "0018_signed_snapshots"
down_revision = "0017_ids_with_their_company"


def upgrade() -> None:
    """Room for both; what was copied before stays unsigned, and nobody goes on from it."""
    op.execute("ALTER TABLE snapshots ADD COLUMN digests jsonb, ADD COLUMN signature bytea")


def downgrade() -> None:
    """Forget them."""
    op.execute("ALTER TABLE snapshots DROP COLUMN digests, DROP COLUMN signature")
