"""All projections there are: every module of `projections` outside the engine that declares one."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Mapping
from functools import cache
from types import MappingProxyType, ModuleType
from typing import TypeGuard

import projections
from domain.errors import Defect, NotFound
from projections.engine.declare.live_window import LiveWindow
from projections.engine.declare.projection import Projection
from projections.engine.query.company_settings import CONFIGURATION
from projections.engine.query.plain import Query
from projections.engine.query.request import Answerable, cuts_time


@cache
def all_projections() -> Mapping[str, Projection]:
    """Every declared projection by name. Raises Defect for a name used twice, for a projection or a table."""
    by_name: dict[str, Projection] = {}
    tables: dict[str, str] = {}
    for loaded in _modules():
        for projection in (v for v in vars(loaded).values() if isinstance(v, Projection)):
            projection.summary = projection.summary or (loaded.__doc__ or "").strip().split("\n")[0]
            if projection.name in by_name:
                raise Defect(f"two projections are called {projection.name}")
            by_name[projection.name] = projection
            for table in projection.tables:
                if tables.setdefault(table.name, projection.name) != projection.name:
                    raise Defect(f"table {table.name} is declared by {tables[table.name]} and {projection.name}")
    return MappingProxyType(by_name)


def _modules() -> list[ModuleType]:
    modules = pkgutil.walk_packages(projections.__path__, "projections.")
    names = sorted(m.name for m in modules if not m.ispkg and not m.name.startswith("projections.engine."))
    return [importlib.import_module(name) for name in names]


def projection(name: str) -> Projection:
    """The projection of that name. Raises NotFound, which lists what there is."""
    try:
        return all_projections()[name]
    except KeyError:
        raise NotFound(f"no projection {name!r}; there are {', '.join(all_projections())}") from None


@cache
def all_queries() -> Mapping[str, tuple[Projection, Query]]:
    """Every registered query by name, with the projection that it reads. Raises Defect."""
    return MappingProxyType({q.name: (p, q) for p in all_projections().values() for q in p.queries})


@cache
def all_beside() -> frozenset[str]:
    """Names of the projections on whose rows answers of others rest as well."""
    return frozenset(name for name, each in all_projections().items() if each.beside)


def read_beside(names: Iterable[str]) -> frozenset[str]:
    """The projections on whose rows answers from these ones may rest as well: settings (the calendar, the
    currency), and rates of exchange.
    """
    queries = [query for name in names for query in projection(name).queries]
    calendar = frozenset({CONFIGURATION} if any(map(cuts_time, queries)) else ())
    return calendar.union(*(query.beside for query in queries))


@cache
def all_windows() -> Mapping[str, tuple[Projection, LiveWindow]]:
    """Every live window by name, with the projection whose folds fill it. Raises Defect for a name used twice."""
    by_name: dict[str, tuple[Projection, LiveWindow]] = {}
    for projection, window in ((p, w) for p in all_projections().values() for w in p.windows):
        if by_name.setdefault(window.name, (projection, window)) != (projection, window):
            raise Defect(f"two live windows are called {window.name}")
    return MappingProxyType(by_name)


@cache
def all_composed() -> Mapping[str, Answerable]:
    """Every composed query by name. Raises Defect for a name used twice."""
    by_name: dict[str, Answerable] = {}
    for query in (v for loaded in _modules() for v in vars(loaded).values() if _is_composed(v)):
        if by_name.setdefault(query.name, query) is not query or query.name in all_queries():
            raise Defect(f"two queries are called {query.name}")
    return MappingProxyType(by_name)


@cache
def all_registered() -> Mapping[str, Answerable]:
    """Every query by name, those that read rows and those that are made of others.

    Raises Defect for a name used twice.
    """
    return MappingProxyType({**{name: query for name, (_, query) in all_queries().items()}, **all_composed()})


def _is_composed(value: object) -> TypeGuard[Answerable]:
    """Whether it is a query, and none of a projection: those are registered with it."""
    return isinstance(value, Answerable) and not isinstance(value, Query | type)
