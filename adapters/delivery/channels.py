"""Each recipient by its own channel."""

from __future__ import annotations

from adapters.delivery.webhook import Webhooks
from domain.configuration.channels import Recipient, ReportByEmail
from domain.errors import Conflict
from domain.reports.run_store import Message


class Channels:
    """`domain.reports.schedule_runs.Deliver` over e-mail and webhooks."""

    def __init__(self, webhooks: Webhooks) -> None:
        self._webhooks = webhooks

    async def send(self, recipient: Recipient, message: Message) -> None:
        """Raises Unavailable where trying again may help; other errors where it will not."""
        if isinstance(recipient, ReportByEmail):
            raise Conflict("no mail server is set (ANALYTICS_SMTP_URL)", code="no_mail_server")
        await self._webhooks.send(recipient, message)
