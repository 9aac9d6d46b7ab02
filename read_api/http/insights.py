"""Insights over HTTP: one address for all kinds; each kind is a registered query, which is asked by its name, too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

from domain.errors import Invalid
from projections.engine.declare.registry import all_registered
from projections.engine.query.params import Param
from projections.queries.insights.series import METHODS
from read_api.http import openapi
from read_api.http.request import HttpRequest, answer_query, parameters

PATH = "/api/v1/insights"
OF_SERIES = "insights"  # answers with several kinds, and with all of them where none is named
QUERY: Mapping[str, str] = MappingProxyType({PATH: OF_SERIES})  # whose rows are like those of the others
QUERIES: Mapping[str, str] = MappingProxyType(
    {
        **{str(kind): OF_SERIES for kind in METHODS},
        "forecast": "forecast",
        "drivers": "drivers",
        "churn": "churn_risks",
        "lifetime_value": "lifetime_value",
        "survival": "survival",
        "competitive": "competitive",
        "recommendation": "recommendations",
    }
)


def question(params: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """The query that answers for a kind, and its parameters. Raises Invalid for a kind that there is not."""
    own = dict(params)
    kind = own.pop("kind", None)
    if kind is not None and kind not in QUERIES:
        raise Invalid(f"{kind!r} is no kind of insight; there are {', '.join(QUERIES)}", code="bad_parameter")
    name = QUERIES[kind] if kind else OF_SERIES
    return name, own | ({"kind": kind} if kind and name == OF_SERIES else {})


def parameters_of_paths() -> dict[str, Sequence[Param]]:
    """The parameters of the path, for its description: those of every kind."""
    known: dict[str, Param] = {"kind": Param("kind", f"one out of {', '.join(QUERIES)}; all of a series without it")}
    for name in dict.fromkeys(QUERIES.values()):
        for param in all_registered()[name].params:
            known.setdefault(param.name, Param(param.name, f"{param.meaning} ({name})"))
    return {PATH: tuple(known.values())}


def handlers() -> list[HTTPRouteHandler]:
    """The one handler."""
    return [insights]


@get(
    PATH,
    responses=openapi.ANSWER,
    summary="Find insights",
    operation_id="insights",
    tags=["insights"],
)
async def insights(request: HttpRequest) -> Response[bytes]:
    """What a metric or the customers tell: a finding with its evidence for each kind, or the reason for none.

    What it predicts is written down, and scored when it is known what came (query prediction_scores). `as_of` and
    `as_known_at` ask for a past state; what is answered of the past is not written down.
    """
    return await answer_query(request, *question(parameters(request)))
