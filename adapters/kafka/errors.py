"""What Kafka's errors mean here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from aiokafka import errors as kafka

from domain.errors import AnalyticsError, Defect, LimitExceeded, NotFound, Unavailable

UNAVAILABLE = "log_unavailable"
_TOO_LARGE = (kafka.MessageSizeTooLargeError, kafka.RecordListTooLargeError)
_MISCONFIGURED = (
    kafka.AuthenticationFailedError,
    kafka.AuthenticationMethodNotSupported,
    kafka.ClusterAuthorizationFailedError,
    kafka.GroupAuthorizationFailedError,
    kafka.IllegalArgumentError,
    kafka.IllegalStateError,
    kafka.IncompatibleBrokerVersion,
    kafka.InvalidConfigurationError,
    kafka.InvalidPartitionsError,
    kafka.InvalidReplicationFactorError,
    kafka.InvalidTopicError,
    kafka.PolicyViolationError,
    kafka.TopicAuthorizationFailedError,
)


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Raise what the domain knows in place of Kafka's errors; `doing` starts the sentence, for example "append"."""
    try:
        yield
    except kafka.KafkaError as error:
        raise domain_error(error, doing) from error
    except (OSError, TimeoutError) as error:
        raise Unavailable(f"{doing}: Kafka does not answer: {error or 'timed out'}", code=UNAVAILABLE) from error


def domain_error(error: kafka.KafkaError, doing: str) -> AnalyticsError:
    """The domain's error for one of Kafka's. What is not known to be final is Unavailable: trying again may help."""
    text = f"{doing}: {error}"
    if isinstance(error, kafka.OffsetOutOfRangeError):
        return Defect(
            f"{doing}: the log no longer has, or never had, this offset: {error}",
            code="offset_out_of_range",
            suggested_actions=("Compare the checkpoint with `analytics log head`; rebuild from what is retained.",),
        )
    if isinstance(error, kafka.CorruptRecordException):
        return Defect(f"{doing}: a record's checksum is wrong: {error}", code="corrupt_log")
    if isinstance(error, kafka.UnknownTopicOrPartitionError):
        return NotFound(
            f"{doing}: no such topic or partition: {error}",
            code="unknown_topic",
            suggested_actions=("Run `analytics topics create`.",),
        )
    if isinstance(error, _TOO_LARGE):
        return LimitExceeded(text, code="record_too_large")
    if isinstance(error, _MISCONFIGURED):
        return Defect(text, code="kafka_refused")
    return Unavailable(text, code=UNAVAILABLE, suggested_actions=("Try again; see whether Kafka runs.",))
