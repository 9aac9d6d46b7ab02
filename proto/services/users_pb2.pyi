from analytics import performance_data_pb2 as _performance_data_pb2
from analytics import user_analytics_pb2 as _user_analytics_pb2
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

class GetUserAnalyticsRequest(_message.Message):
    __slots__ = ("scope", "user_id", "by", "page")
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    scope: _read_scope_pb2.ReadScope
    user_id: str
    by: _containers.RepeatedScalarFieldContainer[str]
    page: _read_scope_pb2.PageRequest
    def __init__(self, scope: _Optional[_Union[_read_scope_pb2.ReadScope, _Mapping]] = ..., user_id: _Optional[str] = ..., by: _Optional[_Iterable[str]] = ..., page: _Optional[_Union[_read_scope_pb2.PageRequest, _Mapping]] = ...) -> None: ...

class ActivityGroup(_message.Message):
    __slots__ = ("dimensions", "behavior")
    class DimensionsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    DIMENSIONS_FIELD_NUMBER: _ClassVar[int]
    BEHAVIOR_FIELD_NUMBER: _ClassVar[int]
    dimensions: _containers.ScalarMap[str, str]
    behavior: _performance_data_pb2.UserBehaviorMetrics
    def __init__(self, dimensions: _Optional[_Mapping[str, str]] = ..., behavior: _Optional[_Union[_performance_data_pb2.UserBehaviorMetrics, _Mapping]] = ...) -> None: ...

class GetUserAnalyticsResponse(_message.Message):
    __slots__ = ("users", "activity", "engagement", "next_cursor", "provenance")
    USERS_FIELD_NUMBER: _ClassVar[int]
    ACTIVITY_FIELD_NUMBER: _ClassVar[int]
    ENGAGEMENT_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    users: _containers.RepeatedCompositeFieldContainer[_user_analytics_pb2.UserAnalytics]
    activity: _containers.RepeatedCompositeFieldContainer[ActivityGroup]
    engagement: _user_analytics_pb2.EngagementMetrics
    next_cursor: str
    provenance: _provenance_pb2.Provenance
    def __init__(self, users: _Optional[_Iterable[_Union[_user_analytics_pb2.UserAnalytics, _Mapping]]] = ..., activity: _Optional[_Iterable[_Union[ActivityGroup, _Mapping]]] = ..., engagement: _Optional[_Union[_user_analytics_pb2.EngagementMetrics, _Mapping]] = ..., next_cursor: _Optional[str] = ..., provenance: _Optional[_Union[_provenance_pb2.Provenance, _Mapping]] = ...) -> None: ...

class GetCohortRetentionRequest(_message.Message):
    __slots__ = ("scope", "interval", "measure", "begins_with", "comes_back_with", "ages")
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    MEASURE_FIELD_NUMBER: _ClassVar[int]
    BEGINS_WITH_FIELD_NUMBER: _ClassVar[int]
    COMES_BACK_WITH_FIELD_NUMBER: _ClassVar[int]
    AGES_FIELD_NUMBER: _ClassVar[int]
    scope: _read_scope_pb2.ReadScope
    interval: str
    measure: str
    begins_with: str
    comes_back_with: str
    ages: int
    def __init__(self, scope: _Optional[_Union[_read_scope_pb2.ReadScope, _Mapping]] = ..., interval: _Optional[str] = ..., measure: _Optional[str] = ..., begins_with: _Optional[str] = ..., comes_back_with: _Optional[str] = ..., ages: _Optional[int] = ...) -> None: ...

class GetCohortRetentionResponse(_message.Message):
    __slots__ = ("retention", "provenance")
    RETENTION_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    retention: _user_analytics_pb2.RetentionAnalysis
    provenance: _provenance_pb2.Provenance
    def __init__(self, retention: _Optional[_Union[_user_analytics_pb2.RetentionAnalysis, _Mapping]] = ..., provenance: _Optional[_Union[_provenance_pb2.Provenance, _Mapping]] = ...) -> None: ...

class GetFunnelRequest(_message.Message):
    __slots__ = ("scope", "steps", "order", "window_seconds", "exclusions", "by")
    class Order(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        ORDER_UNSPECIFIED: _ClassVar[GetFunnelRequest.Order]
        ORDERED: _ClassVar[GetFunnelRequest.Order]
        STRICT: _ClassVar[GetFunnelRequest.Order]
        ANY: _ClassVar[GetFunnelRequest.Order]
    ORDER_UNSPECIFIED: GetFunnelRequest.Order
    ORDERED: GetFunnelRequest.Order
    STRICT: GetFunnelRequest.Order
    ANY: GetFunnelRequest.Order
    class Step(_message.Message):
        __slots__ = ("event", "properties")
        class PropertiesEntry(_message.Message):
            __slots__ = ("key", "value")
            KEY_FIELD_NUMBER: _ClassVar[int]
            VALUE_FIELD_NUMBER: _ClassVar[int]
            key: str
            value: str
            def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
        EVENT_FIELD_NUMBER: _ClassVar[int]
        PROPERTIES_FIELD_NUMBER: _ClassVar[int]
        event: str
        properties: _containers.ScalarMap[str, str]
        def __init__(self, event: _Optional[str] = ..., properties: _Optional[_Mapping[str, str]] = ...) -> None: ...
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    ORDER_FIELD_NUMBER: _ClassVar[int]
    WINDOW_SECONDS_FIELD_NUMBER: _ClassVar[int]
    EXCLUSIONS_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    scope: _read_scope_pb2.ReadScope
    steps: _containers.RepeatedCompositeFieldContainer[GetFunnelRequest.Step]
    order: GetFunnelRequest.Order
    window_seconds: int
    exclusions: _containers.RepeatedScalarFieldContainer[str]
    by: str
    def __init__(self, scope: _Optional[_Union[_read_scope_pb2.ReadScope, _Mapping]] = ..., steps: _Optional[_Iterable[_Union[GetFunnelRequest.Step, _Mapping]]] = ..., order: _Optional[_Union[GetFunnelRequest.Order, str]] = ..., window_seconds: _Optional[int] = ..., exclusions: _Optional[_Iterable[str]] = ..., by: _Optional[str] = ...) -> None: ...

class GetFunnelResponse(_message.Message):
    __slots__ = ("funnels", "provenance")
    class Step(_message.Message):
        __slots__ = ("event", "users", "rate", "overall_rate", "median_seconds")
        EVENT_FIELD_NUMBER: _ClassVar[int]
        USERS_FIELD_NUMBER: _ClassVar[int]
        RATE_FIELD_NUMBER: _ClassVar[int]
        OVERALL_RATE_FIELD_NUMBER: _ClassVar[int]
        MEDIAN_SECONDS_FIELD_NUMBER: _ClassVar[int]
        event: str
        users: int
        rate: float
        overall_rate: float
        median_seconds: float
        def __init__(self, event: _Optional[str] = ..., users: _Optional[int] = ..., rate: _Optional[float] = ..., overall_rate: _Optional[float] = ..., median_seconds: _Optional[float] = ...) -> None: ...
    class Funnel(_message.Message):
        __slots__ = ("group", "steps")
        GROUP_FIELD_NUMBER: _ClassVar[int]
        STEPS_FIELD_NUMBER: _ClassVar[int]
        group: str
        steps: _containers.RepeatedCompositeFieldContainer[GetFunnelResponse.Step]
        def __init__(self, group: _Optional[str] = ..., steps: _Optional[_Iterable[_Union[GetFunnelResponse.Step, _Mapping]]] = ...) -> None: ...
    FUNNELS_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    funnels: _containers.RepeatedCompositeFieldContainer[GetFunnelResponse.Funnel]
    provenance: _provenance_pb2.Provenance
    def __init__(self, funnels: _Optional[_Iterable[_Union[GetFunnelResponse.Funnel, _Mapping]]] = ..., provenance: _Optional[_Union[_provenance_pb2.Provenance, _Mapping]] = ...) -> None: ...

class GetUserJourneyRequest(_message.Message):
    __slots__ = ("scope", "user_id", "from_event", "to_event", "max_length", "page")
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    FROM_EVENT_FIELD_NUMBER: _ClassVar[int]
    TO_EVENT_FIELD_NUMBER: _ClassVar[int]
    MAX_LENGTH_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    scope: _read_scope_pb2.ReadScope
    user_id: str
    from_event: str
    to_event: str
    max_length: int
    page: _read_scope_pb2.PageRequest
    def __init__(self, scope: _Optional[_Union[_read_scope_pb2.ReadScope, _Mapping]] = ..., user_id: _Optional[str] = ..., from_event: _Optional[str] = ..., to_event: _Optional[str] = ..., max_length: _Optional[int] = ..., page: _Optional[_Union[_read_scope_pb2.PageRequest, _Mapping]] = ...) -> None: ...

class GetUserJourneyResponse(_message.Message):
    __slots__ = ("paths", "steps", "next_cursor", "provenance")
    class Path(_message.Message):
        __slots__ = ("events", "users", "times")
        EVENTS_FIELD_NUMBER: _ClassVar[int]
        USERS_FIELD_NUMBER: _ClassVar[int]
        TIMES_FIELD_NUMBER: _ClassVar[int]
        events: _containers.RepeatedScalarFieldContainer[str]
        users: int
        times: int
        def __init__(self, events: _Optional[_Iterable[str]] = ..., users: _Optional[int] = ..., times: _Optional[int] = ...) -> None: ...
    class Step(_message.Message):
        __slots__ = ("time", "event", "event_id")
        TIME_FIELD_NUMBER: _ClassVar[int]
        EVENT_FIELD_NUMBER: _ClassVar[int]
        EVENT_ID_FIELD_NUMBER: _ClassVar[int]
        time: int
        event: _user_analytics_pb2.UserEvent
        event_id: str
        def __init__(self, time: _Optional[int] = ..., event: _Optional[_Union[_user_analytics_pb2.UserEvent, _Mapping]] = ..., event_id: _Optional[str] = ...) -> None: ...
    PATHS_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    paths: _containers.RepeatedCompositeFieldContainer[GetUserJourneyResponse.Path]
    steps: _containers.RepeatedCompositeFieldContainer[GetUserJourneyResponse.Step]
    next_cursor: str
    provenance: _provenance_pb2.Provenance
    def __init__(self, paths: _Optional[_Iterable[_Union[GetUserJourneyResponse.Path, _Mapping]]] = ..., steps: _Optional[_Iterable[_Union[GetUserJourneyResponse.Step, _Mapping]]] = ..., next_cursor: _Optional[str] = ..., provenance: _Optional[_Union[_provenance_pb2.Provenance, _Mapping]] = ...) -> None: ...

class GetFeatureUsageRequest(_message.Message):
    __slots__ = ("scope", "features", "by")
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    FEATURES_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    scope: _read_scope_pb2.ReadScope
    features: _containers.RepeatedScalarFieldContainer[str]
    by: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, scope: _Optional[_Union[_read_scope_pb2.ReadScope, _Mapping]] = ..., features: _Optional[_Iterable[str]] = ..., by: _Optional[_Iterable[str]] = ...) -> None: ...

class GetFeatureUsageResponse(_message.Message):
    __slots__ = ("usage", "provenance")
    class Usage(_message.Message):
        __slots__ = ("feature", "dimensions", "uses", "users", "adoption_rate", "first_used", "last_used")
        class DimensionsEntry(_message.Message):
            __slots__ = ("key", "value")
            KEY_FIELD_NUMBER: _ClassVar[int]
            VALUE_FIELD_NUMBER: _ClassVar[int]
            key: str
            value: str
            def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
        FEATURE_FIELD_NUMBER: _ClassVar[int]
        DIMENSIONS_FIELD_NUMBER: _ClassVar[int]
        USES_FIELD_NUMBER: _ClassVar[int]
        USERS_FIELD_NUMBER: _ClassVar[int]
        ADOPTION_RATE_FIELD_NUMBER: _ClassVar[int]
        FIRST_USED_FIELD_NUMBER: _ClassVar[int]
        LAST_USED_FIELD_NUMBER: _ClassVar[int]
        feature: str
        dimensions: _containers.ScalarMap[str, str]
        uses: int
        users: int
        adoption_rate: float
        first_used: int
        last_used: int
        def __init__(self, feature: _Optional[str] = ..., dimensions: _Optional[_Mapping[str, str]] = ..., uses: _Optional[int] = ..., users: _Optional[int] = ..., adoption_rate: _Optional[float] = ..., first_used: _Optional[int] = ..., last_used: _Optional[int] = ...) -> None: ...
    USAGE_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    usage: _containers.RepeatedCompositeFieldContainer[GetFeatureUsageResponse.Usage]
    provenance: _provenance_pb2.Provenance
    def __init__(self, usage: _Optional[_Iterable[_Union[GetFeatureUsageResponse.Usage, _Mapping]]] = ..., provenance: _Optional[_Union[_provenance_pb2.Provenance, _Mapping]] = ...) -> None: ...

class GetSegmentsRequest(_message.Message):
    __slots__ = ("scope", "segment", "page")
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    scope: _read_scope_pb2.ReadScope
    segment: str
    page: _read_scope_pb2.PageRequest
    def __init__(self, scope: _Optional[_Union[_read_scope_pb2.ReadScope, _Mapping]] = ..., segment: _Optional[str] = ..., page: _Optional[_Union[_read_scope_pb2.PageRequest, _Mapping]] = ...) -> None: ...

class GetSegmentsResponse(_message.Message):
    __slots__ = ("segments", "user_ids", "next_cursor", "provenance")
    class Segment(_message.Message):
        __slots__ = ("name", "rule", "users", "share", "metrics")
        NAME_FIELD_NUMBER: _ClassVar[int]
        RULE_FIELD_NUMBER: _ClassVar[int]
        USERS_FIELD_NUMBER: _ClassVar[int]
        SHARE_FIELD_NUMBER: _ClassVar[int]
        METRICS_FIELD_NUMBER: _ClassVar[int]
        name: str
        rule: str
        users: int
        share: float
        metrics: _containers.RepeatedCompositeFieldContainer[_values_pb2.MetricValue]
        def __init__(self, name: _Optional[str] = ..., rule: _Optional[str] = ..., users: _Optional[int] = ..., share: _Optional[float] = ..., metrics: _Optional[_Iterable[_Union[_values_pb2.MetricValue, _Mapping]]] = ...) -> None: ...
    SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    USER_IDS_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    segments: _containers.RepeatedCompositeFieldContainer[GetSegmentsResponse.Segment]
    user_ids: _containers.RepeatedScalarFieldContainer[str]
    next_cursor: str
    provenance: _provenance_pb2.Provenance
    def __init__(self, segments: _Optional[_Iterable[_Union[GetSegmentsResponse.Segment, _Mapping]]] = ..., user_ids: _Optional[_Iterable[str]] = ..., next_cursor: _Optional[str] = ..., provenance: _Optional[_Union[_provenance_pb2.Provenance, _Mapping]] = ...) -> None: ...
