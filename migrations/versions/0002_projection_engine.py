"""Checkpoints, admission and the registry of projections: what the projection engine keeps beside the rows."""

from alembic import op

revision = "0002_projection_engine"
down_revision = "0001_embedded_log"


def upgrade() -> None:
    """Create the engine's durable tables and the schema of the read models."""
    op.execute("CREATE SCHEMA read_models")
    op.execute("""
        CREATE TABLE projections (
            name text NOT NULL, version int NOT NULL, fingerprint text NOT NULL,
            state text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'paused', 'stopped', 'retired')),
            error text, changed_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (name, version))
    """)
    op.execute("""
        CREATE TABLE checkpoints (
            projection text NOT NULL, version int NOT NULL, topic text NOT NULL, partition int NOT NULL,
            next_offset bigint NOT NULL, head bigint NOT NULL,
            appended_at bigint NOT NULL, confirmed_at bigint NOT NULL,
            events bigint NOT NULL, rate real NOT NULL, PRIMARY KEY (projection, version, topic, partition))
            WITH (fillfactor = 40)
    """)
    op.execute("""
        CREATE TABLE admissions (
            topic text NOT NULL, partition int NOT NULL, next_offset bigint NOT NULL, admitted bigint NOT NULL,
            duplicates bigint NOT NULL, quarantined bigint NOT NULL, PRIMARY KEY (topic, partition))
            WITH (fillfactor = 40)
    """)
    op.execute("""
        CREATE TABLE producers (
            topic text NOT NULL, partition int NOT NULL, producer_id text NOT NULL, highest bigint NOT NULL,
            PRIMARY KEY (topic, partition, producer_id)) WITH (fillfactor = 60)
    """)
    op.execute("""
        CREATE TABLE duplicates (
            topic text NOT NULL, partition int NOT NULL, "offset" bigint NOT NULL,
            PRIMARY KEY (topic, partition, "offset"))
    """)
    op.execute("""
        CREATE TABLE seen_events (
            identity uuid PRIMARY KEY, topic text NOT NULL, partition int NOT NULL, "offset" bigint NOT NULL)
    """)


def downgrade() -> None:
    """Forget all read models: the log can give them again."""
    op.execute("DROP SCHEMA read_models CASCADE")
    op.execute("DROP TABLE projections, checkpoints, admissions, producers, duplicates, seen_events")
