"""Documents of reports for tests, made up: with names that mean harm, and in other kinds of writing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from domain.reports.document import Document, Owner, Section

HOSTILE = (
    '<img src="http://127.0.0.1:9/x.png"/>',
    '"><link rel="stylesheet" href="file:///etc/passwd"/>',
    "{{ 7 * 7 }}{% include '/etc/passwd' %}",
    '<pdf:insertpdf src="/etc/passwd"/>',
    '=HYPERLINK("http://127.0.0.1:9/","x")',
    "+cmd|' /C calc'!A0",
    "https://127.0.0.1:9/",
    "@00000000000000000000000000000000-table-0@",
    "&amp;<b>bold</b>\x00\x1b[31m",
)
WRITINGS = (
    "Ångström Žižek",
    "Ελληνικά",
    "Кириллица",
    "עברית 123",
    "العربية ٣",
    "日本語テスト",
    "中文名称",
    "한국어",
    "🚀",
)
LONG = "x" * 300


def league(names: Sequence[str]) -> list[dict[str, Any]]:
    """Rows of a league of strategies of these names."""
    return [
        {
            "rank": n,
            "strategy": name,
            "total_pnl": f"{1000 - n * 7}.25",
            "total_trades": n,
            "win_rate": n / 100,
            "currency": "USD",
        }
        for n, name in enumerate(names, 1)
    ]


def section(rows: Sequence[Mapping[str, Any]], chart: str = "bar", **parts: Any) -> Section:
    """A section of a league."""
    given = {"title": "Strategies", "sentence": "What they earned.", "query": "trading_league", **parts}
    return Section(definition_version=1, params={"by": "strategy"}, chart=chart, rows=rows, **given)


def document(*sections: Section, **parts: Any) -> Document:
    """A document of these sections, else of names that mean harm and of all kinds of writing."""
    names = (*HOSTILE, *WRITINGS, LONG)
    whole = [section(league(names), title=title) for title in (HOSTILE[0], WRITINGS[4])]
    failed = section([], title="Failed", problem=f"It is {HOSTILE[1]}.")
    given = {
        "title": f"Report {HOSTILE[3]}",
        "can_pivot": True,
        "owner": Owner(company_id="acme", name=f"{HOSTILE[0]} {WRITINGS[3]} {LONG}", footer=HOSTILE[2]),
        **parts,
    }
    return Document(
        kind="trading",
        description="What trades came to.",
        locale="en",
        currency="USD",
        calendar={"time_zone": "UTC", "week_starts_on": "monday", "fiscal_year_starts": 1, "trading_days": "weekdays"},
        asked_at="2026-01-31T12:00:00Z",
        position="trading-events:0=12",
        params={"from": "2026-01-01"},
        sections=sections or (*whole, failed),
        **given,
    )
