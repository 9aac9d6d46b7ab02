"""How far the event store is relayed into the log, and where its events lie there."""

from alembic import op

revision = "0011_relay"
down_revision = "0010_event_store"


def upgrade() -> None:
    """Create the tables; `relay` has one row, which moves by compare-and-set."""
    op.execute(
        "CREATE TABLE relay (only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row), last_id bigint NOT NULL)"
    )
    op.execute("INSERT INTO relay (last_id) VALUES (0)")
    op.execute("""
        CREATE TABLE relay_places (
            partition int NOT NULL, notification_id bigint NOT NULL, log_offset bigint NOT NULL,
            PRIMARY KEY (partition, notification_id))
    """)


def downgrade() -> None:
    """Forget them: everything is relayed again, and counts once."""
    op.execute("DROP TABLE relay_places")
    op.execute("DROP TABLE relay")
