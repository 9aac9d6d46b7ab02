"""Minutes of trades belong to the projection `trading`, whose ledger says which report of a trade counts in them."""

from alembic import op

revision = "0026_trading_minutes"
down_revision = "0025_sessions"


def upgrade() -> None:
    """Retire the projection that had them, with its rows: `trading` fills such a table itself."""
    op.execute("DELETE FROM checkpoints WHERE projection = 'trading_minutes'")
    op.execute("DELETE FROM shares WHERE projection = 'trading_minutes'")
    op.execute("UPDATE projections SET state = 'retired', live = false WHERE name = 'trading_minutes'")
    op.execute("""
        DO $$
        DECLARE stored text;
        BEGIN
            FOR stored IN
                SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
                WHERE schemaname = 'read_models' AND tablename ~ '^trading_by_minute_v'
            LOOP
                EXECUTE 'DROP TABLE ' || stored;
            END LOOP;
        END $$
    """)


def downgrade() -> None:
    """Let the projection be begun anew: its rows follow from the log."""
    op.execute("DELETE FROM projections WHERE name = 'trading_minutes'")
