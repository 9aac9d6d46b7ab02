"""Companies that several tests of this folder compare."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.laws.matrix.same import COMPANIES, published
from tests.laws.matrix.test_two_tenants import everybody
from tests.support.instance import Instance


@pytest.fixture(scope="session")
def companies(instance: Instance) -> Iterator[dict[str, httpx.Client]]:
    """A client of each, as its admin and auditor; everything is folded. Once: what is published again is known."""
    for company in COMPANIES:
        position = ";".join(filter(None, published(instance, company)))
        instance.wait(position)
    clients = {
        company: httpx.Client(base_url=instance.addresses["read_api"], headers=everybody(instance, company), timeout=60)
        for company in COMPANIES
    }
    yield clients
    for client in clients.values():
        client.close()
