"""Twenty things that this service does, as somebody new would ask for them, and where each is.

A tree that says what it is lets a reader who sees the names of its files alone name the file of each.
"""

from __future__ import annotations

from typing import NamedTuple


class Behaviour(NamedTuple):
    """A question, the one file that answers it, and the name in it with which the answer begins."""

    question: str
    path: str
    name: str


BEHAVIOURS = (
    Behaviour("Where is a late event's bar corrected?", "projections/market_bars.py", "MarketBar"),
    Behaviour("Who refuses a tenant's 61st request of a minute?", "domain/access/rate_limits.py", "Rates"),
    Behaviour(
        "Who decides that an event which was sent twice counts once?",
        "projections/engine/fold/admission.py",
        "Admission",
    ),
    Behaviour(
        "What halves a batch that the database refuses, until the one bad event is found?",
        "projections/engine/project/narrowing.py",
        "narrowed",
    ),
    Behaviour(
        "What says how many events a projector takes in one step?",
        "projections/engine/project/batch_size.py",
        "BatchSizer",
    ),
    Behaviour("Where is the formula of the Sharpe ratio?", "domain/metrics/trading/sharpe_ratio.py", "sharpe_ratio"),
    Behaviour(
        "By which rules does the life of one subscription move MRR: new, expansion, churn?",
        "domain/billing/subscriptions.py",
        "ledger",
    ),
    Behaviour(
        "Where is an event in JSON turned into the protobuf message that the log keeps?",
        "eventlog/intake/json_mapping.py",
        "from_json",
    ),
    Behaviour(
        "Who tells waiting readers that a projection has committed something new?",
        "read_api/live/changes.py",
        "ProjectionChanges",
    ),
    Behaviour(
        "Where are answers kept, so that a dear question is computed once?", "read_api/answers/cache.py", "AnswerCache"
    ),
    Behaviour("Where is a bearer token's signature checked?", "adapters/auth/tokens.py", "TokenVerifier"),
    Behaviour(
        "Where do tables get the row security that keeps tenants apart?", "adapters/postgres/tenant_wall.py", "enclose"
    ),
    Behaviour(
        "Which rules refuse a dashboard of which two tiles overlap?", "domain/configuration/dashboard.py", "decide"
    ),
    Behaviour(
        "Who takes a command: loads the aggregate, lets it decide, appends the events?",
        "command_api/command_handler.py",
        "CommandHandler",
    ),
    Behaviour(
        "What starts a process of the instance again when it has died?", "app/instance/supervisor.py", "supervise"
    ),
    Behaviour("What carries events of commands from the event store into the log?", "eventlog/relay/relay.py", "Relay"),
    Behaviour(
        "Where are the facts of one company read again from the log, for a question about the past?",
        "projections/engine/past/history.py",
        "History",
    ),
    Behaviour("Where is an event in quarantine changed and handed in again?", "eventlog/intake/repair.py", "Repairs"),
    Behaviour("Where is found out why a projection stands still?", "read_api/health/stall_diagnosis.py", "failure_of"),
    Behaviour("Who notes each HTTP request in the audit trail?", "app/serving/audit_middleware.py", "AuditMiddleware"),
)
