"""What is wrong with a command is named by its field, in one sentence."""

from __future__ import annotations

import base64

import pytest

from domain.configuration.cron import Cron
from domain.configuration.kinds import Issued
from domain.configuration.registry import COMMANDS, read_command
from domain.errors import Invalid

ISSUED = Issued("acme", "ann", "admin", 1_700_000_000_000, "c-1")
METRIC, NO_DATA = '{"kind":"metric","key":"mrr"}', '{"kind":"no_data","after_seconds":60}'
TRADING = '{"kind":"trading"}'
FAKE = base64.b64encode(b"GIF89a").decode()


def dashboard(*tiles: tuple[str, int, int]) -> str:
    """The body of a dashboard with tiles of these ids, left edges and widths."""
    form = '{{"id":"{}","title":"T","kind":"bar","query":"trades","layout":{{"x":{},"y":0,"w":{},"h":2}}}}'
    return f'{{"name":"x","tiles":[{",".join(form.format(*tile) for tile in tiles)}]}}'


def rule(watched: str, condition: str) -> str:
    """The body of an alert rule."""
    return f'{{"name":"r","trigger":{{"watched":{watched},"condition":{condition}}}}}'


def schedule(report: str, cron: str, zone: str) -> str:
    """The body of a report schedule."""
    return f'{{"name":"s","report":{report},"timing":{{"cron":"{cron}","time_zone":"{zone}"}}}}'


@pytest.mark.parametrize(
    ("name", "body", "told"),
    [
        ("dashboard.create", "[]", "the command: expected `object`, got `array`"),
        ("dashboard.create", "{}", "name: is missing"),
        ("dashboard.create", '{"name":""}', "name: expected `str` of length >= 1"),
        ("dashboard.create", '{"name":"x","colour":1}', "colour: there is no such field"),
        ("dashboard.create", '{"name":"a\\u0007"}', "name: holds a control character"),
        ("dashboard.create", '{"name":"x","tiles":[{"id":"a"}]}', "tiles[0].title: is missing"),
        ("dashboard.create", dashboard(("a b", 0, 1)), "tiles[0].id: expected"),
        ("dashboard.create", dashboard(("a", 8, 6)), "tiles[0].layout: x + w is more"),
        (
            "dashboard.create",
            dashboard(("a", 0, 6), ("a", 6, 6)),
            "tiles[1].id: 'a' is also tiles[0].id",
        ),
        (
            "dashboard.create",
            dashboard(("a", 0, 6), ("b", 5, 6)),
            "tiles[1].layout: overlaps tiles[0]",
        ),
        ("dashboard.create", '{"name":"x","sharing":{"audience":"users"}}', "sharing.users: names users"),
        ("dashboard.create", '{"name":"x","sharing":{"audience":"all"}}', "sharing.audience: invalid enum value 'all'"),
        ("alert_rule.create", rule('{"kind":"metrik"}', NO_DATA), "trigger.watched.kind: invalid value 'metrik'"),
        (
            "alert_rule.create",
            rule(METRIC, '{"kind":"threshold","compare":"above","value":0.5}'),
            "trigger.condition.value: expected `str`, got `float`",
        ),
        (
            "alert_rule.create",
            rule(METRIC, '{"kind":"anomaly","deviations":"11"}'),
            "trigger.condition.deviations: must be 1 to 10",
        ),
        (
            "alert_rule.create",
            rule(METRIC, '{"kind":"change","direction":"up","by":"0","unit":"percent","over_seconds":60}'),
            "trigger.condition.by: must be above 0",
        ),
        (
            "alert_rule.create",
            rule(METRIC, '{"kind":"no_data","after_seconds":5}'),
            "after_seconds: expected `int` >=",
        ),
        ("report_schedule.create", schedule(TRADING, "0 25 * * *", "UTC"), "timing.cron: '0 25 * * *': bad hour"),
        (
            "report_schedule.create",
            schedule(TRADING, "0 7 31 2 *", "UTC"),
            "timing.cron: '0 7 31 2 *': bad day",
        ),
        (
            "report_schedule.create",
            schedule(TRADING, "0 7 * * *", "Mars/Base"),
            "timing.time_zone: 'Mars/Base' is no",
        ),
        ("report_schedule.create", schedule('{"kind":"custom"}', "0 7 * * *", "UTC"), "report.sections: there are"),
        (
            "report_schedule.change_recipients",
            '{"recipients":[{"kind":"email","to":"ann@example.com\\n"}]}',
            "recipients[0].to: expected `str` matching",
        ),
        (
            "report_schedule.change_recipients",
            '{"recipients":[{"kind":"webhook","url":"http://x.example"}]}',
            "recipients[0].url: expected `str` matching",
        ),
        ("company.change_currency", '{"currency":"usd"}', "currency: expected `str` matching"),
        ("company.change_calendar", '{"time_zone":"../etc/passwd"}', "time_zone: '../etc/passwd' is no IANA time zone"),
        ("company.change_retention", '{"days":{"trades":90}}', "days.trades: there is no such stream"),
        ("company.change_retention", '{"days":{"trading-events":3}}', "days[...]: expected `int` >= 30"),
        ("company.change_branding", '{"logo":"https://x.example/l.png"}', "logo: does not begin with data:image/png"),
        ("company.change_branding", f'{{"logo":"data:image/png;base64,{FAKE}"}}', "logo: is no picture of the type"),
        ("company.change_branding", '{"logo":"data:image/png;base64,!"}', "logo: is no base64"),
    ],
)
def test_what_is_wrong_is_named_by_its_field(name: str, body: str, told: str) -> None:
    """Form and meaning alike."""
    kind = COMMANDS[name]
    with pytest.raises(Invalid) as refused:
        kind.aggregate.decide(None, read_command(kind, body.encode()), ISSUED)
    assert refused.value.code == "invalid_field"
    assert told in str(refused.value)


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b'{"name": "\\ud800"}', b"[" * 100_000])
def test_a_body_that_is_no_json_is_refused(body: bytes) -> None:
    """Whatever it is, it is the caller's mistake."""
    with pytest.raises(Invalid):
        read_command(COMMANDS["dashboard.create"], body)


def test_several_problems_are_told_at_once() -> None:
    """Up to five, so that a form can show them all."""
    body = dashboard(*[("a", 8, 6)] * 9)
    kind = COMMANDS["dashboard.create"]
    with pytest.raises(Invalid) as refused:
        kind.aggregate.decide(None, read_command(kind, body.encode()), ISSUED)
    assert str(refused.value).count("; ") == 4


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "* * * *",
            "* * * * * *",
            "60 * * * *",
            "* * 0 * *",
            "* * * 13 *",
            "5-1 * * * *",
            "*/0 * * * *",
            "@daily",
        ),
        *("a * * * *", "1,,2 * * * *", "-1 * * * *", "* * * * mon-xyz", "0 0 30 2 *", "0 0 31 4,6 *"),
    ],
)
def test_wrong_cron_expressions_are_refused(text: str) -> None:
    """Also those that are never due."""
    with pytest.raises(Invalid) as refused:
        Cron(text)
    assert refused.value.code == "bad_cron"
