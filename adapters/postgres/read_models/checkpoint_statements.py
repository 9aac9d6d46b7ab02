"""The statements that look where projections stand, and what a company has set of what answers of others rest on."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from adapters.postgres.read_models.live_version import Live, tables_of
from projections.engine.declare import registry

# LATERAL and OFFSET 0 as in statements with a position: row security shows the company's own positions, once it is set.
CHECKPOINTS = b"""
SELECT found.* FROM (SELECT set_config('analytics.company', %s, true) AS company) AS tenant CROSS JOIN LATERAL (
    SELECT name, live.version, array_agg(reached.topic), array_agg(reached.partition), array_agg(reached.next_offset),
           min(confirmed_at), bool_and(reached.next_offset >= head),
           array_agg(LEAST(reached.next_offset, COALESCE(own.next_offset, 0))),
           (SELECT next_offset FROM tenant_positions WHERE company_id = tenant.company AND topic = ''){defaults}
    FROM projections AS live
    JOIN checkpoints AS reached ON reached.projection = name AND reached.version = live.version
    LEFT JOIN tenant_positions AS own
    ON own.company_id = tenant.company AND own.topic = reached.topic AND own.partition = reached.partition
    WHERE live AND name = ANY(%s) GROUP BY name, live.version OFFSET 0
) AS found
"""
NO_DIGEST = CHECKPOINTS.replace(b"{defaults}", b", NULL")
# Members may not see where their company's rows were changed last; whatever moves counts as a change.
CHECKPOINTS_OF_ALL = b"""
SELECT name, live.version, array_agg(topic), array_agg(partition), array_agg(next_offset),
       min(confirmed_at), bool_and(next_offset >= head), array_agg(next_offset), 0, NULL
FROM projections AS live JOIN checkpoints AS reached ON reached.projection = name AND reached.version = live.version
WHERE live AND %s::text IS NOT NULL AND name = ANY(%s) GROUP BY name, live.version
"""


def with_defaults(projections: Sequence[str]) -> str | None:
    """The one of the projections on whose defaults answers of others rest."""
    return next((name for name in projections if registry.projection(name).defaults), None)


@lru_cache(100)
def with_digest(name: str, live: Live) -> bytes:
    """The statement of checkpoints, with a digest of a company's defaults; empty where it has set none.

    It reads them as that of a company which is set by then. Raises Unavailable as `sql.of_earlier`.
    """
    defaults = registry.projection(name).defaults
    own = defaults.format_map(tables_of(live, name, defaults)).replace("%s", "tenant.company").encode()
    digest = b", CASE WHEN name = '%b' THEN COALESCE((SELECT md5(d::text) FROM (%b) AS d), '') END" % (
        name.encode(),
        own,
    )
    return CHECKPOINTS.replace(b"{defaults}", digest)
