"""Where alerts and reports are sent. What an address may not be is said in `addresses`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

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


def channels_repeated(field: str, channels: Sequence[Channel]) -> Iterator[str]:
    """A problem for each channel that is there twice: people would be told twice."""
    return forms.repeated(field, [str(msgspec.to_builtins(channel)) for channel in channels])
