"""What alerters remember of each watch; changes on their way into the log, and notices on their way to people."""

from alembic import op

revision = "0031_alerts"
down_revision = "0030_report_runs"


def upgrade() -> None:
    """Make the tables. The company comes first, as everywhere."""
    op.execute("""
        CREATE TABLE alert_watches (
            company_id text NOT NULL,
            watch_id text NOT NULL,
            watch jsonb NOT NULL,
            book jsonb NOT NULL,
            due bigint NOT NULL,
            holder text,
            lease_until timestamptz,
            tries bigint NOT NULL DEFAULT 0,
            PRIMARY KEY (company_id, watch_id)
        )
    """)
    op.execute("CREATE INDEX alert_watches_due ON alert_watches (due)")
    op.execute("""
        CREATE TABLE alert_outbox (
            number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            company_id text NOT NULL, transition jsonb NOT NULL
        )
    """)
    op.execute("""
        CREATE TABLE alert_notices (
            company_id text NOT NULL,
            notice_id text NOT NULL,
            at bigint NOT NULL,
            state text NOT NULL DEFAULT 'waiting',
            holder text,
            lease_until timestamptz,
            tries int NOT NULL DEFAULT 0,
            tried_at bigint NOT NULL DEFAULT 0,
            error text NOT NULL DEFAULT '',
            notice jsonb NOT NULL,
            PRIMARY KEY (company_id, notice_id)
        )
    """)
    op.execute("CREATE INDEX alert_notices_open ON alert_notices (at) WHERE state = 'waiting'")
    op.execute("CREATE INDEX alert_notices_newest ON alert_notices (company_id, at DESC)")
    op.execute("CREATE TABLE alerter_reports (holder text PRIMARY KEY, heard_at timestamptz NOT NULL)")


def downgrade() -> None:
    """Take them away: what people were told is no longer known, and is told again."""
    op.execute("DROP TABLE alert_watches, alert_outbox, alert_notices, alerter_reports")
