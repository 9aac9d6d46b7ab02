"""Webhooks, signed as Standard Webhooks says. A message has the id of its run: one that comes twice is known by it."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime

import msgspec
from standardwebhooks import Webhook

from adapters.delivery.public_network import PublicNetwork, post
from domain.configuration.channels import ReportByWebhook
from domain.errors import Conflict, Unavailable
from domain.reports.run_store import Message

AGAIN = frozenset({408, 425, 429})  # with 5xx: answers after which trying again may help
READY = "report.ready"


class Webhooks:
    """Sends messages to webhooks; `secret` is what the secrets of companies are made of."""

    def __init__(self, network: PublicNetwork, secret: bytes) -> None:
        self._network, self._secret = network, secret

    async def send(self, recipient: ReportByWebhook, message: Message) -> None:
        """Raises Unavailable where trying again may help, Forbidden and Conflict where it will not."""
        body, now = body_of(message), datetime.now(UTC)
        signature = Webhook(secret_of(self._secret, message.run.company_id)).sign(message.run.run_id, now, body)
        headers = {
            "content-type": "application/json",
            "user-agent": "analytics",
            "webhook-id": message.run.run_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": signature,
        }
        status = await post(self._network, recipient.url, headers, body.encode())
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
    about = {"company": run.company_id, "schedule_id": run.schedule_id, "schedule": run.schedule.name}
    due = run.due_at.isoformat().replace("+00:00", "Z")
    data = {"run_id": run.run_id, **about, "due": due, "late": run.late, "report": file}
    return msgspec.json.encode({"type": READY, "timestamp": due, "data": data}).decode()
