"""The embedded log: partitions with their next free offset, runs of records, and the workers that share partitions.

Revision ID: 0001_embedded_log
Revises:
"""

from alembic import op

revision = "0001_embedded_log"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the schema `log`."""
    op.execute(
        """
        create schema log;

        -- one row a partition; whoever appends locks it until the commit, so that offset order is commit order
        create table log.partitions (
            id           integer generated always as identity primary key,
            topic        text    not null,
            partition    integer not null check (partition >= 0),
            first_offset bigint  not null default 0,  -- first retained
            next_offset  bigint  not null default 0,  -- next free
            unique (topic, partition)
        ) with (fillfactor = 20);  -- updated in place by every append, so leave room for the new versions

        -- records lie in runs: consecutive offsets of one partition that were appended together
        create table log.runs (
            partition_id integer     not null references log.partitions (id),
            last_offset  bigint      not null,
            first_offset bigint      not null check (first_offset <= last_offset),
            appended_at  timestamptz not null,
            sizes        bytea       not null,  -- bytes of each record, as little-endian 32-bit numbers
            records      bytea       not null,  -- the records' values, one after the other
            primary key (partition_id, last_offset)
        );
        -- EXTERNAL: never compressed, which would cost more time than the disk it saves
        alter table log.runs alter column sizes set storage external, alter column records set storage external;
        create index runs_by_time on log.runs using brin (appended_at);

        -- a worker that has not renewed its lease is no member any more
        create table log.members (
            worker     text        not null,
            seniority  bigint      generated always as identity,
            group_name text        not null,
            topics     text[]      not null,
            expires_at timestamptz not null,
            primary key (group_name, worker)
        );
        """
    )


def downgrade() -> None:
    """Remove the log with everything in it."""
    op.execute("drop schema log cascade")
