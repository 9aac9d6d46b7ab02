"""E-mail arrives at a real server, with the file or a link to it; what is refused says why."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from email import message_from_bytes
from email.message import EmailMessage
from email.message import Message as Parsed
from email.policy import default
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP
from msgspec import structs

from adapters.delivery.channels import Channels
from adapters.delivery.mail import Mail, Server, server_of
from adapters.delivery.public_network import PublicNetwork
from adapters.delivery.webhook import Webhooks
from domain.configuration.channels import ReportByEmail, ToEmail
from domain.errors import Conflict, Invalid, Unavailable
from domain.reports.schedule_runs import RunState
from tests.adapters.delivery.messages import message

ANN = "ann@example.com"


class Inbox:
    """What a server took; `answers`: what it says to the next recipients."""

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], EmailMessage]] = []
        self.answers: list[str] = []

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802 (aiosmtpd's name)
        """Take the recipient, or not."""
        if self.answers:
            return self.answers.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 (aiosmtpd's name)
        """Take the message."""
        parsed: Parsed = message_from_bytes(envelope.content, policy=default)
        assert isinstance(parsed, EmailMessage)
        self.mails.append((envelope.rcpt_tos, parsed))
        return "250 OK"


@pytest.fixture
def inbox() -> Inbox:
    """Empty."""
    return Inbox()


@pytest.fixture
async def mail(inbox: Inbox) -> AsyncIterator[Mail]:
    """Over a server that runs here."""
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(inbox), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    yield Mail(Server("127.0.0.1", port, None, None, False), "reports@analytics.example")
    server.close()


async def test_a_report_arrives(mail: Mail, inbox: Inbox) -> None:
    """Attached, under an id that is the same when it is sent again, and no other recipient's."""
    for to in (ANN, ANN, "bob@example.com"):
        await mail.send(to, message())
    (recipients, first), (_, second), (_, other) = inbox.mails
    assert (recipients, first["Subject"]) == (["ann@example.com"], "Weekly figures, due 2026-09-21 14:13 UTC")
    assert first["Message-ID"] == second["Message-ID"] != other["Message-ID"]
    (attached,) = first.iter_attachments()
    assert (attached.get_filename(), attached.get_content_type()) == ("r1.pdf", "application/pdf")
    assert attached.get_content() == b"%PDF"


async def test_a_large_one_is_linked(mail: Mail, inbox: Inbox) -> None:
    """Without the file."""
    await mail.send(ANN, message(None))
    (_, got), text = inbox.mails[0], inbox.mails[0][1].get_body()
    assert list(got.iter_attachments()) == []
    assert text is not None
    assert "https://analytics.example/r1" in text.get_content()


async def test_a_failure_is_told(mail: Mail, inbox: Inbox) -> None:
    """With the reason, and how to try again."""
    run = structs.replace(message().run, state=RunState.FAILED, error="the store was away")
    await Channels(Webhooks(PublicNetwork({}), b"s"), mail).send_failure(ToEmail(ANN), run)
    got = inbox.mails[0][1]
    assert got["Subject"] == "failed: Weekly figures, due 2026-09-21 14:13 UTC"
    assert "the store was away" in got.get_content()
    assert "schedule send-again s1 2026-09-21T14:13:20Z --company acme" in got.get_content()


async def test_what_is_refused_says_why(mail: Mail, inbox: Inbox) -> None:
    """What may be otherwise in a while is tried again; what will not is not; nor is what nobody takes."""
    inbox.answers = ["451 busy", "550 no such user"]
    with pytest.raises(Unavailable, match="451"):
        await mail.send(ANN, message())
    with pytest.raises(Conflict, match="550"):
        await mail.send(ANN, message())
    with pytest.raises(Unavailable):
        await Mail(Server("127.0.0.1", 9, None, None, False), "a@b.example").send(ANN, message())
    with pytest.raises(Conflict, match="ANALYTICS_SMTP_URL"):
        await Channels(Webhooks(PublicNetwork({}), b"s"), None).send(ReportByEmail(ANN), message())
    assert inbox.mails == []


async def test_a_password_is_not_sent_in_the_clear(mail: Mail) -> None:
    """A server that does not encrypt is not signed in to."""
    open_server = mail._server._replace(username="u", password="p")
    with pytest.raises(Unavailable, match="STARTTLS"):
        await Mail(open_server, "a@b.example").send(ANN, message())


def test_servers_are_read() -> None:
    """With the ports that mail has."""
    assert server_of("smtp://mail.example") == Server("mail.example", 587, None, None, False)
    assert server_of("smtps://u%40x:p%3A@mail.example:1465") == Server("mail.example", 1465, "u@x", "p:", True)
    for wrong in ("mail.example", "http://mail.example", "smtp://", "smtp://h:port"):
        with pytest.raises(Invalid):
            server_of(wrong)
