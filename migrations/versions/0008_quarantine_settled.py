"""What became of quarantined events: who replayed or dropped them, when, why and whereto."""

from alembic import op

revision = "0008_quarantine_settled"
down_revision = "0007_snapshots"


def upgrade() -> None:
    """Add the columns, and an index of what waits."""
    op.execute("""
        ALTER TABLE quarantine ADD COLUMN settled_at timestamptz, ADD COLUMN settled_by text,
            ADD COLUMN note text, ADD COLUMN replayed_to text
    """)
    op.execute("CREATE INDEX quarantine_waiting ON quarantine (id) WHERE status = 'waiting'")


def downgrade() -> None:
    """Forget it."""
    op.execute("DROP INDEX quarantine_waiting")
    op.execute("ALTER TABLE quarantine DROP settled_at, DROP settled_by, DROP note, DROP replayed_to")
