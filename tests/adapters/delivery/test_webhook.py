"""Webhooks arrive signed, over TLS, at whom the signature's secret is for; what an answer means for the next try."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from msgspec import structs
from standardwebhooks import Webhook, WebhookVerificationError

from adapters.delivery.public_network import PublicNetwork, named_hosts
from adapters.delivery.webhook import Webhooks, secret_of
from domain.errors import AnalyticsError, Conflict, Unavailable
from domain.reports.schedule_runs import RunState
from tests.adapters.delivery.messages import message
from tests.support.hooks import HOST, hooks

SECRET = b"x" * 32


async def test_a_receiver_can_check_what_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the library of the standard; with another company's secret it is no message, nor with another body."""
    with hooks(tmp_path) as receiver:
        monkeypatch.setenv("SSL_CERT_FILE", receiver.settings["SSL_CERT_FILE"])
        sending = Webhooks(PublicNetwork(named_hosts(f"{HOST}=127.0.0.1")), SECRET)
        for content in (b"%PDF", None):
            await sending.send(receiver.url, message(content))
        await sending.send_failure(receiver.url, structs.replace(message().run, state=RunState.FAILED, error="away"))
        (headers, body), (_, linked), (other, failed) = receiver.raw
    said = Webhook(secret_of(SECRET, "acme")).verify(body, headers)
    assert (headers["webhook-id"], said["type"]) == (message().run.run_id, "report.ready")
    file = said["data"]["report"]
    assert (base64.b64decode(file["content"]), file["sha256"]) == (b"%PDF", "ab")
    assert Webhook(secret_of(SECRET, "acme")).verify(linked, receiver.raw[1][0])["data"]["report"]["content"] is None
    bad = Webhook(secret_of(SECRET, "acme")).verify(failed, other)
    assert (bad["type"], bad["data"]["error"], bad["data"]["state"]) == ("report.failed", "away", "failed")
    assert other["webhook-id"] != headers["webhook-id"]
    for secret, text in ((secret_of(SECRET, "other"), body), (secret_of(SECRET, "acme"), body + " ")):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(text, headers)


async def test_who_is_not_who_the_name_says_gets_nothing(tmp_path: Path) -> None:
    """A certificate that nobody vouches for."""
    with hooks(tmp_path) as receiver:
        sending = Webhooks(PublicNetwork(named_hosts(f"{HOST}=127.0.0.1")), SECRET)
        with pytest.raises(Unavailable):
            await sending.send(receiver.url, message())
        assert receiver.raw == []


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (200, None),
        (204, None),
        (302, Conflict),
        (400, Conflict),
        (410, Conflict),
        (429, Unavailable),
        (503, Unavailable),
    ],
)
async def test_an_answer_says_whether_to_try_again(
    status: int, error: type[AnalyticsError] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A receiver that is busy is asked again; one that refuses, or is elsewhere, is not."""

    async def answered(*_args: object) -> int:
        return status

    monkeypatch.setattr("adapters.delivery.webhook.post", answered)
    sent = Webhooks(PublicNetwork({}), SECRET).send("https://a.example/", message())
    if error is None:
        await sent
    else:
        with pytest.raises(error):
            await sent
