"""A schedule from its command to who gets its report: each their own rows, by e-mail and webhook."""

from __future__ import annotations

import asyncio
import base64
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP

from tests.e2e.schedule_kills import schedule_in_the_past
from tests.support.hooks import hooks
from tests.support.instance import Instance, trade

COMPANY = "mailed"


class Inbox:
    """The reports that came by mail, by whom they are for."""

    def __init__(self) -> None:
        self.reports: dict[str, Any] = {}

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 (aiosmtpd's name)
        """Take a message with one report."""
        parsed: Any = message_from_bytes(envelope.content, policy=default)
        (attached,) = parsed.iter_attachments()
        self.reports[envelope.rcpt_tos[0]] = json.loads(attached.get_content())
        return "250 OK"


@contextmanager
def mail_server(inbox: Inbox) -> Iterator[int]:
    """Its port, for as long as this lasts."""
    with asyncio.Runner() as runner:
        server = runner.run(_listening(inbox))
        loop = runner.get_loop()
        thread = threading.Thread(target=loop.run_forever)
        thread.start()
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            server.close()


async def _listening(inbox: Inbox) -> asyncio.Server:
    return await asyncio.get_running_loop().create_server(lambda: SMTP(inbox), "127.0.0.1", 0)


@pytest.mark.ci
def test_each_recipient_gets_their_own_rows_alone(own_instance: Instance, tmp_path: Path) -> None:
    """The company's report, and those of two users; who has no rows gets no report, and that is told at every door."""
    inbox = Inbox()
    with hooks(tmp_path) as receiver, mail_server(inbox) as port:
        own_instance.start(**receiver.settings, ANALYTICS_SMTP_URL=f"smtp://127.0.0.1:{port}")
        own_instance.take([_trade(n) for n in range(30)])
        recipients: list[dict[str, object]] = [
            {"kind": "webhook", "url": receiver.url},
            {"kind": "webhook", "url": receiver.url, "sees": {"user_ids": ["u1"]}},
            {"kind": "email", "to": "two@example.com", "sees": {"user_ids": ["u2"]}},
            {"kind": "email", "to": "nobody@example.com", "sees": {"user_ids": ["u9"]}},
        ]
        report = {"kind": "custom", "format": "json", "sections": [{"title": "Trades", "query": "trades"}]}
        ((schedule_id, _),) = schedule_in_the_past(own_instance.addresses["database"], COMPANY, 1, report, recipients)
        run = _ended(own_instance, schedule_id)
        bodies = [json.loads(body)["data"]["report"] for _, body in receiver.raw]
    assert (run["sent"], run["dead"], run["reports"], run["state"]) == (3, 1, 3, "failed"), run
    assert "anything to show" in run["error"]
    whole, own = (json.loads(base64.b64decode(body["content"])) for body in bodies)
    assert [_users(each) for each in (whole, own)] == [{"u0", "u1", "u2"}, {"u1"}]
    assert {to: _users(each) for to, each in inbox.reports.items()} == {"two@example.com": {"u2"}}
    file = tmp_path / "own.json"
    for body in bodies:  # by the rights of a viewer, and of a member
        assert (
            own_instance.command("report", "get", body["report_id"], "--company", COMPANY, "--out", str(file)).exit_code
            == 0
        )
        verified = own_instance.command("report", "verify", str(file))
        assert verified.exit_code == 0, verified.output
    with own_instance.client("viewer", COMPANY) as client:
        (row,) = client.get("/api/v1/query/schedule_runs", params={"schedule_id": schedule_id}).json()["rows"]
        assert row == run
        components = client.get("/api/v1/health").json()["components"]
    assert {"name": "scheduler", "status": "ok", "detail": ""} in components


def _trade(number: int) -> dict[str, object]:
    """Of one of three users, an hour ago: a company without a tier sees its last days."""
    closed = time.time_ns() // 1_000_000 - 3_600_000 - number
    made: dict[str, Any] = trade(COMPANY, number)
    payload = {**made["payload"], "opened_at": closed - 1000, "closed_at": closed}
    return {**made, "user_id": f"u{number % 3}", "timestamp": closed, "payload": payload}


def _ended(instance: Instance, schedule_id: str) -> dict[str, Any]:
    """The run of a schedule, once it has ended."""
    until = time.monotonic() + 120
    while time.monotonic() < until:
        found: Any = instance.answer("schedule", "runs", "--company", COMPANY, "--id", schedule_id, "--json")
        if found and found[0]["finished_at"]:
            return dict(found[0])
        time.sleep(0.5)
    raise AssertionError("the run did not end")


def _users(report: Any) -> set[str]:
    """Whose trades it shows."""
    return {row["user_id"] for row in report["sections"][0]["rows"]}
