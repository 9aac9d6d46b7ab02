"""Stamps of tenants: two companies may call their producers alike, so the company is part of who has stamped."""

from alembic import op

revision = "0021_stamps_of_tenants"
down_revision = "0020_refused_events"


def upgrade() -> None:
    """Add the company. What is stored is of nobody in particular (''): it goes on to hold for every company."""
    op.execute("ALTER TABLE producers ADD company_id text NOT NULL DEFAULT '', DROP CONSTRAINT producers_pkey")
    op.execute("ALTER TABLE producers ALTER company_id DROP DEFAULT")
    op.execute("ALTER TABLE producers ADD PRIMARY KEY (topic, partition, company_id, producer_id)")


def downgrade() -> None:
    """The highest sequence of all companies holds for each of them, as it did."""
    op.execute("""
        DELETE FROM producers p USING producers q WHERE p.topic = q.topic AND p.partition = q.partition
        AND p.producer_id = q.producer_id AND (p.highest, p.company_id) < (q.highest, q.company_id)
    """)
    op.execute("ALTER TABLE producers DROP CONSTRAINT producers_pkey, DROP company_id")
    op.execute("ALTER TABLE producers ADD PRIMARY KEY (topic, partition, producer_id)")
