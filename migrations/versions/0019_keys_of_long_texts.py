"""Keys of long texts: an index row holds 2,704 bytes and a text of the contract 4,096, so keys hold a short form of it.

A text of less than 128 bytes is its own short form. That of a longer one is its first 64 characters, which keep the
order, and its SHA-256; it has 128 bytes at least, so that no text is taken for another.
"""

from alembic import op

revision = "0019_keys_of_long_texts"
down_revision = "0018_signed_snapshots"

# Two functions: one with a CASE and nothing else is written into each statement by the planner, a call takes longer.
SHORTENED = """
    CREATE FUNCTION read_models.shortened(long text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$ SELECT left($1, 64) || encode(sha256(convert_to($1, 'UTF8')), 'hex') $$
"""
SHORT = """
    CREATE FUNCTION read_models.short(text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT CASE WHEN octet_length($1) < 128 THEN $1 ELSE read_models.shortened($1) END $$
"""

# Every stored key with a text of a payload; those of envelopes are short by themselves.
KEYS = """
    DO $$ DECLARE found record; BEGIN
        FOR found IN
            SELECT i.indrelid::regclass AS name, c.relname, string_agg(
                format(CASE WHEN a.atttypid = 'text'::regtype AND a.attname NOT IN ('company_id', 'user_id', 'event_id')
                       THEN 'read_models.short(%I)' ELSE '%I' END, a.attname), ', ' ORDER BY k.place) AS columns
            FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
            CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k (number, place)
            JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
            WHERE i.indisprimary AND c.relnamespace = 'read_models'::regnamespace GROUP BY 1, 2
        LOOP
            CONTINUE WHEN found.columns NOT LIKE '%read_models.short%';
            EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', found.name, found.relname || '_pkey');
            EXECUTE format('CREATE UNIQUE INDEX %I ON %s (%s)', found.relname || '_key', found.name, found.columns);
        END LOOP;
    END $$
"""


def upgrade() -> None:
    """Make the functions, and the keys of what is stored anew."""
    op.execute(SHORTENED)
    op.execute(SHORT)
    op.execute(KEYS)


def downgrade() -> None:
    """Refused while anything is stored by such a key."""
    op.execute("DROP FUNCTION read_models.short")
    op.execute("DROP FUNCTION read_models.shortened")
