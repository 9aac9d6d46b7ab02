"""Each stored version of a projection says how fine its decimals are: millionths until now, then trillionths."""

from alembic import op

revision = "0027_decimal_places"
down_revision = "0026_trading_minutes"


def upgrade() -> None:
    """What is stored was stored in millionths."""
    op.execute("ALTER TABLE projections ADD COLUMN places smallint NOT NULL DEFAULT 6")
    op.execute("ALTER TABLE projections ALTER COLUMN places SET DEFAULT 12")
    op.execute("GRANT SELECT (places) ON projections TO analytics_reader, analytics_member")


def downgrade() -> None:
    """Versions of trillionths are nothing that an earlier release can read."""
    op.execute("DELETE FROM projections WHERE places <> 6")
    op.execute("ALTER TABLE projections DROP COLUMN places")
