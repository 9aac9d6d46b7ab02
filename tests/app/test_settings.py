"""Settings: read once, checked, shown without secrets."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import get_type_hints

import pytest

from app.settings import Settings, redacted
from domain.errors import Invalid


def test_defaults_stand_where_nothing_is_given() -> None:
    """An empty environment gives the documented defaults."""
    settings = Settings.read({})
    assert (settings.read_port, settings.command_port, settings.partitions) == (8003, 8004, 4)
    assert settings.data == Path(".analytics")


def test_a_flag_goes_before_its_variable_and_a_variable_before_the_default() -> None:
    """Three places to say the same thing, in this order."""
    environ = {"ANALYTICS_DATA": "/from/variable", "ANALYTICS_PARTITIONS": "7"}
    assert Settings.read(environ).data == Path("/from/variable")
    assert Settings.read(environ, data=Path("/from/flag")).data == Path("/from/flag")
    assert Settings.read(environ, data=None).partitions == 7


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("ANALYTICS_READ_PORT", "eighty"),
        ("ANALYTICS_PARTITIONS", "0"),
        ("ANALYTICS_POISON_LIMIT", "x"),
        ("ANALYTICS_KAFKA_SECURITY", "TLS"),
        ("ANALYTICS_READ_PORT", "65536"),
        ("ANALYTICS_READ_PORT", "-1"),
        ("ANALYTICS_GRPC_PORT", "9" * 5_000),
        ("ANALYTICS_POISON_LIMIT", "nan"),
        ("ANALYTICS_QUERY_SECONDS", "inf"),
        ("ANALYTICS_QUERY_SECONDS", "1e999"),
        ("ANALYTICS_TRACE_SHARE", "1.01"),
        ("ANALYTICS_LOG_LEVEL", "LOUD"),
        ("ANALYTICS_PLAINTEXT", "perhaps"),
        ("ANALYTICS_EVENT_TOKENS", "x\ny"),
    ],
)
def test_a_value_that_is_no_good_is_refused_by_name(variable: str, text: str) -> None:
    """The error names the variable and the value."""
    with pytest.raises(Invalid, match=f"{variable} is .*{re.escape(text[:40].splitlines()[0])}") as raised:
        Settings.read({variable: text})
    assert len(str(raised.value)) < 200


def test_every_number_has_a_range() -> None:
    """Whatever is declared next."""
    hints = get_type_hints(Settings)
    for setting in fields(Settings):
        if hints[setting.name] in (int, float):
            least, most = setting.metadata["at_least"], setting.metadata["at_most"]
            assert least is not None, setting.name
            assert most is not None, setting.name
            assert least <= setting.default <= most


def test_secrets_are_hidden() -> None:
    """Addresses keep their host and lose their password; other settings are shown as they are."""
    settings = Settings.read(
        {"ANALYTICS_DATABASE_URL": "postgresql://joe:geheim@db.internal:5432/a", "ANALYTICS_HOST": "::1"}
    )
    shown = {field.name: text for field, _, text in settings.items()}
    assert shown["database_url"] == "postgresql://••••@db.internal:5432/a"
    assert shown["host"] == "::1"
    assert "geheim" not in "".join(shown.values())


def test_a_secret_that_is_no_address_is_hidden_as_a_whole() -> None:
    """What cannot be taken apart is not shown in part."""
    assert redacted("host=db password=geheim") == "••••"
    assert redacted("") == ""
