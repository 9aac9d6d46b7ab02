"""Where alerts and reports are sent. Whether an address may be reached is decided when something is sent."""

from __future__ import annotations

from domain.configuration import forms
from domain.configuration.kinds import Value


class ToEmail(Value, frozen=True, tag_field="kind", tag="email"):
    """A message to one address."""

    to: forms.Email


class ToWebhook(Value, frozen=True, tag_field="kind", tag="webhook"):
    """A signed POST to an address."""

    url: forms.HttpsUrl


class ToSlack(Value, frozen=True, tag_field="kind", tag="slack"):
    """A message to a webhook that takes what Slack's take."""

    url: forms.HttpsUrl


Channel = ToEmail | ToWebhook | ToSlack
Recipient = ToEmail | ToWebhook
