"""Seals of the log's blocks. They can be tampered with like the log: what they say is checked against signatures."""

from alembic import op

revision = "0006_log_seals"
down_revision = "0005_event_index"


def upgrade() -> None:
    """Create the table; a link of a partition's chain is used once."""
    op.execute("""
        CREATE TABLE log_seals (
            topic text NOT NULL, partition int NOT NULL, first_offset bigint NOT NULL, next_offset bigint NOT NULL,
            records bigint NOT NULL, content bytea NOT NULL, root bytea NOT NULL,
            previous bytea NOT NULL, chain bytea NOT NULL, sealed_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (topic, partition, first_offset), UNIQUE (topic, partition, previous))
    """)


def downgrade() -> None:
    """Forget the seals; the signed checkpoints stay where they are."""
    op.execute("DROP TABLE log_seals")
