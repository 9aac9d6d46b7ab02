"""Ids are of producers: an event is known by its company, its producer and its event_id, and by what it says."""

from alembic import op

revision = "0028_ids_of_producers"
down_revision = "0027_decimal_places"


def upgrade() -> None:
    """What was remembered was of stream, company and user: it goes on to be asked, under the name that it had."""
    op.execute("ALTER TABLE seen_events RENAME TO earlier_seen_events")
    op.execute("ALTER INDEX seen_events_pkey RENAME TO earlier_seen_events_pkey")
    op.execute("""
        CREATE TABLE seen_events (
            identity uuid PRIMARY KEY, content bigint NOT NULL,
            "offset" bigint NOT NULL, partition int NOT NULL, topic text NOT NULL)
    """)


def downgrade() -> None:
    """What was admitted since is not known under the earlier names: repeats of it would count."""
    op.execute("DROP TABLE seen_events")
    op.execute("ALTER INDEX earlier_seen_events_pkey RENAME TO seen_events_pkey")
    op.execute("ALTER TABLE earlier_seen_events RENAME TO seen_events")
