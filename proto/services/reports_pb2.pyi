from analytics import report_generation_pb2 as _report_generation_pb2
from common import provenance_pb2 as _provenance_pb2
from common import read_scope_pb2 as _read_scope_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GenerateReportRequest(_message.Message):
    __slots__ = ("report", "idempotency_key")
    REPORT_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    report: _report_generation_pb2.ReportRequest
    idempotency_key: str
    def __init__(self, report: _Optional[_Union[_report_generation_pb2.ReportRequest, _Mapping]] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class GenerateReportResponse(_message.Message):
    __slots__ = ("report",)
    REPORT_FIELD_NUMBER: _ClassVar[int]
    report: _report_generation_pb2.ReportResult
    def __init__(self, report: _Optional[_Union[_report_generation_pb2.ReportResult, _Mapping]] = ...) -> None: ...

class GetReportRequest(_message.Message):
    __slots__ = ("company_id", "report_id")
    COMPANY_ID_FIELD_NUMBER: _ClassVar[int]
    REPORT_ID_FIELD_NUMBER: _ClassVar[int]
    company_id: str
    report_id: str
    def __init__(self, company_id: _Optional[str] = ..., report_id: _Optional[str] = ...) -> None: ...

class GetReportResponse(_message.Message):
    __slots__ = ("report",)
    REPORT_FIELD_NUMBER: _ClassVar[int]
    report: _report_generation_pb2.ReportResult
    def __init__(self, report: _Optional[_Union[_report_generation_pb2.ReportResult, _Mapping]] = ...) -> None: ...

class ListReportsRequest(_message.Message):
    __slots__ = ("company_id", "kind", "page")
    COMPANY_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    company_id: str
    kind: str
    page: _read_scope_pb2.PageRequest
    def __init__(self, company_id: _Optional[str] = ..., kind: _Optional[str] = ..., page: _Optional[_Union[_read_scope_pb2.PageRequest, _Mapping]] = ...) -> None: ...

class ListReportsResponse(_message.Message):
    __slots__ = ("reports", "next_cursor", "correlation_id")
    REPORTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    CORRELATION_ID_FIELD_NUMBER: _ClassVar[int]
    reports: _containers.RepeatedCompositeFieldContainer[_report_generation_pb2.ReportResult]
    next_cursor: str
    correlation_id: str
    def __init__(self, reports: _Optional[_Iterable[_Union[_report_generation_pb2.ReportResult, _Mapping]]] = ..., next_cursor: _Optional[str] = ..., correlation_id: _Optional[str] = ...) -> None: ...

class DownloadReportRequest(_message.Message):
    __slots__ = ("company_id", "report_id", "offset")
    COMPANY_ID_FIELD_NUMBER: _ClassVar[int]
    REPORT_ID_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    company_id: str
    report_id: str
    offset: int
    def __init__(self, company_id: _Optional[str] = ..., report_id: _Optional[str] = ..., offset: _Optional[int] = ...) -> None: ...

class DownloadReportResponse(_message.Message):
    __slots__ = ("report", "content")
    REPORT_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    report: _report_generation_pb2.ReportResult
    content: bytes
    def __init__(self, report: _Optional[_Union[_report_generation_pb2.ReportResult, _Mapping]] = ..., content: _Optional[bytes] = ...) -> None: ...

class ListReportSchedulesRequest(_message.Message):
    __slots__ = ("company_id", "page", "min_position", "archived")
    COMPANY_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    MIN_POSITION_FIELD_NUMBER: _ClassVar[int]
    ARCHIVED_FIELD_NUMBER: _ClassVar[int]
    company_id: str
    page: _read_scope_pb2.PageRequest
    min_position: str
    archived: bool
    def __init__(self, company_id: _Optional[str] = ..., page: _Optional[_Union[_read_scope_pb2.PageRequest, _Mapping]] = ..., min_position: _Optional[str] = ..., archived: _Optional[bool] = ...) -> None: ...

class ReportSchedule(_message.Message):
    __slots__ = ("schedule_id", "company_id", "report", "cron", "time_zone", "deliveries", "enabled", "next_run", "version", "name", "description", "params", "archived", "created_at", "changed_at", "changed_by", "unread_events")
    class Delivery(_message.Message):
        __slots__ = ("channel", "target")
        CHANNEL_FIELD_NUMBER: _ClassVar[int]
        TARGET_FIELD_NUMBER: _ClassVar[int]
        channel: str
        target: str
        def __init__(self, channel: _Optional[str] = ..., target: _Optional[str] = ...) -> None: ...
    class ParamsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    SCHEDULE_ID_FIELD_NUMBER: _ClassVar[int]
    COMPANY_ID_FIELD_NUMBER: _ClassVar[int]
    REPORT_FIELD_NUMBER: _ClassVar[int]
    CRON_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    DELIVERIES_FIELD_NUMBER: _ClassVar[int]
    ENABLED_FIELD_NUMBER: _ClassVar[int]
    NEXT_RUN_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    PARAMS_FIELD_NUMBER: _ClassVar[int]
    ARCHIVED_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    CHANGED_AT_FIELD_NUMBER: _ClassVar[int]
    CHANGED_BY_FIELD_NUMBER: _ClassVar[int]
    UNREAD_EVENTS_FIELD_NUMBER: _ClassVar[int]
    schedule_id: str
    company_id: str
    report: _report_generation_pb2.ReportRequest
    cron: str
    time_zone: str
    deliveries: _containers.RepeatedCompositeFieldContainer[ReportSchedule.Delivery]
    enabled: bool
    next_run: int
    version: int
    name: str
    description: str
    params: _containers.ScalarMap[str, str]
    archived: bool
    created_at: int
    changed_at: int
    changed_by: str
    unread_events: int
    def __init__(self, schedule_id: _Optional[str] = ..., company_id: _Optional[str] = ..., report: _Optional[_Union[_report_generation_pb2.ReportRequest, _Mapping]] = ..., cron: _Optional[str] = ..., time_zone: _Optional[str] = ..., deliveries: _Optional[_Iterable[_Union[ReportSchedule.Delivery, _Mapping]]] = ..., enabled: _Optional[bool] = ..., next_run: _Optional[int] = ..., version: _Optional[int] = ..., name: _Optional[str] = ..., description: _Optional[str] = ..., params: _Optional[_Mapping[str, str]] = ..., archived: _Optional[bool] = ..., created_at: _Optional[int] = ..., changed_at: _Optional[int] = ..., changed_by: _Optional[str] = ..., unread_events: _Optional[int] = ...) -> None: ...

class ListReportSchedulesResponse(_message.Message):
    __slots__ = ("schedules", "next_cursor", "provenance")
    SCHEDULES_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    schedules: _containers.RepeatedCompositeFieldContainer[ReportSchedule]
    next_cursor: str
    provenance: _provenance_pb2.Provenance
    def __init__(self, schedules: _Optional[_Iterable[_Union[ReportSchedule, _Mapping]]] = ..., next_cursor: _Optional[str] = ..., provenance: _Optional[_Union[_provenance_pb2.Provenance, _Mapping]] = ...) -> None: ...
