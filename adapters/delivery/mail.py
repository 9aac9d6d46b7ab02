"""E-mail over SMTP, to the server of the settings. A message has an id that follows from its run and its recipient."""

from __future__ import annotations

from email.message import EmailMessage
from hashlib import sha256
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import aiosmtplib

from domain.configuration.channels import ReportByEmail
from domain.errors import Conflict, Invalid, Unavailable
from domain.reports.run_store import Message

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

    async def send(self, recipient: ReportByEmail, message: Message) -> None:
        """Raises Unavailable where trying again may help, Conflict where it will not."""
        server = self._server
        try:
            await aiosmtplib.send(
                mail_of(self._sender, recipient.to, message),
                sender=self._sender,
                recipients=[recipient.to],
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
    due, name = f"{run.due_at:%Y-%m-%d %H:%M} UTC", " ".join(run.schedule.name.split())
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, to, f"{name}: {due}"
    mail["Message-ID"] = f"<{run.run_id}.{sha256(to.encode()).hexdigest()[:16]}@{sender.rpartition('@')[2]}>"
    mail["Date"] = run.due_at
    mail["Auto-Submitted"] = "auto-generated"
    where = (
        f"It has {report.size:,} bytes, and lies here for who signs in:" if content is None else "It also lies here:"
    )
    lines = (f"{name}, due {due}{', made late' if run.late else ''}.", "", where, link, "", f"SHA-256: {report.sha256}")
    mail.set_content("\n".join(lines) + "\n")
    if content is not None:
        kind, _, form = report.media_type.partition("/")
        mail.add_attachment(content, maintype=kind, subtype=form, filename=report.file_name)
    return mail
