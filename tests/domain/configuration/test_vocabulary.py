"""What a command names exists, and what it is sent to is somebody's: else it is refused with the nearest right name."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.configuration.addresses import email_problem, url_problem
from domain.configuration.registry import COMMANDS, read_command
from domain.configuration.vocabulary import unknown_names
from domain.currencies import ISO_4217
from projections.engine.declare.registry import all_registered
from tests.support.command_handlers import vocabulary

WORDS = vocabulary()
LAYOUT = '"layout":{"x":0,"y":0,"w":6,"h":2}'


def problems(name: str, body: str) -> list[str]:
    """What is wrong with the names in a command."""
    return list(unknown_names(read_command(COMMANDS[name], body.encode()), "acme", WORDS))


def tile(query: str, params: str = "{}") -> str:
    """A dashboard of one tile."""
    return (
        f'{{"name":"D","tiles":[{{"id":"a","title":"A","kind":"bar","query":"{query}","params":{params},{LAYOUT}}}]}}'
    )


def rule(watched: str) -> str:
    """An alert rule that watches this."""
    condition = '{"kind":"threshold","compare":"above","value":"1"}'
    return f'{{"name":"R","trigger":{{"watched":{watched},"condition":{condition}}}}}'


def to_webhook(url: str) -> str:
    """Recipients of a schedule."""
    return f'{{"recipients":[{{"kind":"webhook","url":"{url}"}}]}}'


@pytest.mark.parametrize(
    ("name", "body", "reason"),
    [
        ("dashboard.create", tile("trading_total"), "tiles[0].query: no query is called 'trading_total'; did you mean"),
        (
            "dashboard.create",
            tile("trading_totals", '{"by":"planet"}'),
            "tiles[0].params: parameter by of trading_totals: 'planet' is no dimension",
        ),
        (
            "dashboard.create",
            tile("trading_totals", '{"from":"yesterday"}'),
            "tiles[0].params: parameter from of trading_totals: 'yesterday' is neither",
        ),
        (
            "dashboard.create",
            tile("trading_totals", '{"symbl":"AAPL"}'),
            "tiles[0].params: query trading_totals has no parameter 'symbl'; did you mean 'symbol'?",
        ),
        ("dashboard.create", tile("metric"), "tiles[0].params: query metric needs key"),
        ("dashboard.create", tile("metric", '{"key":"sharp"}'), "tiles[0].query: no metric is called 'sharp'"),
        (
            "report_schedule.change_report",
            '{"report":{"kind":"custom","sections":[{"title":"S","query":"trade"}]}}',
            "report.sections[0].query: no query is called 'trade'; did you mean 'trades'?",
        ),
        (
            "report_schedule.change_report",
            '{"report":{"kind":"trading","params":{"foo":"bar"}}}',
            "report.params: query kpis has no parameter 'foo'",
        ),
        (
            "alert_rule.create",
            rule('{"kind":"metric","key":"win_rat"}'),
            "trigger.watched.key: no metric is called 'win_rat'; did you mean 'win_rate'?",
        ),
        ("alert_rule.create", rule('{"kind":"metric","key":"retention"}'), "trigger.watched.key: 'retention' has no"),
        (
            "alert_rule.create",
            rule('{"kind":"metric","key":"win_rate","by":["planet"]}'),
            "trigger.watched.params: win_rate",
        ),
        (
            "alert_rule.create",
            rule('{"kind":"query","query":"trading_totals","measure":"total_pnll"}'),
            "trigger.watched.measure: trading_totals has no measure 'total_pnll'; did you mean 'total_pnl'?",
        ),
        (
            "alert_rule.create",
            rule('{"kind":"query","query":"trades","measure":"pnl"}'),
            "trigger.watched.query: rows of 'trades' are no totals",
        ),
        ("company.change_currency", '{"currency":"XXY"}', "currency: 'XXY' is no currency"),
        ("company.change_profile", '{"contact_email":"a@b..com"}', "contact_email: has the domain 'b..com'"),
        ("report_schedule.change_recipients", to_webhook("https://127.1/x"), "recipients[0].url: leads to 127.0.0.1"),
        (
            "alert_rule.change_notification",
            '{"notification":{"channels":[{"kind":"slack","url":"https://[::ffff:10.0.0.1]/"}]}}',
            "notification.channels[0].url: leads to ::ffff:a00:1",
        ),
    ],
)
def test_what_does_not_exist_is_named_by_its_field(name: str, body: str, reason: str) -> None:
    """Every kind of name, in every kind of command that has it."""
    assert any(problem.startswith(reason) for problem in problems(name, body)), problems(name, body)


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("dashboard.create", tile("trading_totals", '{"by":"symbol,month","from":"2026-01-01"}')),
        ("dashboard.create", tile("metric", '{"key":"win_rate","by":"symbol"}')),
        ("alert_rule.create", rule('{"kind":"metric","key":"win_rate","by":["symbol"]}')),
        ("alert_rule.create", rule('{"kind":"query","query":"system_metrics","measure":"p99","by":["service"]}')),
        ("alert_rule.create", rule('{"kind":"query","query":"trading_totals","measure":"win_rate"}')),
        ("company.change_currency", '{"currency":"BTC"}'),
        ("report_schedule.change_report", '{"report":{"kind":"users","params":{"period":"month"}}}'),
        ("report_schedule.change_recipients", to_webhook("https://hooks.example:8443/x?y=1")),
    ],
)
def test_what_exists_is_taken(name: str, body: str) -> None:
    """Nothing right is refused."""
    assert problems(name, body) == []


def test_every_query_without_needs_can_be_a_tile() -> None:
    """New queries enter by themselves."""
    free = [query.name for query in all_registered().values() if not any(p.required for p in query.params)]
    assert len(free) > 40
    assert {name: found for name in free if (found := problems("dashboard.create", tile(name)))} == {}


PRIVATE = (
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.9",
    "192.168.0.1",
    "169.254.169.254",
    "0.0.0.0",
    "100.64.0.1",
    "224.0.0.1",
)


def spellings(address: IPv4Address) -> Iterator[str]:
    """Ways to write an address that clients understand."""
    number, parts = int(address), address.packed
    yield from (str(address), f"{address}.", str(number), hex(number), oct(number).replace("0o", "0"))
    yield ".".join(hex(part) for part in parts)
    yield ".".join(f"0{part:o}" for part in parts)
    yield f"{parts[0]}.{number & 0xFFFFFF}"
    yield f"{parts[0]}.{parts[1]}.{number & 0xFFFF}"
    yield str(address).translate({ord(str(digit)): chr(0xFF10 + digit) for digit in range(10)})
    yield str(address).replace(".", "\u3002")
    yield "".join(f"%{ord(char):02x}" for char in str(address))
    yield str(address).replace(".", ".\u00ad", 1)
    yield from (f"[::ffff:{address}]", f"[::{address}]", f"[64:ff9b::{address}]", f"[0:0:0:0:0:FFFF:{address}]")
    yield f"[2002:{number >> 16:x}:{number & 0xFFFF:x}::1]"


@pytest.mark.parametrize("address", PRIVATE)
def test_no_spelling_of_an_address_that_is_not_public_passes(address: str) -> None:
    """Decimal, octal, hexadecimal, short, full width, encoded, inside of IPv6."""
    hosts = list(spellings(IPv4Address(address)))
    assert [host for host in hosts if url_problem(f"https://{host}/hook") is None] == []
    assert [host for host in hosts if email_problem(f"ann@{host}") is None] == []


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "LOCALHOST.", "a.localhost", "metadata.google.internal", "printer.local", "intranet", "[::1]"),
        *(
            "[fe80::1]",
            "[fc00::1]",
            "[ff02::1]",
            "\u24db\u24de\u24d2\u24d0\u24db\u24d7\u24de\u24e2\u24e3",
            "x.loc\u00adal",
        ),
        *(
            "a..b.example",
            "-x.example",
            "x_.-.example",
            "1.2.3.4.5",
            "999.1.1.1",
            f"{'a' * 64}.example",
            "[::1",
            "a.example:0",
        ),
    ],
)
def test_names_of_a_local_network_and_what_is_no_host_are_refused(host: str) -> None:
    """Whatever they are written like."""
    assert url_problem(f"https://{host}/") is not None


@given(st.integers(0, 2**32 - 1).map(IPv4Address))
def test_addresses_pass_where_they_are_public(address: IPv4Address) -> None:
    """The judgement is that of the standard library, in every spelling."""
    public = address.is_global and not address.is_multicast
    assert {url_problem(f"https://{host}/") is None for host in spellings(address)} <= {public, False}
    assert (url_problem(f"https://{address}/") is None) == public


def test_codes_without_a_currency_are_none() -> None:
    """Codes for tests and for no currency, and those that were given up."""
    assert {"USD", "EUR", "JPY", "XCG", "ZWG"} <= ISO_4217
    assert not {3 * "X", "XTS", "DEM", "HRK", "BGN", "XXY"} & ISO_4217
