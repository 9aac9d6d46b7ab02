"""E-mail over SMTP, to the server of the settings. A message has an id that follows from its run and its recipient."""

from __future__ import annotations

from datetime import datetime
from email.message import EmailMessage
from hashlib import sha256
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import aiosmtplib

from adapters.delivery import notice_texts
from domain.alerting.notices import Notice
from domain.errors import Conflict, Invalid, Unavailable
from domain.reports.run_store import Message
from domain.reports.schedule_runs import Run, moment

PORTS = {"smtp": 587, "smtps": 465}
SECONDS = 60.0  # that one message may take
AGAIN = range(400, 500)  # answers of a server that may be others in a while


class Server(NamedTuple):
    """A mail server. Whoever signs in to it is encrypted; else it is as the server offers."""

    host: str
    port: int
    username: str | None
    password: str | None
    tls: bool


def server_of(url: str) -> Server:
    """The server of `smtp://user:password@host:port`, or `smtps://`. Raises Invalid."""
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = -1
    if parts.scheme not in PORTS or not parts.hostname or port == -1:
        raise Invalid("ANALYTICS_SMTP_URL is smtp://user:password@host:port, or smtps://…", code="bad_setting")
    user, password = (unquote(each) if each else None for each in (parts.username, parts.password))
    return Server(parts.hostname, port or PORTS[parts.scheme], user, password, parts.scheme == "smtps")


class Mail:
    """Sends messages by e-mail, from an address."""

    def __init__(self, server: Server, sender: str) -> None:
        self._server, self._sender = server, sender

    async def send(self, to: str, message: Message) -> None:
        """Raises Unavailable where trying again may help, Conflict where it will not."""
        await self._send(to, mail_of(self._sender, to, message))

    async def send_failure(self, to: str, run: Run) -> None:
        """Say that a run failed or was skipped, and why. Raises as `send` does."""
        await self._send(to, failure_of(self._sender, to, run))

    async def send_notice(self, to: str, notice: Notice, link: str) -> None:
        """Send a notice of an alert rule. Raises as `send` does."""
        mail = _about(self._sender, to, notice_texts.title_of(notice), notice.notice_id, moment(notice.at))
        mail.set_content(notice_texts.text_of(notice, link))
        await self._send(to, mail)

    async def _send(self, to: str, mail: EmailMessage) -> None:
        server = self._server
        try:
            await aiosmtplib.send(
                mail,
                sender=self._sender,
                recipients=[to],
                hostname=server.host,
                port=server.port,
                username=server.username,
                password=server.password,
                use_tls=server.tls,
                start_tls=(True if server.username else None) if not server.tls else False,
                timeout=SECONDS,
            )
        except aiosmtplib.SMTPRecipientsRefused as error:
            raise _refused(error.recipients[0]) from error
        except aiosmtplib.SMTPResponseException as error:
            raise _refused(error) from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise Unavailable(f"the mail server does not take it: {error}") from error


def _refused(error: aiosmtplib.SMTPResponseException) -> Unavailable | Conflict:
    said = f"the mail server answered {error.code}: {' '.join(str(error.message).split())[:200]}"
    return Unavailable(said) if error.code in AGAIN else Conflict(said, code="mail_refused")


def mail_of(sender: str, to: str, message: Message) -> EmailMessage:
    """The message, with the file where it may be attached; a larger one is linked."""
    run, report, content, link = message
    mail = _about(sender, to, _title(run), run.run_id, run.due_at)
    where = (
        f"It has {report.size:,} bytes, and lies here for who signs in:" if content is None else "It also lies here:"
    )
    lines = (f"{_title(run)}{', made late' if run.late else ''}.", "", where, link, "", f"SHA-256: {report.sha256}")
    mail.set_content("\n".join(lines) + "\n")
    if content is not None:
        kind, _, form = report.media_type.partition("/")
        mail.add_attachment(content, maintype=kind, subtype=form, filename=report.file_name)
    return mail


def failure_of(sender: str, to: str, run: Run) -> EmailMessage:
    """What is sent to who hears of failures."""
    mail = _about(sender, to, f"{run.state}: {_title(run)}", f"{run.run_id}.failed.{run.again}", run.due_at)
    again = (
        f"analytics schedule send-again {run.schedule_id} {run.due_at:%Y-%m-%dT%H:%M:%SZ} --company {run.company_id}"
    )
    mail.set_content("\n".join((f"{_title(run)}: {run.state}.", "", run.error, "", "To try again:", again)) + "\n")
    return mail


def _title(run: Run) -> str:
    return f"{' '.join(run.schedule.name.split())}, due {run.due_at:%Y-%m-%d %H:%M} UTC"


def _about(sender: str, to: str, subject: str, message_id: str, at: datetime) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, to, subject
    mail["Message-ID"] = f"<{message_id}.{sha256(to.encode()).hexdigest()[:16]}@{sender.rpartition('@')[2]}>"
    mail["Date"] = at
    mail["Auto-Submitted"] = "auto-generated"
    return mail
