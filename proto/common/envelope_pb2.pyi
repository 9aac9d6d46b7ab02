from common import request_trace_pb2 as _request_trace_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DataClassification(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DATA_CLASSIFICATION_UNSPECIFIED: _ClassVar[DataClassification]
    PUBLIC: _ClassVar[DataClassification]
    INTERNAL: _ClassVar[DataClassification]
    CONFIDENTIAL: _ClassVar[DataClassification]
    PERSONAL: _ClassVar[DataClassification]
DATA_CLASSIFICATION_UNSPECIFIED: DataClassification
PUBLIC: DataClassification
INTERNAL: DataClassification
CONFIDENTIAL: DataClassification
PERSONAL: DataClassification

class AuthToken(_message.Message):
    __slots__ = ("token", "scheme")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    SCHEME_FIELD_NUMBER: _ClassVar[int]
    token: str
    scheme: str
    def __init__(self, token: _Optional[str] = ..., scheme: _Optional[str] = ...) -> None: ...

class AnalyticsProcessingEnvelope(_message.Message):
    __slots__ = ("message_type", "user_id", "company_id", "payload", "timestamp", "service_source", "correlation_id", "trace_context", "data_class", "auth_token", "event_id", "causation_id", "schema_version", "producer_id", "producer_seq", "unknown_members", "first_taken_at")
    MESSAGE_TYPE_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    COMPANY_ID_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    SERVICE_SOURCE_FIELD_NUMBER: _ClassVar[int]
    CORRELATION_ID_FIELD_NUMBER: _ClassVar[int]
    TRACE_CONTEXT_FIELD_NUMBER: _ClassVar[int]
    DATA_CLASS_FIELD_NUMBER: _ClassVar[int]
    AUTH_TOKEN_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    CAUSATION_ID_FIELD_NUMBER: _ClassVar[int]
    SCHEMA_VERSION_FIELD_NUMBER: _ClassVar[int]
    PRODUCER_ID_FIELD_NUMBER: _ClassVar[int]
    PRODUCER_SEQ_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_MEMBERS_FIELD_NUMBER: _ClassVar[int]
    FIRST_TAKEN_AT_FIELD_NUMBER: _ClassVar[int]
    message_type: str
    user_id: str
    company_id: str
    payload: bytes
    timestamp: int
    service_source: str
    correlation_id: str
    trace_context: _request_trace_pb2.TraceContext
    data_class: DataClassification
    auth_token: AuthToken
    event_id: str
    causation_id: str
    schema_version: int
    producer_id: str
    producer_seq: int
    unknown_members: str
    first_taken_at: int
    def __init__(self, message_type: _Optional[str] = ..., user_id: _Optional[str] = ..., company_id: _Optional[str] = ..., payload: _Optional[bytes] = ..., timestamp: _Optional[int] = ..., service_source: _Optional[str] = ..., correlation_id: _Optional[str] = ..., trace_context: _Optional[_Union[_request_trace_pb2.TraceContext, _Mapping]] = ..., data_class: _Optional[_Union[DataClassification, str]] = ..., auth_token: _Optional[_Union[AuthToken, _Mapping]] = ..., event_id: _Optional[str] = ..., causation_id: _Optional[str] = ..., schema_version: _Optional[int] = ..., producer_id: _Optional[str] = ..., producer_seq: _Optional[int] = ..., unknown_members: _Optional[str] = ..., first_taken_at: _Optional[int] = ...) -> None: ...
