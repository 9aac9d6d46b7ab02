"""Several stored versions of a projection: one is live, others are built beside it. Where unfinished builds stand."""

from alembic import op

revision = "0004_stored_versions"
down_revision = "0003_quarantine"


def upgrade() -> None:
    """Of what was stored, the newest version of each name was the one that readers saw."""
    op.execute("""
        ALTER TABLE projections
            ADD COLUMN definition int, ADD COLUMN live boolean NOT NULL DEFAULT false, ADD COLUMN reason text,
            DROP CONSTRAINT projections_state_check,
            ADD CHECK (state IN ('running', 'paused', 'stopped', 'retired', 'building'))
    """)
    op.execute("""
        UPDATE projections AS p SET definition = version,
            live = version = (SELECT max(version) FROM projections AS q WHERE q.name = p.name)
    """)
    op.execute("ALTER TABLE projections ALTER COLUMN definition SET NOT NULL")
    op.execute("CREATE UNIQUE INDEX projections_live ON projections (name) WHERE live")
    # Unlogged like the tables that a build fills: a crash of the server empties all of them, and the build begins anew.
    op.execute("""
        CREATE UNLOGGED TABLE shares (
            projection text NOT NULL, version int NOT NULL, number int NOT NULL, topic text NOT NULL,
            partition int NOT NULL, start bigint NOT NULL, next_offset bigint NOT NULL, stop bigint NOT NULL,
            PRIMARY KEY (projection, version, number)) WITH (fillfactor = 40)
    """)


def downgrade() -> None:
    """Forget which version is live; older code reads the one that the declaration names."""
    op.execute("DROP TABLE shares")
    op.execute("DELETE FROM projections WHERE state = 'building'")
    op.execute("""
        ALTER TABLE projections DROP COLUMN definition, DROP COLUMN live, DROP COLUMN reason,
            DROP CONSTRAINT projections_state_check,
            ADD CONSTRAINT projections_state_check CHECK (state IN ('running', 'paused', 'stopped', 'retired'))
    """)
