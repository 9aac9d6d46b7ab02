"""Both doors of an instance with two months of a company."""

from __future__ import annotations

from collections.abc import Iterator

import grpc
import httpx
import pytest
from services.analytics_service_pb2_grpc import AnalyticsServiceStub

from domain.access.rights import Role
from tests.support.instance import Instance
from tests.support.two_months import COMPANY


@pytest.fixture(scope="package")
def token(filled: Instance) -> str:
    """Somebody who may ask all of it."""
    return filled.signed("eve", COMPANY, roles=[Role.ADMIN, Role.AUDITOR])


@pytest.fixture(scope="package")
def client(filled: Instance, token: str) -> Iterator[httpx.Client]:
    """The door of HTTP."""
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=filled.addresses["read_api"], headers=headers, timeout=120) as opened:
        yield opened


@pytest.fixture(scope="package")
def stub(filled: Instance) -> Iterator[AnalyticsServiceStub]:
    """The door of gRPC."""
    with grpc.insecure_channel(filled.addresses["grpc"]) as channel:
        yield AnalyticsServiceStub(channel)
