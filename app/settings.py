"""All settings: one frozen object, built once from the environment. Nothing else reads the environment.

Each field is the variable `ANALYTICS_<FIELD>` in capitals; its documentation and default stand beside it and are shown
by `analytics settings` and in docs/reference/settings.md.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from pathlib import Path
from typing import Any, get_type_hints
from urllib.parse import urlsplit, urlunsplit

from domain.errors import Invalid
from eventlog.intake.event_tokens import EventTokenMode

PREFIX = "ANALYTICS_"


KAFKA_SECURITY = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
KAFKA_SASL = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
PORTS = 65_535  # the highest one
LONGEST_SHOWN = 80  # characters of a value in a message


def _says(
    doc: str,
    *,
    secret: bool = False,
    at_least: float | None = None,
    at_most: float | None = None,
    choices: tuple[str, ...] = (),
) -> dict[str, object]:
    return {"doc": doc, "secret": secret, "at_least": at_least, "at_most": at_most, "choices": choices}


@dataclass(frozen=True, slots=True)
class Settings:
    """What an instance is told from outside."""

    data: Path = field(
        default=Path(".analytics"), metadata=_says("Folder that holds all that an embedded instance keeps.")
    )
    host: str = field(default="127.0.0.1", metadata=_says("Address that the APIs listen on."))
    read_port: int = field(
        default=8003,
        metadata=_says("Port of the read API and the pages; 0 takes a free one.", at_least=0, at_most=PORTS),
    )
    command_port: int = field(
        default=8004, metadata=_says("Port of the command API; 0 takes a free one.", at_least=0, at_most=PORTS)
    )
    grpc_port: int = field(
        default=50051, metadata=_says("Port of the gRPC service; 0 takes a free one.", at_least=0, at_most=PORTS)
    )
    nats_port: int = field(
        default=0, metadata=_says("Port of the embedded NATS server; 0 takes a free one.", at_least=0, at_most=PORTS)
    )
    kafka_bootstrap_servers: str = field(
        default="", metadata=_says("Kafka brokers, host:port separated by commas; empty keeps the log in PostgreSQL.")
    )
    nats_url: str = field(default="", metadata=_says("NATS server; empty starts the embedded one.", secret=True))
    database_url: str = field(
        default="", metadata=_says("PostgreSQL server; empty starts the embedded one.", secret=True)
    )
    database_owner_url: str = field(
        default="",
        metadata=_says(
            "Login that owns the tables and migrates them, where it is another one than `database_url`.", secret=True
        ),
    )
    database_reader_url: str = field(
        default="",
        metadata=_says(
            "Login `analytics_reader`, which answers queries; empty: `database_url` takes that role for them.",
            secret=True,
        ),
    )
    database_member_url: str = field(
        default="",
        metadata=_says(
            "Login `analytics_member`, which answers members; empty: `database_url` takes that role for them.",
            secret=True,
        ),
    )
    partitions: int = field(
        default=4, metadata=_says("Partitions of each topic that `topics create` makes.", at_least=1, at_most=10_000)
    )
    projectors: int = field(
        default=1,
        metadata=_says("Projector processes that `up` starts; they share the partitions.", at_least=1, at_most=1_000),
    )
    batch: int = field(
        default=100_000,
        metadata=_says("Events that a projector takes in one step at most.", at_least=1, at_most=10_000_000),
    )
    poison_limit: float = field(
        default=0.2,
        metadata=_says(
            "Share of bad events above which, in most companies, a projector stops, because then the code is wrong.",
            at_least=0,
            at_most=1,
        ),
    )
    stuck_seconds: float = field(
        default=60.0,
        metadata=_says(
            "Seconds without progress, or without a sign of life, after which a process is taken for stuck and started"
            " again.",
            at_least=1,
            at_most=86_400,
        ),
    )
    seal_seconds: float = field(
        default=10.0,
        metadata=_says(
            "Seconds after which the newest events are sealed and a checkpoint is signed, at the latest.",
            at_least=0.1,
            at_most=86_400,
        ),
    )
    kafka_security: str = field(
        default="PLAINTEXT",
        metadata=_says(
            "How brokers are talked to: PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL.", choices=KAFKA_SECURITY
        ),
    )
    kafka_sasl_mechanism: str = field(
        default="SCRAM-SHA-512",
        metadata=_says("PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512, with the SASL protocols.", choices=KAFKA_SASL),
    )
    kafka_username: str = field(default="", metadata=_says("User of the SASL protocols."))
    kafka_password: str = field(default="", metadata=_says("Password of the SASL protocols.", secret=True))
    kafka_ca_file: str = field(
        default="", metadata=_says("PEM file of the authorities that sign brokers' certificates; empty: the system's.")
    )
    kafka_retention_ms: int = field(
        default=-1,
        metadata=_says("How long Kafka keeps events, in ms; -1 is for ever.", at_least=-1, at_most=2**63 - 1),
    )
    auth_issuer: str = field(default="analytics", metadata=_says("Issuer (`iss`) that tokens must have."))
    auth_audience: str = field(default="analytics", metadata=_says("Audience (`aud`) that tokens must have."))
    auth_jwks: str = field(
        default="",
        metadata=_says(
            "JWKS with the public keys that sign tokens: a file that its owner alone can change, read again every 10"
            " seconds, or an http(s) URL, every 5 minutes and when a token names an unknown key; empty uses the key"
            " pair made in the data folder."
        ),
    )
    event_tokens: EventTokenMode = field(
        default=EventTokenMode.CHECKED,
        metadata=_says(
            "Tokens on events (envelope field auth_token): ignored, checked where one is there, or required at the"
            " doors."
        ),
    )
    currencies: str = field(
        default="BTC,ETH,USDC,USDT",
        metadata=_says("Codes that money may be in beyond those of ISO 4217, separated by commas."),
    )
    noise_secret: str = field(
        default="",
        metadata=_says(
            "Secret of at least 32 characters behind the noise of competitive insights, the same for all processes;"
            " empty uses a key made in the data folder, which is right where all of them share that folder.",
            secret=True,
        ),
    )
    lease_seconds: float = field(
        default=30.0,
        metadata=_says(
            "Seconds after which the run of a report schedule, or what alert rules watch, is taken over from a process"
            " that is not heard of.",
            at_least=1,
            at_most=3_600,
        ),
    )
    public_url: str = field(
        default="",
        metadata=_says("Address of the read API as people reach it, for links; empty: its host and port."),
    )
    smtp_url: str = field(
        default="",
        metadata=_says(
            "Mail server, smtp://user:password@host:port or smtps://…; who signs in is encrypted. Empty sends no mail.",
            secret=True,
        ),
    )
    mail_from: str = field(default="analytics@localhost", metadata=_says("Address that mail is sent from."))
    webhook_secret: str = field(
        default="",
        metadata=_says(
            "Secret of at least 32 characters behind the signatures of webhooks, the same for all processes; empty uses"
            " a key made in the data folder, which is right where all of them share that folder.",
            secret=True,
        ),
    )
    delivery_hosts: str = field(
        default="",
        metadata=_says(
            "Hosts that webhooks reach at an address that is not public, name=address separated by commas: for tests,"
            " and for receivers in one's own network."
        ),
    )
    rate_limits: float = field(
        default=1.0,
        metadata=_says(
            "Factor of the rates and quotas that `analytics access` shows, for each process; 0 sets no limit.",
            at_least=0,
            at_most=1_000_000,
        ),
    )
    token_hours: float = field(
        default=12.0,
        metadata=_says("How long a token made by `analytics token` or `up` is valid.", at_least=0, at_most=87_600),
    )
    tls_certificate: str = field(
        default="",
        metadata=_says("PEM file of the certificate chain of all APIs, HTTP and gRPC; empty serves without TLS."),
    )
    tls_key: str = field(
        default="",
        metadata=_says("PEM file of that certificate's private key, which nobody but its owner and group can read."),
    )
    plaintext: str = field(
        default="no",
        metadata=_says(
            "`yes` lets the APIs listen without TLS where other machines may reach them: only behind something that"
            " encrypts.",
            choices=("yes", "no"),
        ),
    )
    read_connections: int = field(
        default=4, metadata=_says("Database connections of a read API process.", at_least=1, at_most=1_000)
    )
    position_wait: float = field(
        default=2.0,
        metadata=_says(
            "Seconds that a read waits for the position in X-Min-Position before it answers 412.",
            at_least=0,
            at_most=3_600,
        ),
    )
    query_seconds: float = field(
        default=10.0, metadata=_says("Seconds after which a query is given up.", at_least=0.01, at_most=86_400)
    )
    upload_seconds: float = field(
        default=60.0,
        metadata=_says(
            "Seconds within which the body of a publication has to come: a JSON document or compressed body as a whole,"
            " of NDJSON and protobuf each part after the one before.",
            at_least=0.1,
            at_most=86_400,
        ),
    )
    past_records: int = field(
        default=20_000_000,
        metadata=_says(
            "Records of the log that an as-of query or an explanation may read.", at_least=1, at_most=10**12
        ),
    )
    past_seconds: float = field(
        default=60.0,
        metadata=_says(
            "Seconds that an as-of query or an explanation may take over HTTP, and may wait for its turn before.",
            at_least=0.01,
            at_most=86_400,
        ),
    )
    demo_until: str = field(
        default="",
        metadata=_says(
            "Day or moment (ISO 8601, UTC) at which the sample of `up --demo` ends; empty: when it is first loaded."
        ),
    )
    warming_share: float = field(
        default=0.0,  # it costs many times the processor that it saves: docs/why/speed.md
        metadata=_says(
            "Share of the time that a read API may spend on answers that are likely to be asked for; 0 makes none"
            " beforehand.",
            at_least=0,
            at_most=1,
        ),
    )
    trail_notes: int = field(
        default=10_000,
        metadata=_says(
            "Notes for the audit trail that may wait for the log before requests are refused; 0 keeps no trail, for"
            " measuring what it costs.",
            at_least=0,
            at_most=10_000_000,
        ),
    )
    otlp_endpoint: str = field(
        default="",
        metadata=_says("OpenTelemetry collector that spans are sent to, http://host:4318; empty makes no spans."),
    )
    trace_share: float = field(
        default=1.0,
        metadata=_says(
            "Share of the traces beginning here whose spans are kept; callers decide for theirs.", at_least=0, at_most=1
        ),
    )
    log_level: str = field(
        default="INFO",
        metadata=_says("Least level of log lines: DEBUG, INFO, WARNING or ERROR.", choices=LOG_LEVELS),
    )
    log_format: str = field(
        default="auto", metadata=_says("Form of log lines: text, json, or auto: text at a terminal and json elsewhere.")
    )

    @property
    def reader_url(self) -> str:
        """The login that queries go by."""
        return self.database_reader_url or self.database_url

    @property
    def member_url(self) -> str:
        """The login that questions of members go by."""
        return self.database_member_url or self.database_url

    @classmethod
    def read(cls, environ: Mapping[str, str], **given: object) -> Settings:
        """Settings from variables; `given` (from flags) goes before them, None means not given.

        Raises Invalid naming the variable whose value is no good.
        """
        hints = get_type_hints(cls)
        values: dict[str, Any] = {}
        for setting in fields(cls):
            text = environ.get(variable(setting), "")
            if text:
                values[setting.name] = _parsed(setting, hints[setting.name], text)
        values.update({name: value for name, value in given.items() if value is not None})
        return cls(**values)

    def items(self) -> Iterator[tuple[Field[Any], object, str]]:
        """Every setting with its value and how to show it: secrets hidden, passwords in addresses too."""
        for setting in fields(self):
            value = getattr(self, setting.name)
            yield setting, value, redacted(str(value)) if setting.metadata["secret"] else str(value)


def variable(setting: Field[Any]) -> str:
    """Name of the environment variable of a setting."""
    return PREFIX + setting.name.upper()


def default(setting: Field[Any]) -> str:
    """The documented default as text."""
    return "" if setting.default is MISSING else str(setting.default)


def redacted(text: str) -> str:
    """An address without its user and password; anything else that is secret is hidden as a whole."""
    parts = urlsplit(text)
    if not text or not parts.hostname:
        return "••••" if text else ""
    if "@" not in parts.netloc:
        return text
    return urlunsplit(parts._replace(netloc="••••@" + parts.netloc.rpartition("@")[2]))


def _parsed(setting: Field[Any], kind: type[Any], text: str) -> Any:
    """The value that the text says; messages show the beginning of a text that is long."""
    name, shown = variable(setting), text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + "…"
    try:
        value = kind(text)
    except ValueError:
        raise Invalid(f"{name} is {shown!r}, which is no {kind.__name__}", code="bad_setting") from None
    least, most = setting.metadata["at_least"], setting.metadata["at_most"]
    if isinstance(value, float) and not math.isfinite(value):
        raise Invalid(f"{name} is {shown}, which is no number to work with", code="bad_setting")
    if least is not None and value < least:
        raise Invalid(f"{name} is {shown}, which is below {least}", code="bad_setting")
    if most is not None and value > most:
        raise Invalid(f"{name} is {shown}, which is above {most}", code="bad_setting")
    choices = setting.metadata["choices"]
    if choices and value not in choices:
        raise Invalid(f"{name} is {shown!r}, which is none of {', '.join(choices)}", code="bad_setting")
    return value
