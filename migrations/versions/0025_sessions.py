"""Sessions of the pages: found by a hash of the cookie, with the token sealed by what the cookie holds."""

from alembic import op

revision = "0025_sessions"
down_revision = "0024_reports"


def upgrade() -> None:
    """Make the table. A session is a person's, whatever their companies are."""
    op.execute("""
        CREATE TABLE sessions (
            session_id bytea PRIMARY KEY,
            token bytea NOT NULL,
            expires_at bigint NOT NULL
        )
    """)
    op.execute("CREATE INDEX sessions_ended ON sessions (expires_at)")


def downgrade() -> None:
    """Drop the table: everybody signs in again."""
    op.execute("DROP TABLE sessions")
