"""Each recipient by its own channel."""

from __future__ import annotations

from adapters.delivery.mail import Mail
from adapters.delivery.webhook import Webhooks
from domain.configuration.channels import Recipient, ReportByEmail
from domain.errors import Conflict
from domain.reports.run_store import Message


class Channels:
    """`domain.reports.run_store.Deliver` over e-mail, where there is a server for it, and webhooks."""

    def __init__(self, webhooks: Webhooks, mail: Mail | None) -> None:
        self._webhooks, self._mail = webhooks, mail

    async def send(self, recipient: Recipient, message: Message) -> None:
        """Raises Unavailable where trying again may help; other errors where it will not."""
        if not isinstance(recipient, ReportByEmail):
            await self._webhooks.send(recipient, message)
        elif self._mail is None:
            raise Conflict("no mail server is set (ANALYTICS_SMTP_URL)", code="no_mail_server")
        else:
            await self._mail.send(recipient, message)
