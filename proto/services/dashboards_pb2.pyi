from analytics import report_generation_pb2 as _report_generation_pb2
from analytics import values_pb2 as _values_pb2
from common import provenance_pb2 as _provenance_pb2
from common import read_scope_pb2 as _read_scope_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetDashboardDataRequest(_message.Message):
    __slots__ = ("dashboard_id", "scope", "once", "resume_token")
    DASHBOARD_ID_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    ONCE_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    dashboard_id: str
    scope: _read_scope_pb2.ReadScope
    once: bool
    resume_token: str
    def __init__(self, dashboard_id: _Optional[str] = ..., scope: _Optional[_Union[_read_scope_pb2.ReadScope, _Mapping]] = ..., once: _Optional[bool] = ..., resume_token: _Optional[str] = ...) -> None: ...

class GetDashboardDataResponse(_message.Message):
    __slots__ = ("data", "snapshot", "resume_token", "restarted")
    DATA_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    RESTARTED_FIELD_NUMBER: _ClassVar[int]
    data: _report_generation_pb2.DashboardData
    snapshot: bool
    resume_token: str
    restarted: str
    def __init__(self, data: _Optional[_Union[_report_generation_pb2.DashboardData, _Mapping]] = ..., snapshot: _Optional[bool] = ..., resume_token: _Optional[str] = ..., restarted: _Optional[str] = ...) -> None: ...

class GetRealTimeMetricsRequest(_message.Message):
    __slots__ = ("scope", "metrics", "window", "by", "once")
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    ONCE_FIELD_NUMBER: _ClassVar[int]
    scope: _read_scope_pb2.ReadScope
    metrics: _containers.RepeatedScalarFieldContainer[str]
    window: str
    by: _containers.RepeatedScalarFieldContainer[str]
    once: bool
    def __init__(self, scope: _Optional[_Union[_read_scope_pb2.ReadScope, _Mapping]] = ..., metrics: _Optional[_Iterable[str]] = ..., window: _Optional[str] = ..., by: _Optional[_Iterable[str]] = ..., once: _Optional[bool] = ...) -> None: ...

class GetRealTimeMetricsResponse(_message.Message):
    __slots__ = ("window_begins", "window_ends", "watermark", "metrics", "provenance", "kind", "revision", "partial", "partial_reasons", "late_share", "groups", "durable_minutes")
    WINDOW_BEGINS_FIELD_NUMBER: _ClassVar[int]
    WINDOW_ENDS_FIELD_NUMBER: _ClassVar[int]
    WATERMARK_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    PARTIAL_FIELD_NUMBER: _ClassVar[int]
    PARTIAL_REASONS_FIELD_NUMBER: _ClassVar[int]
    LATE_SHARE_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    DURABLE_MINUTES_FIELD_NUMBER: _ClassVar[int]
    window_begins: int
    window_ends: int
    watermark: int
    metrics: _containers.RepeatedCompositeFieldContainer[_values_pb2.MetricValue]
    provenance: _provenance_pb2.Provenance
    kind: str
    revision: int
    partial: bool
    partial_reasons: _containers.RepeatedScalarFieldContainer[str]
    late_share: float
    groups: _containers.RepeatedCompositeFieldContainer[_values_pb2.MetricGroup]
    durable_minutes: int
    def __init__(self, window_begins: _Optional[int] = ..., window_ends: _Optional[int] = ..., watermark: _Optional[int] = ..., metrics: _Optional[_Iterable[_Union[_values_pb2.MetricValue, _Mapping]]] = ..., provenance: _Optional[_Union[_provenance_pb2.Provenance, _Mapping]] = ..., kind: _Optional[str] = ..., revision: _Optional[int] = ..., partial: _Optional[bool] = ..., partial_reasons: _Optional[_Iterable[str]] = ..., late_share: _Optional[float] = ..., groups: _Optional[_Iterable[_Union[_values_pb2.MetricGroup, _Mapping]]] = ..., durable_minutes: _Optional[int] = ...) -> None: ...

class WatchDashboardsRequest(_message.Message):
    __slots__ = ("subscribe", "unsubscribe")
    class Subscribe(_message.Message):
        __slots__ = ("subscription_id", "dashboard")
        SUBSCRIPTION_ID_FIELD_NUMBER: _ClassVar[int]
        DASHBOARD_FIELD_NUMBER: _ClassVar[int]
        subscription_id: str
        dashboard: GetDashboardDataRequest
        def __init__(self, subscription_id: _Optional[str] = ..., dashboard: _Optional[_Union[GetDashboardDataRequest, _Mapping]] = ...) -> None: ...
    class Unsubscribe(_message.Message):
        __slots__ = ("subscription_id",)
        SUBSCRIPTION_ID_FIELD_NUMBER: _ClassVar[int]
        subscription_id: str
        def __init__(self, subscription_id: _Optional[str] = ...) -> None: ...
    SUBSCRIBE_FIELD_NUMBER: _ClassVar[int]
    UNSUBSCRIBE_FIELD_NUMBER: _ClassVar[int]
    subscribe: WatchDashboardsRequest.Subscribe
    unsubscribe: WatchDashboardsRequest.Unsubscribe
    def __init__(self, subscribe: _Optional[_Union[WatchDashboardsRequest.Subscribe, _Mapping]] = ..., unsubscribe: _Optional[_Union[WatchDashboardsRequest.Unsubscribe, _Mapping]] = ...) -> None: ...

class WatchDashboardsResponse(_message.Message):
    __slots__ = ("subscription_id", "update", "ended")
    SUBSCRIPTION_ID_FIELD_NUMBER: _ClassVar[int]
    UPDATE_FIELD_NUMBER: _ClassVar[int]
    ENDED_FIELD_NUMBER: _ClassVar[int]
    subscription_id: str
    update: GetDashboardDataResponse
    ended: str
    def __init__(self, subscription_id: _Optional[str] = ..., update: _Optional[_Union[GetDashboardDataResponse, _Mapping]] = ..., ended: _Optional[str] = ...) -> None: ...

class ListDashboardsRequest(_message.Message):
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

class DashboardConfig(_message.Message):
    __slots__ = ("dashboard_id", "company_id", "title", "tiles", "version", "changed_at", "description", "owner", "sharing", "archived", "created_at", "changed_by", "unread_events")
    class Tile(_message.Message):
        __slots__ = ("tile_id", "title", "kind", "query", "params", "layout")
        class Layout(_message.Message):
            __slots__ = ("x", "y", "w", "h")
            X_FIELD_NUMBER: _ClassVar[int]
            Y_FIELD_NUMBER: _ClassVar[int]
            W_FIELD_NUMBER: _ClassVar[int]
            H_FIELD_NUMBER: _ClassVar[int]
            x: int
            y: int
            w: int
            h: int
            def __init__(self, x: _Optional[int] = ..., y: _Optional[int] = ..., w: _Optional[int] = ..., h: _Optional[int] = ...) -> None: ...
        class ParamsEntry(_message.Message):
            __slots__ = ("key", "value")
            KEY_FIELD_NUMBER: _ClassVar[int]
            VALUE_FIELD_NUMBER: _ClassVar[int]
            key: str
            value: str
            def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
        TILE_ID_FIELD_NUMBER: _ClassVar[int]
        TITLE_FIELD_NUMBER: _ClassVar[int]
        KIND_FIELD_NUMBER: _ClassVar[int]
        QUERY_FIELD_NUMBER: _ClassVar[int]
        PARAMS_FIELD_NUMBER: _ClassVar[int]
        LAYOUT_FIELD_NUMBER: _ClassVar[int]
        tile_id: str
        title: str
        kind: str
        query: str
        params: _containers.ScalarMap[str, str]
        layout: DashboardConfig.Tile.Layout
        def __init__(self, tile_id: _Optional[str] = ..., title: _Optional[str] = ..., kind: _Optional[str] = ..., query: _Optional[str] = ..., params: _Optional[_Mapping[str, str]] = ..., layout: _Optional[_Union[DashboardConfig.Tile.Layout, _Mapping]] = ...) -> None: ...
    class Sharing(_message.Message):
        __slots__ = ("audience", "users")
        AUDIENCE_FIELD_NUMBER: _ClassVar[int]
        USERS_FIELD_NUMBER: _ClassVar[int]
        audience: str
        users: _containers.RepeatedScalarFieldContainer[str]
        def __init__(self, audience: _Optional[str] = ..., users: _Optional[_Iterable[str]] = ...) -> None: ...
    DASHBOARD_ID_FIELD_NUMBER: _ClassVar[int]
    COMPANY_ID_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    TILES_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    CHANGED_AT_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    SHARING_FIELD_NUMBER: _ClassVar[int]
    ARCHIVED_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    CHANGED_BY_FIELD_NUMBER: _ClassVar[int]
    UNREAD_EVENTS_FIELD_NUMBER: _ClassVar[int]
    dashboard_id: str
    company_id: str
    title: str
    tiles: _containers.RepeatedCompositeFieldContainer[DashboardConfig.Tile]
    version: int
    changed_at: int
    description: str
    owner: str
    sharing: DashboardConfig.Sharing
    archived: bool
    created_at: int
    changed_by: str
    unread_events: int
    def __init__(self, dashboard_id: _Optional[str] = ..., company_id: _Optional[str] = ..., title: _Optional[str] = ..., tiles: _Optional[_Iterable[_Union[DashboardConfig.Tile, _Mapping]]] = ..., version: _Optional[int] = ..., changed_at: _Optional[int] = ..., description: _Optional[str] = ..., owner: _Optional[str] = ..., sharing: _Optional[_Union[DashboardConfig.Sharing, _Mapping]] = ..., archived: _Optional[bool] = ..., created_at: _Optional[int] = ..., changed_by: _Optional[str] = ..., unread_events: _Optional[int] = ...) -> None: ...

class ListDashboardsResponse(_message.Message):
    __slots__ = ("dashboards", "next_cursor", "provenance")
    DASHBOARDS_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    dashboards: _containers.RepeatedCompositeFieldContainer[DashboardConfig]
    next_cursor: str
    provenance: _provenance_pb2.Provenance
    def __init__(self, dashboards: _Optional[_Iterable[_Union[DashboardConfig, _Mapping]]] = ..., next_cursor: _Optional[str] = ..., provenance: _Optional[_Union[_provenance_pb2.Provenance, _Mapping]] = ...) -> None: ...

class GetDashboardConfigRequest(_message.Message):
    __slots__ = ("company_id", "dashboard_id", "min_position")
    COMPANY_ID_FIELD_NUMBER: _ClassVar[int]
    DASHBOARD_ID_FIELD_NUMBER: _ClassVar[int]
    MIN_POSITION_FIELD_NUMBER: _ClassVar[int]
    company_id: str
    dashboard_id: str
    min_position: str
    def __init__(self, company_id: _Optional[str] = ..., dashboard_id: _Optional[str] = ..., min_position: _Optional[str] = ...) -> None: ...

class GetDashboardConfigResponse(_message.Message):
    __slots__ = ("dashboard", "provenance")
    DASHBOARD_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    dashboard: DashboardConfig
    provenance: _provenance_pb2.Provenance
    def __init__(self, dashboard: _Optional[_Union[DashboardConfig, _Mapping]] = ..., provenance: _Optional[_Union[_provenance_pb2.Provenance, _Mapping]] = ...) -> None: ...
