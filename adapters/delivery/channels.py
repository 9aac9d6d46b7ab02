"""Each recipient by its own channel."""

from __future__ import annotations

from adapters.delivery.mail import Mail
from adapters.delivery.webhook import Webhooks
from domain.alerting.notices import Notice
from domain.configuration.channels import Channel, FailureRecipient, Recipient, ToEmail, ToSlack
from domain.errors import Conflict
from domain.reports.run_store import Message
from domain.reports.schedule_runs import Run


class Channels:
    """`domain.reports.run_store.Deliver` and `domain.alerting.alert_store.DeliverNotice`.

    Over e-mail, where there is a server for it, and webhooks.
    """

    def __init__(self, webhooks: Webhooks, mail: Mail | None) -> None:
        self._webhooks, self._mail = webhooks, mail

    async def send(self, recipient: Recipient, message: Message) -> None:
        """Raises Unavailable where trying again may help; other errors where it will not."""
        if isinstance(recipient, ToEmail):
            await self._server().send(recipient.to, message)
        else:
            await self._webhooks.send(recipient.url, message)

    async def send_failure(self, recipient: FailureRecipient, run: Run) -> None:
        """Say that a run failed or was skipped, and why. Raises as `send` does."""
        if isinstance(recipient, ToEmail):
            await self._server().send_failure(recipient.to, run)
        else:
            await self._webhooks.send_failure(recipient.url, run)

    async def send_notice(self, channel: Channel, notice: Notice, link: str) -> None:
        """Send a notice of an alert rule. Raises as `send` does."""
        if isinstance(channel, ToEmail):
            await self._server().send_notice(channel.to, notice, link)
        else:
            await self._webhooks.send_notice(channel.url, notice, link, slack=isinstance(channel, ToSlack))

    def _server(self) -> Mail:
        if self._mail is None:
            raise Conflict("no mail server is set (ANALYTICS_SMTP_URL)", code="no_mail_server")
        return self._mail
