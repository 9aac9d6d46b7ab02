"""Settings of the Kafka adapter."""

from __future__ import annotations

import pytest
from aiokafka.client import AIOKafkaClient

from adapters.kafka.settings import KafkaSettings
from app.settings import Settings
from app.wiring import event_log
from domain.errors import Unavailable
from domain.ports import Record
from tests.support.kafka_broker import KafkaBroker, LocalBroker


async def test_tls_and_passwords_reach_the_client() -> None:
    """With SASL over TLS the client is given a context and credentials, and accepts them."""
    settings = KafkaSettings(
        bootstrap_servers="a:1,b:2", security_protocol="SASL_SSL", sasl_username="analytics", sasl_password="secret"
    )
    options = settings.connection("test")
    assert options["ssl_context"].check_hostname
    assert (options["sasl_plain_username"], options["sasl_plain_password"]) == ("analytics", "secret")
    assert options["sasl_mechanism"] == "SCRAM-SHA-512"
    await AIOKafkaClient(**options).close()


def test_passwords_are_not_shown() -> None:
    """The text of the settings, as a log might have it, holds no password."""
    assert "hunter2" not in repr(KafkaSettings(bootstrap_servers="a:1", sasl_password="hunter2"))


def test_a_plain_connection_has_no_credentials() -> None:
    """By default neither TLS nor SASL options are given."""
    assert not [o for o in KafkaSettings(bootstrap_servers="a:1").connection("test") if o.startswith(("ssl", "sasl"))]


def test_the_limits_fit_into_each_other() -> None:
    """A batch or a single large record with its headers fits into a message, and a message into a fetch."""
    s = KafkaSettings(bootstrap_servers="a:1")
    assert max(s.batch_bytes, s.max_record_bytes) + 65_536 < s.max_message_bytes < s.partition_fetch_bytes
    assert s.partition_fetch_bytes <= s.fetch_bytes


@pytest.mark.parametrize(("password", "let_in"), [("open sesame", True), ("open barley", False)])
async def test_a_listener_that_asks_for_a_password_is_used(mortal: KafkaBroker, password: str, let_in: bool) -> None:
    """What the service is told in its settings opens a real broker's door; a wrong password is Unavailable."""
    assert isinstance(mortal, LocalBroker)
    told = {
        "KAFKA_BOOTSTRAP_SERVERS": mortal.with_password,
        "KAFKA_SECURITY": "SASL_PLAINTEXT",
        "KAFKA_SASL_MECHANISM": "PLAIN",
        "KAFKA_USERNAME": "analytics",
        "KAFKA_PASSWORD": password,
    }
    settings = Settings.read({f"ANALYTICS_{name}": value for name, value in told.items()})
    async with event_log(settings) as log:
        if let_in:
            await log.create_topics({"with-password": 1})
            placed = await log.append([Record("with-password", b"acme", b"event", 1)])
            assert [p.partition for p in placed] == [0]
        else:
            with pytest.raises(Unavailable):
                await log.heads("with-password")
