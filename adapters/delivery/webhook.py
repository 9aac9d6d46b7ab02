"""Webhooks, signed as Standard Webhooks says. A message has the id of its run or notice: one that comes twice is
known by it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec
from standardwebhooks import Webhook

from adapters.delivery import notice_texts
from adapters.delivery.public_network import PublicNetwork, post
from domain.alerting.notices import Notice
from domain.errors import Conflict, Unavailable
from domain.reports.run_store import Message
from domain.reports.schedule_runs import Run

AGAIN = frozenset({408, 425, 429})  # with 5xx: answers after which trying again may help
READY, FAILED = "report.ready", "report.failed"


class Webhooks:
    """Sends messages to webhooks; `secret` is what the secrets of companies are made of."""

    def __init__(self, network: PublicNetwork, secret: bytes) -> None:
        self._network, self._secret = network, secret

    async def send(self, url: str, message: Message) -> None:
        """Raises Unavailable where trying again may help, Forbidden and Conflict where it will not."""
        await self._post(url, message.run.company_id, message.run.run_id, body_of(message))

    async def send_failure(self, url: str, run: Run) -> None:
        """Say that a run failed or was skipped, and why. Raises as `send` does."""
        await self._post(url, run.company_id, f"{run.run_id}.failed.{run.again}", failure_of(run))

    async def send_notice(self, url: str, notice: Notice, link: str, *, slack: bool) -> None:
        """Send a notice of an alert rule, as others or as Slack's webhooks take it. Raises as `send` does."""
        body = notice_texts.slack_of(notice, link) if slack else notice_texts.body_of(notice, link)
        await self._post(url, notice.company, notice.notice_id, body)

    async def _post(self, url: str, company: str, message_id: str, body: str) -> None:
        now = datetime.now(UTC)
        headers = {
            "content-type": "application/json",
            "user-agent": "analytics",
            "webhook-id": message_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(secret_of(self._secret, company)).sign(message_id, now, body),
        }
        status = await post(self._network, url, headers, body.encode())
        if status >= 500 or status in AGAIN:
            raise Unavailable(f"the webhook answered {status}")
        if not 200 <= status < 300:
            raise Conflict(f"the webhook answered {status}", code="webhook_refused")


def secret_of(secret: bytes, company: str) -> str:
    """What a company checks signatures by."""
    derived = hmac.new(secret, b"webhook/1\n" + company.encode(), hashlib.sha256).digest()
    return "whsec_" + base64.b64encode(derived).decode()


def body_of(message: Message) -> str:
    """What is sent. `content`: the file in base64; null where it is too large, and lies at `link` alone."""
    run, report, content, link = message
    file = {
        "report_id": report.report_id,
        "kind": run.schedule.report.kind,
        "file_name": report.file_name,
        "media_type": report.media_type,
        "size": report.size,
        "sha256": report.sha256,
        "content": None if content is None else base64.b64encode(content).decode(),
        "link": link,
    }
    return _body(READY, run, {"report": file})


def failure_of(run: Run) -> str:
    """What is sent to who hears of failures."""
    return _body(FAILED, run, {"state": run.state, "error": run.error})


def _body(kind: str, run: Run, more: Mapping[str, object]) -> str:
    due = run.due_at.isoformat().replace("+00:00", "Z")
    about = {"company": run.company_id, "schedule_id": run.schedule_id, "schedule": run.schedule.name}
    data = {"run_id": run.run_id, **about, "due": due, "late": run.late, **more}
    return msgspec.json.encode({"type": kind, "timestamp": due, "data": data}).decode()
