"""What reading raises, as errors of ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg_pool import PoolTimeout

from domain.access.rights import Member, whole_company
from domain.errors import NO_TABLES, LimitExceeded, Unavailable
from domain.request import tracing


@contextmanager
def statement_errors(projection: str, member: Member | None) -> Iterator[None]:
    """What a statement raises about what it names, as an error of ours."""
    with tracing.span("sql", projection=projection):
        try:
            yield
        except psycopg.errors.InsufficientPrivilege as error:
            if member is None:
                raise
            raise whole_company(projection) from error
        except psycopg.errors.UndefinedTable as error:
            raise Unavailable(
                f"projection {projection} has no tables yet: its projector has not started", code=NO_TABLES
            ) from error
        except psycopg.errors.UndefinedColumn as error:
            raise Unavailable(f"projection {projection} is stored by another definition: rebuild it") from error


@contextmanager
def server_errors() -> Iterator[None]:
    """What a server raises that is away or too slow, as an error of ours."""
    try:
        yield
    except psycopg.errors.QueryCanceled as error:
        raise LimitExceeded("the query took too long", suggested_actions=("ask for a shorter period",)) from error
    except (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout) as error:
        raise Unavailable(f"the read store does not answer: {error}") from error
