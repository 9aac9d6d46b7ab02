"""Metrics over HTTP: the catalogue, one metric, the events behind it, and all key figures of a company."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import msgspec
from litestar import Response, get
from litestar.params import FromPath

from domain.access.rights import Right, require
from domain.errors import Invalid
from domain.metrics.catalogue import METRICS, metric
from domain.metrics.metric import Metric
from projections.engine.declare.registry import all_registered
from projections.engine.query.params import Param
from projections.engine.query.request import OF_PAST
from read_api.answers.explained_measure import explained_measure, made_of, measure_name
from read_api.answers.past import plain
from read_api.http import openapi
from read_api.http.departure import for_caller
from read_api.http.request import HttpRequest, answer_query, ask, explanation, parameters, question_of
from read_api.http.responses import JSON

ONE, ALL, INGREDIENTS = "metric", "kpis", "ingredients"  # the queries that answer
QUERIES: Mapping[str, str] = MappingProxyType({"/api/v1/metrics/{key}": ONE, "/api/v1/kpis": ALL})
_KEY = "key"


class CatalogueEntry(msgspec.Struct, kw_only=True):
    """What is known of a metric. `explained`: measures of queries, as `query.measure`; `absent`: why no value."""

    key: str
    title: str
    unit: str
    formula: str
    section: str
    convention: str
    definition_version: int
    dimensions: tuple[str, ...]
    explained: list[str]
    kpi: bool
    absent: str
    told_by: str
    feature: str | None


class Catalogue(msgspec.Struct):
    """Every metric of the catalogue."""

    metrics: list[CatalogueEntry]


@get(
    "/api/v1/metrics",
    responses=openapi.with_problems(Catalogue, "The catalogue"),
    summary="List the catalogue of metrics",
)
async def listed(request: HttpRequest) -> Response[bytes]:
    """Every metric: its formula, unit, convention and version, what it may be split by, and how it is explained."""
    require(request.user.principal, Right.CATALOGUE)
    entries = {"metrics": [catalogue_entry(entry) for entry in METRICS.values()]}
    return Response(msgspec.json.encode(entries), media_type=JSON)


def catalogue_entry(entry: Metric) -> CatalogueEntry:
    """An entry as the catalogue is answered."""
    return CatalogueEntry(
        key=entry.key,
        title=entry.title,
        unit=entry.unit,
        formula=entry.formula,
        section=entry.section,
        convention=entry.convention,
        definition_version=entry.version,
        dimensions=entry.dimensions,
        explained=[measure_name(each) for each in entry.explained],
        kpi=entry.kpi,
        absent=entry.absent,
        told_by=entry.told_by,
        feature=entry.feature,
    )


@get(
    "/api/v1/metrics/{key:str}",
    responses=openapi.ANSWER,
    summary="Answer one metric",
)
async def shown(key: FromPath[str], request: HttpRequest) -> Response[bytes]:
    """The same as the query `metric` with this key: value objects, of the present or of the past."""
    params = parameters(request)
    if _KEY in params:
        raise Invalid("the key is in the path", code="bad_parameter")
    return await answer_query(request, ONE, {**params, _KEY: key})


@get(
    "/api/v1/metrics/{key:str}/definition",
    responses=openapi.with_problems(CatalogueEntry, "The entry"),
    summary="Describe a metric",
    operation_id="metric_definition",
)
async def _definition(key: FromPath[str], request: HttpRequest) -> Response[bytes]:
    """One entry of the catalogue, as the list of all has it."""
    require(request.user.principal, Right.CATALOGUE)
    return Response(msgspec.json.encode(catalogue_entry(metric(key))), media_type=JSON)


@get(
    "/api/v1/metrics/{key:str}/explain",
    responses=openapi.EXPLANATION,
    summary="Explain a metric",
)
async def explained(key: FromPath[str], request: HttpRequest) -> Response[bytes]:
    """What a metric is made of, and the events behind one measure of that with their shares, a page at a time.

    `ingredients` are all sums that the formula was computed from (the query `ingredients`), each with the measures
    whose events are behind it; they are on the first page. `measure` (`query.measure`, as ingredients and catalogue
    list them) says whose events are shown, and without it those of the first. Period and dimensions are those of the
    metric.
    """
    params, entry = parameters(request), metric(key)
    of = explained_measure(entry, params.get("measure", ""))
    first = "cursor" not in params
    also = (
        made_of(entry, await ingredients_of(request, key, params))
        if first
        else {"metric": key, "formula": entry.formula}
    )
    return await explanation(request, of.query, {**params, "measure": of.measure}, also)


async def ingredients_of(request: HttpRequest, key: str, params: Mapping[str, str]) -> Mapping[str, Any]:
    """The answer of the query `ingredients`, of the present or the past, as an explanation is asked for; without rows
    for a metric that is a table.
    """
    if metric(key).told_by:
        return {"rows": []}
    known = {param.name for param in all_registered()[INGREDIENTS].params} | {"company", *OF_PAST}
    asked = {name: text for name, text in params.items() if name in known}
    question = question_of(request, INGREDIENTS, {**asked, _KEY: key})
    return plain(await for_caller(request, ask(request, question)))


@get(
    "/api/v1/kpis",
    responses=openapi.ANSWER,
    summary="All key figures of a company",
)
async def kpis(request: HttpRequest) -> Response[bytes]:
    """The same as the query `kpis`: every key figure of a period beside that of the period before."""
    return await answer_query(request, ALL, parameters(request))


HANDLERS = (listed, shown, _definition, explained, kpis)


def parameters_of_paths() -> dict[str, Sequence[Param]]:
    """The parameters of the paths that answer a query, for their description."""
    of_one = [param for param in all_registered()[ONE].params if param.name != _KEY]
    return {"/api/v1/metrics/{key}": of_one, "/api/v1/kpis": all_registered()[ALL].params}


def described() -> list[dict[str, Any]]:
    """The catalogue as plain values, for the command line."""
    found: list[dict[str, Any]] = msgspec.to_builtins([catalogue_entry(entry) for entry in METRICS.values()])
    return found
