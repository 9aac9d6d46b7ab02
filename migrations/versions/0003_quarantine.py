"""The quarantine: bad events with their bytes, reason, place and tenant, until somebody repairs or drops them."""

from alembic import op

revision = "0003_quarantine"
down_revision = "0002_projection_engine"


def upgrade() -> None:
    """Create the table. Rows of the log have a log position, rows of a door have the door and a line."""
    op.execute("""
        CREATE TABLE quarantine (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            recorded_at timestamptz NOT NULL DEFAULT now(),
            code text NOT NULL, reason text NOT NULL, stream text,
            topic text, partition int, "offset" bigint, item int,
            door text NOT NULL, line bigint,
            company_id text NOT NULL DEFAULT '', event_id text NOT NULL DEFAULT '',
            raw bytea NOT NULL, status text NOT NULL DEFAULT 'waiting',
            UNIQUE NULLS DISTINCT (topic, partition, "offset", item))
    """)


def downgrade() -> None:
    """Refused while anything waits: what is in quarantine is nowhere else."""
    op.execute("""
        DO $$ BEGIN
            IF EXISTS (SELECT FROM quarantine WHERE status = 'waiting') THEN
                RAISE EXCEPTION 'events wait in quarantine';
            END IF;
        END $$
    """)
    op.execute("DROP TABLE quarantine")
