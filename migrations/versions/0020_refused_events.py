"""Events that single projections refuse: in quarantine with the projection whose fold or table does not take them."""

from alembic import op

revision = "0020_refused_events"
down_revision = "0019_keys_of_long_texts"


def upgrade() -> None:
    """Add the columns: null where the event is no good for anybody. A definition refuses an event once."""
    op.execute("ALTER TABLE quarantine ADD projection text, ADD definition int")
    op.execute("""
        CREATE UNIQUE INDEX quarantine_refused ON quarantine (topic, partition, "offset", projection, definition)
        WHERE projection IS NOT NULL
    """)
    # One event may be refused by several projections, so that its place alone is not unique any more.
    op.execute('ALTER TABLE quarantine DROP CONSTRAINT IF EXISTS "quarantine_topic_partition_offset_item_key"')
    op.execute("""
        CREATE UNIQUE INDEX quarantine_places ON quarantine (topic, partition, "offset", item)
        WHERE projection IS NULL
    """)


def downgrade() -> None:
    """Refused while such events wait: what is in quarantine is nowhere else."""
    op.execute("""
        DO $$ BEGIN
            IF EXISTS (SELECT FROM quarantine WHERE projection IS NOT NULL) THEN
                RAISE EXCEPTION 'events that single projections refuse are in quarantine';
            END IF;
        END $$
    """)
    op.execute("DROP INDEX quarantine_refused, quarantine_places")
    op.execute("ALTER TABLE quarantine DROP projection, DROP definition")
    op.execute('ALTER TABLE quarantine ADD UNIQUE NULLS DISTINCT (topic, partition, "offset", item)')
