"""The table: which roles may use each endpoint, RPC, subscription and command. What has no line here fails the tests.

It is written down apart from `domain/access.py` on purpose: it is what the outside was promised.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

ROLES = ("viewer", "analyst", "admin", "auditor", "engineer", "service")
READERS = frozenset({"viewer", "analyst", "admin", "auditor"})
EXPLAINERS = frozenset({"analyst", "admin", "auditor"})
AUDITOR = frozenset({"auditor"})
SERVICE = frozenset({"service"})
EVERYBODY = frozenset(ROLES)


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may: these roles, in their own company or, where the answer is no tenant's, whatever theirs is."""

    roles: frozenset[str]
    of_company: bool = True

    def allows(self, role: str, scope: str) -> bool:
        """Whether a token of this role may; `scope`: own, other or every, as its company is to the one asked about."""
        return role in self.roles and (not self.of_company or scope != "other")


OPEN = Rule(EVERYBODY, of_company=False)  # and without any token

HTTP: Mapping[str, Rule] = MappingProxyType(
    {
        "GET /api/v1/health": OPEN,
        "GET /api/v1/query": Rule(EVERYBODY, of_company=False),
        "GET /api/v1/query/{name}": Rule(READERS),
        "GET /api/v1/query/{name}/explain": Rule(EXPLAINERS),
        "GET /api/v1/insights": Rule(READERS),
        "GET /api/v1/projections": Rule(EVERYBODY, of_company=False),
        "GET /api/v1/kpis": Rule(READERS),
        "GET /api/v1/metrics": Rule(EVERYBODY, of_company=False),
        "GET /api/v1/metrics/{key}": Rule(READERS),
        "GET /api/v1/metrics/{key}/explain": Rule(EXPLAINERS),
        "GET /api/v1/events": Rule(AUDITOR),
        "GET /api/v1/events/{event}": Rule(AUDITOR),
        "POST /api/v1/events": Rule(SERVICE),
        "GET /metrics": Rule(EVERYBODY, of_company=False),
    }
)

GRPC: Mapping[str, Rule] = MappingProxyType(  # an RPC without a line must be one that is not served
    {
        "StreamEvents": Rule(AUDITOR),
        "GetEvent": Rule(AUDITOR),
        "VerifyLog": Rule(AUDITOR),
        "GetProjectionStatus": Rule(EVERYBODY, of_company=False),
        "HealthCheck": Rule(EVERYBODY, of_company=False),
        "Publish": Rule(SERVICE),
    }
)

LIVE: Mapping[str, Rule] = MappingProxyType({"query": Rule(READERS), "watch": Rule(EVERYBODY, of_company=False)})

# The command line acts as the local operator, who has the data folder and with it all rights. Named is the right that
# a command would need from anybody else; "" where it shows nothing and does nothing that a right is needed for.
COMMANDS: Mapping[str, str] = MappingProxyType(
    {
        "access": "",
        "bench": "",
        "events find": "events",
        "events replay": "publish",
        "events show": "events",
        "explain": "explain",
        "ingest": "publish",
        "kpis": "dashboards",
        "log check-proof": "",
        "log head": "status",
        "log key": "",
        "log prove": "verify",
        "log read": "events",
        "log tail": "events",
        "log verify": "verify",
        "metrics": "",
        "migrate": "projections",
        "projections cancel": "projections",
        "projections checksum": "verify",
        "projections drop": "projections",
        "projections list": "status",
        "projections pause": "projections",
        "projections rebuild": "projections",
        "projections resume": "projections",
        "projections snapshot": "projections",
        "projections snapshots": "status",
        "projections status": "status",
        "projections switch": "projections",
        "projections verify": "verify",
        "projections wait": "status",
        "quarantine drop": "quarantine",
        "quarantine list": "quarantine",
        "quarantine replay": "quarantine",
        "quarantine show": "quarantine",
        "query": "dashboards",
        "serve": "",
        "settings": "",
        "token": "",
        "topics create": "projections",
        "up": "",
    }
)
