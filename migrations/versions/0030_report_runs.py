"""Runs of report schedules, how far they are planned, and who was heard of that makes them."""

from alembic import op

revision = "0030_report_runs"
down_revision = "0029_when_the_log_took_it"


def upgrade() -> None:
    """Make the tables. A run is there once for a due time of a schedule; the company comes first, as everywhere."""
    op.execute("""
        CREATE TABLE report_runs (
            company_id text NOT NULL,
            schedule_id text NOT NULL,
            due bigint NOT NULL,
            state text NOT NULL,
            holder text,
            lease_until timestamptz,
            tries int NOT NULL DEFAULT 0,
            again bigint NOT NULL DEFAULT 0,
            run jsonb NOT NULL,
            PRIMARY KEY (company_id, schedule_id, due)
        )
    """)
    op.execute("CREATE INDEX report_runs_open ON report_runs (due) WHERE state IN ('due', 'running')")
    op.execute("CREATE INDEX report_runs_newest ON report_runs (company_id, due DESC, schedule_id)")
    op.execute("""
        CREATE TABLE report_plan (
            single bool PRIMARY KEY DEFAULT true CHECK (single),
            planned_until bigint NOT NULL, event_number bigint NOT NULL)
    """)
    op.execute("CREATE TABLE scheduler_reports (holder text PRIMARY KEY, heard_at timestamptz NOT NULL)")


def downgrade() -> None:
    """Take them away: what was due is no longer known to be made, and is not made again."""
    op.execute("DROP TABLE report_runs, report_plan, scheduler_reports")
