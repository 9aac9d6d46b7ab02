from analytics import performance_data_pb2 as _performance_data_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class UserEvent(_message.Message):
    __slots__ = ("name", "session_id", "page", "feature", "properties")
    class PropertiesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    FEATURE_FIELD_NUMBER: _ClassVar[int]
    PROPERTIES_FIELD_NUMBER: _ClassVar[int]
    name: str
    session_id: str
    page: str
    feature: str
    properties: _containers.ScalarMap[str, str]
    def __init__(self, name: _Optional[str] = ..., session_id: _Optional[str] = ..., page: _Optional[str] = ..., feature: _Optional[str] = ..., properties: _Optional[_Mapping[str, str]] = ...) -> None: ...

class UserEventBatch(_message.Message):
    __slots__ = ("items",)
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[UserEvent]
    def __init__(self, items: _Optional[_Iterable[_Union[UserEvent, _Mapping]]] = ...) -> None: ...

class UserAnalytics(_message.Message):
    __slots__ = ("user_id", "first_seen", "last_seen", "segment", "behavior", "engagement", "trading", "churn_probability", "predicted_ltv", "reasons")
    class ReasonsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    FIRST_SEEN_FIELD_NUMBER: _ClassVar[int]
    LAST_SEEN_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    BEHAVIOR_FIELD_NUMBER: _ClassVar[int]
    ENGAGEMENT_FIELD_NUMBER: _ClassVar[int]
    TRADING_FIELD_NUMBER: _ClassVar[int]
    CHURN_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    PREDICTED_LTV_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    first_seen: int
    last_seen: int
    segment: str
    behavior: _performance_data_pb2.UserBehaviorMetrics
    engagement: EngagementMetrics
    trading: _performance_data_pb2.TradingMetrics
    churn_probability: float
    predicted_ltv: str
    reasons: _containers.ScalarMap[str, str]
    def __init__(self, user_id: _Optional[str] = ..., first_seen: _Optional[int] = ..., last_seen: _Optional[int] = ..., segment: _Optional[str] = ..., behavior: _Optional[_Union[_performance_data_pb2.UserBehaviorMetrics, _Mapping]] = ..., engagement: _Optional[_Union[EngagementMetrics, _Mapping]] = ..., trading: _Optional[_Union[_performance_data_pb2.TradingMetrics, _Mapping]] = ..., churn_probability: _Optional[float] = ..., predicted_ltv: _Optional[str] = ..., reasons: _Optional[_Mapping[str, str]] = ...) -> None: ...

class EngagementMetrics(_message.Message):
    __slots__ = ("daily_active_users", "weekly_active_users", "monthly_active_users", "stickiness", "new_users", "returning_users", "resurrected_users", "dormant_users", "feature_adoption", "reasons")
    class FeatureAdoptionEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    class ReasonsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    DAILY_ACTIVE_USERS_FIELD_NUMBER: _ClassVar[int]
    WEEKLY_ACTIVE_USERS_FIELD_NUMBER: _ClassVar[int]
    MONTHLY_ACTIVE_USERS_FIELD_NUMBER: _ClassVar[int]
    STICKINESS_FIELD_NUMBER: _ClassVar[int]
    NEW_USERS_FIELD_NUMBER: _ClassVar[int]
    RETURNING_USERS_FIELD_NUMBER: _ClassVar[int]
    RESURRECTED_USERS_FIELD_NUMBER: _ClassVar[int]
    DORMANT_USERS_FIELD_NUMBER: _ClassVar[int]
    FEATURE_ADOPTION_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    daily_active_users: int
    weekly_active_users: int
    monthly_active_users: int
    stickiness: float
    new_users: int
    returning_users: int
    resurrected_users: int
    dormant_users: int
    feature_adoption: _containers.ScalarMap[str, float]
    reasons: _containers.ScalarMap[str, str]
    def __init__(self, daily_active_users: _Optional[int] = ..., weekly_active_users: _Optional[int] = ..., monthly_active_users: _Optional[int] = ..., stickiness: _Optional[float] = ..., new_users: _Optional[int] = ..., returning_users: _Optional[int] = ..., resurrected_users: _Optional[int] = ..., dormant_users: _Optional[int] = ..., feature_adoption: _Optional[_Mapping[str, float]] = ..., reasons: _Optional[_Mapping[str, str]] = ...) -> None: ...

class RetentionAnalysis(_message.Message):
    __slots__ = ("interval", "measure", "cohorts", "mean")
    class Cell(_message.Message):
        __slots__ = ("age", "retained", "rate", "unfinished")
        AGE_FIELD_NUMBER: _ClassVar[int]
        RETAINED_FIELD_NUMBER: _ClassVar[int]
        RATE_FIELD_NUMBER: _ClassVar[int]
        UNFINISHED_FIELD_NUMBER: _ClassVar[int]
        age: int
        retained: int
        rate: float
        unfinished: bool
        def __init__(self, age: _Optional[int] = ..., retained: _Optional[int] = ..., rate: _Optional[float] = ..., unfinished: _Optional[bool] = ...) -> None: ...
    class Cohort(_message.Message):
        __slots__ = ("begins", "size", "cells")
        BEGINS_FIELD_NUMBER: _ClassVar[int]
        SIZE_FIELD_NUMBER: _ClassVar[int]
        CELLS_FIELD_NUMBER: _ClassVar[int]
        begins: int
        size: int
        cells: _containers.RepeatedCompositeFieldContainer[RetentionAnalysis.Cell]
        def __init__(self, begins: _Optional[int] = ..., size: _Optional[int] = ..., cells: _Optional[_Iterable[_Union[RetentionAnalysis.Cell, _Mapping]]] = ...) -> None: ...
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    MEASURE_FIELD_NUMBER: _ClassVar[int]
    COHORTS_FIELD_NUMBER: _ClassVar[int]
    MEAN_FIELD_NUMBER: _ClassVar[int]
    interval: str
    measure: str
    cohorts: _containers.RepeatedCompositeFieldContainer[RetentionAnalysis.Cohort]
    mean: _containers.RepeatedCompositeFieldContainer[RetentionAnalysis.Cell]
    def __init__(self, interval: _Optional[str] = ..., measure: _Optional[str] = ..., cohorts: _Optional[_Iterable[_Union[RetentionAnalysis.Cohort, _Mapping]]] = ..., mean: _Optional[_Iterable[_Union[RetentionAnalysis.Cell, _Mapping]]] = ...) -> None: ...
