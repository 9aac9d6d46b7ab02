"""Every operation of the OpenAPI documents, asked with made-up requests: no server error, nothing undocumented.

A document in proto/http, or an operation in one, enters by itself. Requests are made from the document (schemathesis),
good ones and wrong ones, with the token of somebody who may do everything for one company.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.result import Ok

from app.settings import Settings
from app.wiring import token_issuer
from domain.access.rights import Role, Tier
from tests.architecture.sources import ROOT
from tests.support.instance import Instance

DOCUMENTS = sorted((ROOT / "proto" / "http").glob("*.yaml"))
COMPANY = "fuzzco"
SERVERS = {8003: "read_api", 8004: "command_api"}  # port that a document names → API of the instance
CHECKED = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
)
BOUNDED, LONG = 2, 200  # requests of each mode to an operation
load_all_checks()


def operations() -> Iterator[Any]:
    """Every operation of every document."""
    for path in DOCUMENTS:
        schema = schemathesis.openapi.from_path(path)
        for found in schema.get_all_operations():
            assert isinstance(found, Ok), found
            yield pytest.param(found.ok(), id=found.ok().label)


OPERATIONS = list(operations())


def address(instance: Instance, operation: Any) -> str:
    """Where the operation is served."""
    servers = operation.definition.raw.get("servers") or operation.schema.raw_schema["servers"]
    return str(instance.addresses[SERVERS[int(servers[0]["url"].rpartition(":")[2])]])


@pytest.fixture(scope="module")
def token(instance: Instance) -> str:
    """Somebody with every role in one company."""
    issuer = token_issuer(Settings(data=instance.folder))
    return issuer.issue("fuzz", list(Role), COMPANY, Tier.ENTERPRISE, 3_600)


def asking(requests: int) -> settings:
    """So many made-up requests, the same ones every time where they are few."""
    return settings(
        max_examples=requests,
        deadline=None,
        database=None,
        derandomize=requests <= BOUNDED,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


def ask(instance: Instance, operation: Any, token: str, requests: int) -> int:
    """Ask that many times in each mode; how many requests were answered."""
    base, headers = address(instance, operation), {"Authorization": f"Bearer {token}"}
    checks = CHECKS.get_by_names(CHECKED)
    answered = 0

    def once(case: Any) -> None:
        nonlocal answered
        response = case.call(base_url=base, headers=headers, timeout=30)
        case.validate_response(response, checks=checks)
        answered += 1

    for mode in GenerationMode:
        asking(requests)(given(case=operation.as_strategy(generation_mode=mode))(once))()
    return answered


@pytest.mark.share(3)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_no_answer_is_an_error_or_undocumented(instance: Instance, token: str, operation: Any) -> None:
    """A few requests of each kind."""
    assert ask(instance, operation, token, BOUNDED) >= BOUNDED


@pytest.mark.check
@pytest.mark.parametrize("operation", OPERATIONS)
def test_no_answer_of_many_is_an_error_or_undocumented(instance: Instance, token: str, operation: Any) -> None:
    """Many, other ones every time."""
    assert ask(instance, operation, token, LONG) >= LONG


@pytest.mark.parametrize("operation", OPERATIONS)
def test_strangers_are_refused_everywhere_but_at_health(instance: Instance, operation: Any) -> None:
    """Without a token, and as the document says: 401."""
    base, open_to_all = address(instance, operation), operation.path == "/api/v1/health"

    def once(case: Any) -> None:
        case.headers.pop("Authorization", None)
        response = case.call(base_url=base, timeout=30)
        assert response.status_code == (200 if open_to_all else 401)
        case.validate_response(response, checks=CHECKS.get_by_names(CHECKED))

    asking(1)(given(case=operation.as_strategy())(once))()
