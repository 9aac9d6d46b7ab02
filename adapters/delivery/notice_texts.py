"""Notices of alert rules as people and programs get them: what, how much, since when, where, and how to silence it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from domain.alerting.notices import Item, News, Notice

TYPE = "alert.notice"
MOST_ITEMS = 50  # series that a text lists; a webhook gets all of them
VERBS = {
    News.BEGUN: "is {state} since",
    News.STILL: "is still {state}, since",
    News.RESOLVED: "is normal again; it was not since",
}


def title_of(notice: Notice) -> str:
    """One line: the worst of the news, the rule, and how many series it is about."""
    resolved = all(item.news is News.RESOLVED for item in notice.items)
    what = "resolved" if resolved else next(i.state for i in notice.items if i.news is not News.RESOLVED)
    count = f" ({len(notice.items)} series)" if len(notice.items) > 1 else ""
    return f"[{what}] {notice.severity}: {' '.join(notice.rule.split())}{count}"


def text_of(notice: Notice, link: str) -> str:
    """For people."""
    items = [_line(item) for item in notice.items[:MOST_ITEMS]]
    if len(notice.items) > MOST_ITEMS:
        items.append(f"… and {len(notice.items) - MOST_ITEMS} more")
    lines = (f"{' '.join(notice.rule.split())}: {notice.condition}.", "", *items, "")
    return (
        "\n".join(
            (*lines, f"The period ended at {_time(notice.at)}.", link, "", f"To silence it: {silence_of(notice)}")
        )
        + "\n"
    )


def body_of(notice: Notice, link: str) -> str:
    """For programs."""
    data: dict[str, Any] = {
        "notice_id": notice.notice_id,
        "company": notice.company,
        "rule_id": notice.rule_id,
        "rule": notice.rule,
        "severity": notice.severity,
        "condition": notice.condition,
        "at": _time(notice.at),
        "group": msgspec.json.decode(notice.group) if notice.group else {},
        "series": [
            {
                "series": msgspec.json.decode(item.series) if item.series else {},
                "news": item.news,
                "state": item.state,
                "value": item.value or None,
                "since": _time(item.since),
            }
            for item in notice.items
        ],
        "link": link,
        "silence": silence_of(notice),
    }
    return msgspec.json.encode({"type": TYPE, "timestamp": _time(notice.at), "data": data}).decode()


def slack_of(notice: Notice, link: str) -> str:
    """As Slack's webhooks take it. What it writes in its own signs stands for itself."""
    text = f"*{title_of(notice)}*\n{text_of(notice, link)}"
    for sign, written in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(sign, written)
    return msgspec.json.encode({"text": text}).decode()


def silence_of(notice: Notice) -> str:
    """The command that silences the rule for an hour."""
    return f"analytics alert silence {notice.rule_id} --company {notice.company} --for 1h --reason WHY"


def _line(item: Item) -> str:
    dimensions = msgspec.json.decode(item.series) if item.series else {}
    series = ", ".join(f"{name} {value}" for name, value in dimensions.items()) or "it"
    value = f", at {item.value}" if item.value else ""
    return f"{series} {VERBS[item.news].format(state=item.state.replace('_', ' '))} {_time(item.since)}{value}"


def _time(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
