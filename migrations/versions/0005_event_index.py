"""The sparse index of the log: what each block of records may hold. Disposable: the log can give it again."""

from alembic import op

revision = "0005_event_index"
down_revision = "0004_stored_versions"


def upgrade() -> None:
    """Create the table; a block's list of companies or types is null where it is too long to be kept."""
    op.execute("""
        CREATE TABLE log_blocks (
            topic text NOT NULL, partition int NOT NULL, first_offset bigint NOT NULL, next_offset bigint NOT NULL,
            records int NOT NULL, bytes bigint NOT NULL, min_time bigint, max_time bigint, appended_at bigint NOT NULL,
            companies text[], types text[], identities bytea NOT NULL,
            PRIMARY KEY (topic, partition, first_offset), CHECK (first_offset < next_offset))
    """)
    # EXTERNAL: not compressed, so that one byte of a filter is read without the rest of it
    op.execute("ALTER TABLE log_blocks ALTER COLUMN identities SET STORAGE EXTERNAL")


def downgrade() -> None:
    """Forget the index."""
    op.execute("DROP TABLE log_blocks")
