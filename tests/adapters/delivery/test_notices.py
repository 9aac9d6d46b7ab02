"""Notices of alerts: what a webhook, Slack and a mail say, in full, whatever names are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from adapters.delivery import notice_texts
from adapters.delivery.channels import Channels
from adapters.delivery.public_network import PublicNetwork, named_hosts
from adapters.delivery.webhook import Webhooks, secret_of
from domain.alerting.evaluation import State
from domain.alerting.notices import Item, News, Notice
from domain.configuration.channels import ToEmail, ToSlack, ToWebhook
from domain.errors import Conflict
from tests.support.hooks import HOST, hooks

SECRET, LINK = b"x" * 32, "https://a.example/admin/alerts/r"
NOTICE = Notice(
    notice_id="n1", company="acme", rule_id="r", rule="Too <many>\nerrors", severity="critical",
    condition="above 0.05", at=1_790_002_800_000, group="{}", channel=ToWebhook("https://a.example/"),
    items=[
        Item(series='{"service":"db"}', news=News.BEGUN, state=State.FIRING, value="0.25", since=1_790_002_500_000),
        Item(series="", news=News.RESOLVED, state=State.NORMAL, value="", since=1_790_000_000_000),
    ],
)  # fmt: skip


async def test_each_channel_says_all_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Value, condition, series, since when, where, and how to silence it; signed, under the notice's id."""
    with hooks(tmp_path) as receiver:
        monkeypatch.setenv("SSL_CERT_FILE", receiver.settings["SSL_CERT_FILE"])
        sending = Channels(Webhooks(PublicNetwork(named_hosts(f"{HOST}=127.0.0.1")), SECRET), None)
        for channel in (ToWebhook(receiver.url), ToSlack(receiver.url)):
            await sending.send_notice(channel, NOTICE, LINK)
        with pytest.raises(Conflict, match="no mail server"):
            await sending.send_notice(ToEmail("a@example.com"), NOTICE, LINK)
        (headers, body), (_, slack) = receiver.raw
    data = Webhook(secret_of(SECRET, "acme")).verify(body, headers)["data"]
    assert (headers["webhook-id"], data["condition"], data["link"]) == ("n1", "above 0.05", LINK)
    assert data["series"][0] == {
        "series": {"service": "db"}, "news": "begun", "state": "firing", "value": "0.25",
        "since": "2026-09-21T14:55:00Z",
    }  # fmt: skip
    assert "alert silence r --company acme" in data["silence"]
    assert "Too &lt;many&gt; errors" in json.loads(slack)["text"]


def test_a_text_is_for_people() -> None:
    """The worst of it first; of many series the first fifty."""
    assert notice_texts.title_of(NOTICE) == "[firing] critical: Too <many> errors (2 series)"
    text = notice_texts.text_of(NOTICE, LINK)
    assert "service db is firing since 2026-09-21T14:55:00Z, at 0.25" in text
    assert LINK in text
