"""Questions about the instance itself: its pipeline, what its tenants may ask for, the integrity of its log.

Who sees every company is shown all of it. A company's own people see how the instance does, without whatever others
could be counted by, and of tenants their own company alone; so do health and the list of projections.
"""

from __future__ import annotations

from domain.access.rights import Right
from domain.reports.schedule_runs import RunState
from projections.engine.query.instance_query import SCOPE_PARAM, InstanceQuery
from projections.engine.query.params import LIMIT, Param, read_choice, read_time

PARTITION, PROJECTION = "partition", "projection"

PIPELINE = InstanceQuery(
    "pipeline",
    "How events get through now: arriving, folded, behind, late, twice and set aside, and up to when all is folded.",
    (Param("by", "projection or partition; one row without it", read_choice(PROJECTION, PARTITION)), SCOPE_PARAM),
    of_all=frozenset(
        {
            *("arriving_per_second", "folded_per_second", "lag_events"),
            *("events", "late", "duplicates", "refused", "quarantined"),
        }
    ),
)

TENANTS = InstanceQuery(
    "tenants",
    "What tenants may ask for by their tier, what they ask of the process that answers, and what they have open there.",
    (SCOPE_PARAM,),
)

INTEGRITY = InstanceQuery(
    "integrity",
    "How far the log is sealed, signed, and verified without a finding; and whether a rebuild gave the live rows.",
    (Param("by", "partition or projection; one row without it", read_choice(PARTITION, PROJECTION)), SCOPE_PARAM),
    of_all=frozenset({"events", "sealed", "verified", "not_sealed", "not_verified", "checkpoint", "position"}),
)

SCHEDULE_RUNS = InstanceQuery(
    "schedule_runs",
    "Runs of report schedules, the newest first: when each was due, what was made, who got it, what did not arrive.",
    (
        Param("schedule_id", "runs of this schedule alone"),
        Param("state", ", ".join(RunState), read_choice(*RunState)),
        Param("before", "runs that were due before this time", read_time),
        LIMIT,
    ),
    right=Right.REPORTS,
)
