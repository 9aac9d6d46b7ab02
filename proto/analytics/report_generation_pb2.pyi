from analytics import business_intelligence_pb2 as _business_intelligence_pb2
from analytics import values_pb2 as _values_pb2
from common import provenance_pb2 as _provenance_pb2
from common import read_scope_pb2 as _read_scope_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ReportRequest(_message.Message):
    __slots__ = ("kind", "scope", "format", "title", "sections", "locale", "asked_at", "dashboard", "failures")
    class Format(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        FORMAT_UNSPECIFIED: _ClassVar[ReportRequest.Format]
        PDF: _ClassVar[ReportRequest.Format]
        XLSX: _ClassVar[ReportRequest.Format]
        JSON: _ClassVar[ReportRequest.Format]
    FORMAT_UNSPECIFIED: ReportRequest.Format
    PDF: ReportRequest.Format
    XLSX: ReportRequest.Format
    JSON: ReportRequest.Format
    class Section(_message.Message):
        __slots__ = ("title", "query", "params", "chart")
        class ParamsEntry(_message.Message):
            __slots__ = ("key", "value")
            KEY_FIELD_NUMBER: _ClassVar[int]
            VALUE_FIELD_NUMBER: _ClassVar[int]
            key: str
            value: str
            def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
        TITLE_FIELD_NUMBER: _ClassVar[int]
        QUERY_FIELD_NUMBER: _ClassVar[int]
        PARAMS_FIELD_NUMBER: _ClassVar[int]
        CHART_FIELD_NUMBER: _ClassVar[int]
        title: str
        query: str
        params: _containers.ScalarMap[str, str]
        chart: str
        def __init__(self, title: _Optional[str] = ..., query: _Optional[str] = ..., params: _Optional[_Mapping[str, str]] = ..., chart: _Optional[str] = ...) -> None: ...
    KIND_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    SECTIONS_FIELD_NUMBER: _ClassVar[int]
    LOCALE_FIELD_NUMBER: _ClassVar[int]
    ASKED_AT_FIELD_NUMBER: _ClassVar[int]
    DASHBOARD_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    kind: str
    scope: _read_scope_pb2.ReadScope
    format: ReportRequest.Format
    title: str
    sections: _containers.RepeatedCompositeFieldContainer[ReportRequest.Section]
    locale: str
    asked_at: int
    dashboard: str
    failures: str
    def __init__(self, kind: _Optional[str] = ..., scope: _Optional[_Union[_read_scope_pb2.ReadScope, _Mapping]] = ..., format: _Optional[_Union[ReportRequest.Format, str]] = ..., title: _Optional[str] = ..., sections: _Optional[_Iterable[_Union[ReportRequest.Section, _Mapping]]] = ..., locale: _Optional[str] = ..., asked_at: _Optional[int] = ..., dashboard: _Optional[str] = ..., failures: _Optional[str] = ...) -> None: ...

class ReportResult(_message.Message):
    __slots__ = ("report_id", "state", "request", "file_name", "media_type", "size", "sha256", "requested_at", "finished_at", "error", "provenance", "proof")
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[ReportResult.State]
        QUEUED: _ClassVar[ReportResult.State]
        RUNNING: _ClassVar[ReportResult.State]
        READY: _ClassVar[ReportResult.State]
        FAILED: _ClassVar[ReportResult.State]
    STATE_UNSPECIFIED: ReportResult.State
    QUEUED: ReportResult.State
    RUNNING: ReportResult.State
    READY: ReportResult.State
    FAILED: ReportResult.State
    REPORT_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    FILE_NAME_FIELD_NUMBER: _ClassVar[int]
    MEDIA_TYPE_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    REQUESTED_AT_FIELD_NUMBER: _ClassVar[int]
    FINISHED_AT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    PROOF_FIELD_NUMBER: _ClassVar[int]
    report_id: str
    state: ReportResult.State
    request: ReportRequest
    file_name: str
    media_type: str
    size: int
    sha256: str
    requested_at: int
    finished_at: int
    error: str
    provenance: _provenance_pb2.Provenance
    proof: str
    def __init__(self, report_id: _Optional[str] = ..., state: _Optional[_Union[ReportResult.State, str]] = ..., request: _Optional[_Union[ReportRequest, _Mapping]] = ..., file_name: _Optional[str] = ..., media_type: _Optional[str] = ..., size: _Optional[int] = ..., sha256: _Optional[str] = ..., requested_at: _Optional[int] = ..., finished_at: _Optional[int] = ..., error: _Optional[str] = ..., provenance: _Optional[_Union[_provenance_pb2.Provenance, _Mapping]] = ..., proof: _Optional[str] = ...) -> None: ...

class DashboardData(_message.Message):
    __slots__ = ("dashboard_id", "tiles", "provenance", "title", "description", "company_id", "currency", "time_zone", "version", "params")
    class Tile(_message.Message):
        __slots__ = ("tile_id", "title", "kind", "kpis", "series", "table", "reason", "state", "query", "params", "left_out", "code", "suggested_actions", "provenance", "every", "extra")
        class ParamsEntry(_message.Message):
            __slots__ = ("key", "value")
            KEY_FIELD_NUMBER: _ClassVar[int]
            VALUE_FIELD_NUMBER: _ClassVar[int]
            key: str
            value: str
            def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
        class ExtraEntry(_message.Message):
            __slots__ = ("key", "value")
            KEY_FIELD_NUMBER: _ClassVar[int]
            VALUE_FIELD_NUMBER: _ClassVar[int]
            key: str
            value: str
            def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
        TILE_ID_FIELD_NUMBER: _ClassVar[int]
        TITLE_FIELD_NUMBER: _ClassVar[int]
        KIND_FIELD_NUMBER: _ClassVar[int]
        KPIS_FIELD_NUMBER: _ClassVar[int]
        SERIES_FIELD_NUMBER: _ClassVar[int]
        TABLE_FIELD_NUMBER: _ClassVar[int]
        REASON_FIELD_NUMBER: _ClassVar[int]
        STATE_FIELD_NUMBER: _ClassVar[int]
        QUERY_FIELD_NUMBER: _ClassVar[int]
        PARAMS_FIELD_NUMBER: _ClassVar[int]
        LEFT_OUT_FIELD_NUMBER: _ClassVar[int]
        CODE_FIELD_NUMBER: _ClassVar[int]
        SUGGESTED_ACTIONS_FIELD_NUMBER: _ClassVar[int]
        PROVENANCE_FIELD_NUMBER: _ClassVar[int]
        EVERY_FIELD_NUMBER: _ClassVar[int]
        EXTRA_FIELD_NUMBER: _ClassVar[int]
        tile_id: str
        title: str
        kind: str
        kpis: _containers.RepeatedCompositeFieldContainer[_business_intelligence_pb2.KPIMetrics]
        series: _containers.RepeatedCompositeFieldContainer[_values_pb2.Series]
        table: _values_pb2.Table
        reason: str
        state: str
        query: str
        params: _containers.ScalarMap[str, str]
        left_out: _containers.RepeatedScalarFieldContainer[str]
        code: str
        suggested_actions: _containers.RepeatedScalarFieldContainer[str]
        provenance: _provenance_pb2.Provenance
        every: int
        extra: _containers.ScalarMap[str, str]
        def __init__(self, tile_id: _Optional[str] = ..., title: _Optional[str] = ..., kind: _Optional[str] = ..., kpis: _Optional[_Iterable[_Union[_business_intelligence_pb2.KPIMetrics, _Mapping]]] = ..., series: _Optional[_Iterable[_Union[_values_pb2.Series, _Mapping]]] = ..., table: _Optional[_Union[_values_pb2.Table, _Mapping]] = ..., reason: _Optional[str] = ..., state: _Optional[str] = ..., query: _Optional[str] = ..., params: _Optional[_Mapping[str, str]] = ..., left_out: _Optional[_Iterable[str]] = ..., code: _Optional[str] = ..., suggested_actions: _Optional[_Iterable[str]] = ..., provenance: _Optional[_Union[_provenance_pb2.Provenance, _Mapping]] = ..., every: _Optional[int] = ..., extra: _Optional[_Mapping[str, str]] = ...) -> None: ...
    class ParamsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    DASHBOARD_ID_FIELD_NUMBER: _ClassVar[int]
    TILES_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    COMPANY_ID_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    PARAMS_FIELD_NUMBER: _ClassVar[int]
    dashboard_id: str
    tiles: _containers.RepeatedCompositeFieldContainer[DashboardData.Tile]
    provenance: _provenance_pb2.Provenance
    title: str
    description: str
    company_id: str
    currency: str
    time_zone: str
    version: int
    params: _containers.ScalarMap[str, str]
    def __init__(self, dashboard_id: _Optional[str] = ..., tiles: _Optional[_Iterable[_Union[DashboardData.Tile, _Mapping]]] = ..., provenance: _Optional[_Union[_provenance_pb2.Provenance, _Mapping]] = ..., title: _Optional[str] = ..., description: _Optional[str] = ..., company_id: _Optional[str] = ..., currency: _Optional[str] = ..., time_zone: _Optional[str] = ..., version: _Optional[int] = ..., params: _Optional[_Mapping[str, str]] = ...) -> None: ...
