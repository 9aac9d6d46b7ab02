"""What the Kafka adapter can be told."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from typing import Any

MiB = 1_048_576


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaSettings:
    """How to reach Kafka and how to use it; every value but the addresses has a default that suits production."""

    bootstrap_servers: str
    """`host:port`, several with commas; one that answers is enough."""
    topic_prefix: str = "analytics-"
    """Put before every topic name."""

    security_protocol: str = "PLAINTEXT"
    """PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL."""
    sasl_mechanism: str = "SCRAM-SHA-512"
    """PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512; used with the two SASL protocols."""
    sasl_username: str | None = None
    sasl_password: str | None = field(default=None, repr=False)
    ca_file: str | None = None
    """Certificates to trust with SSL; the system's where it is not given."""

    replication_factor: int = -1
    """Copies of each new topic; -1 = the cluster's default.replication.factor."""
    retention_ms: int = -1
    """How long new topics keep records; -1 = for ever."""
    compression: str = "zstd"
    """Of what we send and of new topics: zstd, lz4, snappy, gzip."""

    request_timeout: float = 10.0
    """Seconds that one request may take."""
    append_timeout: float = 15.0
    """Seconds after which an append whose acknowledgement is missing is given up as Unavailable."""
    session_timeout: float = 10.0
    """Seconds after which a silent member loses its partitions to the others of its group."""

    batch_bytes: int = MiB
    """Most bytes, before compression, of one record batch; one larger record is a batch of its own."""
    max_record_bytes: int = MiB + 65_536
    """Most bytes of a record's key and value: the largest envelope, its key, and some room."""
    max_message_bytes: int = 2 * MiB
    """`max.message.bytes` of new topics; above `batch_bytes` and `max_record_bytes` with their headers."""
    fetch_bytes: int = 2 * MiB + 262_144
    """Most bytes, compressed, that a reader holds unread from one broker."""
    partition_fetch_bytes: int = 2 * MiB + 262_144
    """Most bytes, compressed, that a reader holds unread from one partition; above `max_message_bytes`."""

    def connection(self, name: str) -> dict[str, Any]:
        """Arguments that every aiokafka client takes; `name` is the client id that the broker's logs show."""
        options: dict[str, Any] = {
            "bootstrap_servers": self.bootstrap_servers,
            "client_id": name,
            "request_timeout_ms": int(self.request_timeout * 1000),
            "security_protocol": self.security_protocol,
        }
        if self.security_protocol.endswith("SSL"):
            options["ssl_context"] = ssl.create_default_context(cafile=self.ca_file)
        if self.security_protocol.startswith("SASL"):
            options["sasl_mechanism"] = self.sasl_mechanism
            options["sasl_plain_username"] = self.sasl_username
            options["sasl_plain_password"] = self.sasl_password
        return options
