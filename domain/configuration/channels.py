"""Where alerts and reports are sent. What an address may not be is said in `addresses`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

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


class Own(Value, frozen=True):
    """Whose rows somebody sees who sees but their own: of these users; of these accounts, where rows name no user."""

    user_ids: Annotated[tuple[forms.Subject, ...], Meta(min_length=1, max_length=100, description="Of these users.")]
    account_ids: Annotated[
        tuple[forms.Subject, ...], Meta(max_length=100, description="Of these accounts, where rows name no user.")
    ] = ()


class ReportByEmail(ToEmail, frozen=True, tag_field="kind", tag="email"):
    """A report to one address."""

    sees: Annotated[Own | None, Meta(description="Whose rows alone it shows; null: all of the company.")] = None


class ReportByWebhook(ToWebhook, frozen=True, tag_field="kind", tag="webhook"):
    """A report in a signed POST to an address."""

    sees: Annotated[Own | None, Meta(description="Whose rows alone it shows; null: all of the company.")] = None


Channel = ToEmail | ToWebhook | ToSlack
Recipient = ReportByEmail | ReportByWebhook
FailureRecipient = ToEmail | ToWebhook


def channels_repeated(field: str, channels: Sequence[Channel]) -> Iterator[str]:
    """A problem for each channel that is there twice: people would be told twice."""
    return forms.repeated(field, [str(msgspec.to_builtins(channel)) for channel in channels])
