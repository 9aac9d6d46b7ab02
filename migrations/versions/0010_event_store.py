"""The event store of the aggregates, and the idempotency keys of commands.

Table, index and type are those that the eventsourcing library would make for a recorder of `config_events`; they are
made here, because durable tables are made by migrations alone.
"""

from alembic import op

revision = "0010_event_store"
down_revision = "0009_operating"


def upgrade() -> None:
    """Create them. The type is what the library inserts arrays of."""
    op.execute("""
        CREATE TABLE config_events (
            originator_id uuid NOT NULL,
            originator_version bigint NOT NULL,
            topic text NOT NULL,
            state bytea NOT NULL,
            notification_id bigserial,
            PRIMARY KEY (originator_id, originator_version))
    """)
    op.execute("CREATE UNIQUE INDEX config_events_notification_id_idx ON config_events (notification_id ASC)")
    op.execute("""
        CREATE TYPE stored_event_uuid AS (
            originator_id uuid, originator_version bigint, topic text, state bytea)
    """)
    op.execute("""
        CREATE TABLE idempotency_keys (
            company_id text NOT NULL, key text NOT NULL, fingerprint bytea NOT NULL,
            aggregate_id uuid NOT NULL, before bigint NOT NULL, version bigint NOT NULL,
            expires_at timestamptz NOT NULL,
            PRIMARY KEY (company_id, key))
    """)
    op.execute("CREATE INDEX idempotency_keys_expires_at_idx ON idempotency_keys (expires_at)")


def downgrade() -> None:
    """Refused while there are events: they are nowhere else until they are relayed."""
    op.execute("""
        DO $$ BEGIN
            IF EXISTS (SELECT FROM config_events) THEN
                RAISE EXCEPTION 'the event store holds events';
            END IF;
        END $$
    """)
    op.execute("DROP TABLE idempotency_keys")
    op.execute("DROP TABLE config_events")
    op.execute("DROP TYPE stored_event_uuid")
