"""A company of an instance, as its people see it: commands through the one API, reads through the other."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:  # pytest wants to register that module itself, before anybody imports it
    from tests.support.instance import Instance

DASHBOARD, RULE, SCHEDULE = "/api/v1/dashboard/config", "/api/v1/alerts/config", "/api/v1/reports/schedule"
PATIENCE = 60.0  # seconds
TILE = {
    "id": "t1",
    "title": "PnL",
    "kind": "line",
    "query": "trading_totals",
    "layout": {"x": 0, "y": 0, "w": 6, "h": 4},
    "params": {"by": "day"},
}


class People:
    """Somebody of a company, with clients of both APIs that they are signed in to."""

    def __init__(self, instance: Instance, company: str, role: str = "admin", subject: str = "") -> None:
        self.instance, self.company = instance, company
        token = instance.token(role, company, *(("--subject", subject) if subject else ()))
        self.headers = {"Authorization": f"Bearer {token}"}
        where = instance.addresses
        self.reads = httpx.Client(base_url=where["read_api"], headers=self.headers, timeout=90)
        self.commands = httpx.Client(base_url=where["command_api"], headers=self.headers, timeout=60)
        self.metadata = (("authorization", self.headers["Authorization"]),)

    def close(self) -> None:
        """Give back the connections."""
        self.reads.close()
        self.commands.close()

    def send(self, method: str, path: str, body: Mapping[str, Any] | None = None, **headers: str) -> httpx.Response:
        """A command; it must be taken."""
        answer = self.commands.request(method, path, json=body or {}, headers=headers)
        assert answer.status_code in (200, 201), answer.text
        return answer

    def read(self, path: str, since: httpx.Response | str = "", **params: str) -> httpx.Response:
        """A read, after a command (or at a token) where one is given; asked again while that is not yet reached."""
        until = time.monotonic() + PATIENCE
        while (answer := self.read_once(path, since, **params)).status_code == 412:
            if answer.json()["code"] != "not_yet" or time.monotonic() > until:
                break
        return answer

    def read_once(self, path: str, since: httpx.Response | str = "", **params: str) -> httpx.Response:
        """The first answer, whatever it is."""
        token = since if isinstance(since, str) else since.json()["position"]
        return self.reads.get(path, params=params, headers={"X-Min-Position": token} if token else {})
