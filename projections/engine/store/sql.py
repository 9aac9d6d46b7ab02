"""SQL text that follows from a declaration: tables, merges, checksums. Text only: adapters execute it.

Names come from declarations alone (checked identifiers), never from a request.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from domain.access.rights import Member
from domain.decimals import PLACES
from domain.errors import Unavailable
from projections.engine.declare.merge_rules import DECIMALS, Bucket, Key, Newest, Text
from projections.engine.declare.projection import OrderedFold, Projection
from projections.engine.declare.rows import Column, Table, hidden_columns

SCHEMA = "read_models"
SCRATCH = 0  # the version of tables that live for one question, in the session's temporary schema
SHORT = f"{SCHEMA}.short"  # migration 0019: a text as itself, from 128 bytes on as its beginning and its SHA-256
RANK = Newest.order[0]
COUNTS = f"{RANK} & 1 = 0"  # of a row of a ledger: it was not taken back
OF_ENVELOPE = ("company_id", "user_id", "event_id")  # texts of 256 bytes at most


def table_name(name: str, version: int) -> str:
    """Qualified name of a declared table in one version of its projection."""
    return f'{SCHEMA if version != SCRATCH else "pg_temp"}."{name}_v{version}"'


def state_table(projection: str, fold: OrderedFold) -> str:
    """Unqualified name of the table that holds an ordered fold's states."""
    return f"{projection}_{fold.name}_state"


def over_tables(projection: Projection, statement: str) -> str:
    """A statement that names tables of a projection in braces, over them as they lie in its version."""
    return statement.format_map({t.name: table_name(t.name, projection.version) for t in projection.tables})


def readable(table: Table, version: int) -> str:
    """What a question reads for a table: of a ledger what was not taken back."""
    name = table_name(table.name, version)
    return f"(SELECT * FROM {name} WHERE {COUNTS})" if table.ledger else name


def of_earlier(table: Table, version: int, columns: Sequence[str], places: int) -> str:
    """What a question reads for a table of an earlier definition: the columns that it has, decimals on the grid of now.

    Raises Unavailable where it counts in buckets of another grid.
    """
    name, finer = table_name(table.name, version), 10 ** (PLACES - places)
    where = f" WHERE {COUNTS}" if RANK in columns else ""
    if finer == 1:
        return f"(SELECT * FROM {name}{where})"
    if any(c.kind is Bucket for c in table.columns):
        raise Unavailable(f"{table.name} counts on another grid of decimals: its projection is to be rebuilt first")
    decimals = {c.name for c in table.columns if c.kind in DECIMALS}
    read = (f'"{each}" * {finer} AS "{each}"' if each in decimals else f'"{each}"' for each in columns)
    return f"(SELECT {', '.join(read)} FROM {name}{where})"


def create_table(table: Table, version: int, *, keyed: bool = True) -> str:
    """DDL of a row table, with its key or before it has one. A low fillfactor leaves room for heap-only updates."""
    columns = [
        f'"{c.name}" {c.kind.sql}{" NOT NULL" if c.rule is Key or c.rule.blank is not None else ""}'
        for c in table.columns
    ]
    columns += [f'"{name}" bigint NOT NULL' for name in hidden_columns(table)]
    created = (
        f"CREATE TABLE IF NOT EXISTS {table_name(table.name, version)} ({', '.join(columns)})"
        " WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05)"
    )
    return f"{created}; {add_key(table, version)}" if keyed else created


def add_key(table: Table, version: int) -> str:
    """DDL of the key of a table that was filled without one: in one go it takes half of the time."""
    return _unique(table.name, version, [c.name for c in table.keys], wide_keys(table))


def _unique(name: str, version: int, keys: Sequence[str], wide: Sequence[str]) -> str:
    """The key, under the name that it has in stored tables: `pkey` was made with them, `key` by migration 0019."""
    index = f'"{name}_v{version}_{"key" if wide else "pkey"}"'
    return f"CREATE UNIQUE INDEX IF NOT EXISTS {index} ON {table_name(name, version)} ({_indexed(keys, wide)})"


def wide_keys(table: Table) -> list[str]:
    """Key columns whose texts may be too long for an index, a row of which has 2,704 bytes at most."""
    return _wide([c.name for c in table.keys if issubclass(c.kind, Text)])


def _wide(texts: Sequence[str]) -> list[str]:
    return [name for name in texts if name not in OF_ENVELOPE]


def _indexed(keys: Sequence[str], wide: Sequence[str]) -> str:
    return ", ".join(f'{SHORT}("{name}")' if name in wide else f'"{name}"' for name in keys)


def _keys(table: Table) -> str:
    return ", ".join(f'"{c.name}"' for c in table.keys)


def in_key_order(table: Table) -> list[str]:
    """Expressions by which rows are sorted by their key, tenant left out, so that its index gives the order."""
    wide = wide_keys(table)
    return [
        expression
        for c in table.keys[1:]
        for expression in ((f'{SHORT}("{c.name}")', f'"{c.name}"') if c.name in wide else (f'"{c.name}"',))
    ]


def after(table: Table, key: Sequence[object]) -> tuple[str, list[object]]:
    """The condition that a row comes after this key (tenant left out) in that order, with its parameters."""
    wide = wide_keys(table)
    parts = [(c.name in wide, value) for c, value in zip(table.keys[1:], key, strict=True)]
    values = ", ".join(f"{SHORT}(%s), %s" if is_wide else "%s" for is_wide, _ in parts)
    params = [param for is_wide, value in parts for param in ((value, value) if is_wide else (value,))]
    return f"({', '.join(in_key_order(table))}) > ({values})", params


def equals(table: Table, column: str, value: object) -> tuple[str, list[object]]:
    """A condition on a column with its parameters, which the index of a key finds however long the text is."""
    if column in wide_keys(table):
        return f'{SHORT}("{column}") = {SHORT}(%s) AND "{column}" = %s', [value, value]
    return f'"{column}" = %s', [value]


def own(table: Table, member: Member) -> tuple[str, list[object]] | None:
    """The condition that a row is shown to a member, with its parameters; None where no row is.

    Migration 0022 says the same of stored tables.
    """
    columns = {c.name for c in table.columns}
    if table.open_to_members:
        return "true", []
    if "user_id" in columns:
        return "user_id = ANY(%s)", [list(member.user_ids)]
    return ("account_id = ANY(%s)", [list(member.account_ids)]) if "account_id" in columns else None


def create_indexes(table: Table, version: int) -> tuple[str, ...]:
    """DDL of what rows are found by beside the key, tenant first. Few, since every update has to keep them."""
    texts = _wide([c.name for c in table.columns if issubclass(c.kind, Text)])
    indexed = {c: beginning(f'"{c}"') if c in texts else f'"{c}"' for c in table.indexed}
    return tuple(
        f'CREATE INDEX IF NOT EXISTS "{table.name}_v{version}_{column}" ON {table_name(table.name, version)}'
        f" (company_id, {indexed[column]})"
        for column in table.indexed
    )


def beginning(text: str) -> str:
    """The part of a text by which it is found where it is no key: the whole may be too long for an index."""
    return f"left({text}, 128)"


def create_state_table(projection: str, fold: OrderedFold, version: int) -> str:
    """DDL of the states of an ordered fold: one row a key."""
    columns = ", ".join(f'"{name}" text COLLATE "C" NOT NULL' for name in fold.by)
    name = state_table(projection, fold)
    body = f"{columns}, state bytea NOT NULL"
    created = f"CREATE TABLE IF NOT EXISTS {table_name(name, version)} ({body}) WITH (fillfactor = 80)"
    return f"{created}; {_unique(name, version, fold.by, _wide(fold.by))}"


def same_state(fold: OrderedFold) -> str:
    """Whether a state `t` and a staged key `s` are of the same key."""
    return _same(fold.by, _wide(fold.by))


def stored_columns(table: Table) -> tuple[str, ...]:
    """All columns as they lie in the table and in staged CSV, hidden ones last."""
    return (*(c.name for c in table.columns), *hidden_columns(table))


def stored_tables(projection: Projection) -> dict[str, tuple[str, ...]]:
    """Every table of a projection (rows, then states of ordered folds) with its columns, by unqualified name."""
    tables = {table.name: stored_columns(table) for table in projection.tables}
    return tables | {state_table(projection.name, fold): (*fold.by, "state") for fold in projection.ordered}


def merge(table: Table, version: int, stage: str) -> str:
    """Merge staged rows into the table, each column by its rule. Staged rows are sorted by key: no deadlocks."""
    updates = [f'"{c.name}" = {_merged(c)}' for c in table.values] + _merged_hidden(table)
    action = f"UPDATE SET {', '.join(updates)}" if updates else "NOTHING"
    return f"{fill(table, version, stage)} ON CONFLICT ({conflict_key(table)}) DO {action}"


def conflict_key(table: Table) -> str:
    """What two rows of a table may not have alike."""
    return _indexed([c.name for c in table.keys], wide_keys(table))


def fill(table: Table, version: int, stage: str) -> str:
    """Put staged rows, one a key, into a table that has none of these keys."""
    names = listed(stored_columns(table))
    return f"INSERT INTO {table_name(table.name, version)} AS t ({names}) SELECT {names} FROM {stage}"


def listed(names: Iterable[str]) -> str:
    """Names of columns, one after the other."""
    return ", ".join(f'"{name}"' for name in names)


def _merged(column: Column) -> str:
    return column.rule.merge.format(t=f't."{column.name}"', e=f'excluded."{column.name}"')


def _merged_hidden(table: Table) -> list[str]:
    return [f"{n} = {rule.merge.format(t=f't.{n}', e=f'excluded.{n}')}" for n, rule in table.hidden]


def delete_staged(table: Table, version: int, stage: str) -> str:
    """Delete the rows whose keys are staged (rows that an ordered fold's newest state no longer has)."""
    return f"DELETE FROM {table_name(table.name, version)} AS t USING {stage} AS s WHERE {same_key(table)}"


def prune_staged(table: Table, version: int, stage: str) -> str:
    """Delete staged keys whose sums are all zero, so that a movement which went elsewhere leaves no empty row."""
    zero = " AND ".join(f't."{c.name}" = 0' for c in table.values)
    return f"{delete_staged(table, version, stage)} AND {zero}"


def same_key(table: Table) -> str:
    """Whether a row `t` and a staged one `s` have the same key."""
    return _same([c.name for c in table.keys], wide_keys(table))


def _same(keys: Sequence[str], wide: Sequence[str]) -> str:
    shortened = [f'{SHORT}(t."{name}") = {SHORT}(s."{name}")' for name in wide]
    return " AND ".join([*(f't."{name}" = s."{name}"' for name in keys), *shortened])


def checksum(name: str, columns: tuple[str, ...], version: int) -> str:
    """One row (rows, checksum) for a table: the 256-bit sum of each row's SHA-256, so that order means nothing.

    The text of a row depends on DateStyle and TimeZone: the session must have ISO and UTC.
    """
    row = ", ".join(f'"{c}"' for c in columns)
    words = ", ".join(
        f"COALESCE(SUM(('x' || substr(h, {1 + 15 * i}, 15))::bit(60)::bigint), 0)::text" for i in range(4)
    )
    digest = f"encode(sha256(convert_to(ROW({row})::text, 'UTF8')), 'hex')"
    hashed = f"SELECT {digest} AS h FROM {table_name(name, version)}"
    return f"SELECT count(*), concat_ws('-', {words}) FROM ({hashed}) AS hashed"


def collect_table(table: Table, version: int) -> str:
    """Unqualified name of the table that gathers the deltas of a build."""
    return f'"{table.name}_v{version}_deltas"'


def gathered(table: Table, version: int) -> str:
    """The gathered deltas of a build as a stage for `merge`: one row a key, sorted by key."""
    keys = _keys(table)
    values = [total(c) for c in table.values]
    values += [f"{rule.total.format(c=name)} AS {name}" for name, rule in table.hidden]
    columns = ", ".join([keys, *values])
    return f"(SELECT {columns} FROM {SCHEMA}.{collect_table(table, version)} GROUP BY {keys} ORDER BY {keys}) AS s"


def total(column: Column) -> str:
    """The aggregate by which many rows come to one value of a column, under its name."""
    name = f'"{column.name}"'
    return f"{column.rule.total.format(c=name)} AS {name}"


def differences(
    name: str, keys: tuple[str, ...], columns: tuple[str, ...], old: int, new: int, *, of_company: bool = False
) -> str:
    """Rows (old, new as JSON, null where there is none) in which two versions of a table differ, by key.

    `of_company`: of the old version only the rows of one company, which is the first parameter.
    """
    before = table_name(name, old)
    if of_company:
        before = f"(SELECT * FROM {before} WHERE company_id = %s)"
    same = " AND ".join(f'o."{k}" = n."{k}"' for k in keys)
    ours, theirs = (", ".join(f'{alias}."{c}"' for c in columns) for alias in ("o", "n"))
    order = ", ".join(f'COALESCE(o."{k}", n."{k}")' for k in keys)
    return (
        f"SELECT to_jsonb(o), to_jsonb(n) FROM {before} AS o"
        f" FULL JOIN {table_name(name, new)} AS n ON {same}"
        f" WHERE ROW({ours}) IS DISTINCT FROM ROW({theirs}) ORDER BY {order} LIMIT %s"
    )
