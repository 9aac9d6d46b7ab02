"""All projections there are: every module of the package `projections` that declares one. `ls` is the list."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

import projections
from domain.errors import Defect, NotFound
from projections.engine.declare import Projection
from projections.engine.query import Query


@cache
def all_projections() -> Mapping[str, Projection]:
    """Every declared projection by name; a name used twice, for a projection or a table, is a Defect."""
    found: dict[str, Projection] = {}
    tables: dict[str, str] = {}
    for module in sorted(m.name for m in pkgutil.iter_modules(projections.__path__) if not m.ispkg):
        loaded = importlib.import_module(f"projections.{module}")
        for projection in (v for v in vars(loaded).values() if isinstance(v, Projection)):
            projection.summary = projection.summary or (loaded.__doc__ or "").strip().split("\n")[0]
            if projection.name in found:
                raise Defect(f"two projections are called {projection.name}")
            found[projection.name] = projection
            for table in projection.tables:
                if tables.setdefault(table.name, projection.name) != projection.name:
                    raise Defect(f"table {table.name} is declared by {tables[table.name]} and {projection.name}")
    return MappingProxyType(found)


def projection(name: str) -> Projection:
    """The projection of that name; NotFound lists what there is."""
    try:
        return all_projections()[name]
    except KeyError:
        raise NotFound(f"no projection {name!r}; there are {', '.join(all_projections())}") from None


@cache
def all_queries() -> Mapping[str, tuple[Projection, Query]]:
    """Every registered query by name, with the projection that it reads."""
    return MappingProxyType({q.name: (p, q) for p in all_projections().values() for q in p.queries})
