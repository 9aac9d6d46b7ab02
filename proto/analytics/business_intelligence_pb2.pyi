from analytics import values_pb2 as _values_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class KPIMetrics(_message.Message):
    __slots__ = ("current", "previous", "change", "target", "history")
    CURRENT_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    HISTORY_FIELD_NUMBER: _ClassVar[int]
    current: _values_pb2.MetricValue
    previous: _values_pb2.MetricValue
    change: float
    target: _values_pb2.Value
    history: _values_pb2.Series
    def __init__(self, current: _Optional[_Union[_values_pb2.MetricValue, _Mapping]] = ..., previous: _Optional[_Union[_values_pb2.MetricValue, _Mapping]] = ..., change: _Optional[float] = ..., target: _Optional[_Union[_values_pb2.Value, _Mapping]] = ..., history: _Optional[_Union[_values_pb2.Series, _Mapping]] = ...) -> None: ...

class TrendAnalysis(_message.Message):
    __slots__ = ("observed", "trend", "direction", "slope", "p_value", "reasons")
    class Direction(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        DIRECTION_UNSPECIFIED: _ClassVar[TrendAnalysis.Direction]
        RISING: _ClassVar[TrendAnalysis.Direction]
        FALLING: _ClassVar[TrendAnalysis.Direction]
        FLAT: _ClassVar[TrendAnalysis.Direction]
    DIRECTION_UNSPECIFIED: TrendAnalysis.Direction
    RISING: TrendAnalysis.Direction
    FALLING: TrendAnalysis.Direction
    FLAT: TrendAnalysis.Direction
    class ReasonsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    OBSERVED_FIELD_NUMBER: _ClassVar[int]
    TREND_FIELD_NUMBER: _ClassVar[int]
    DIRECTION_FIELD_NUMBER: _ClassVar[int]
    SLOPE_FIELD_NUMBER: _ClassVar[int]
    P_VALUE_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    observed: _values_pb2.Series
    trend: _values_pb2.Series
    direction: TrendAnalysis.Direction
    slope: float
    p_value: float
    reasons: _containers.ScalarMap[str, str]
    def __init__(self, observed: _Optional[_Union[_values_pb2.Series, _Mapping]] = ..., trend: _Optional[_Union[_values_pb2.Series, _Mapping]] = ..., direction: _Optional[_Union[TrendAnalysis.Direction, str]] = ..., slope: _Optional[float] = ..., p_value: _Optional[float] = ..., reasons: _Optional[_Mapping[str, str]] = ...) -> None: ...

class BusinessInsights(_message.Message):
    __slots__ = ("insight_id", "kind", "severity", "title", "explanation", "metric", "drivers", "confidence", "suggested_actions", "from_time", "to_time")
    class Severity(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        SEVERITY_UNSPECIFIED: _ClassVar[BusinessInsights.Severity]
        INFO: _ClassVar[BusinessInsights.Severity]
        WARNING: _ClassVar[BusinessInsights.Severity]
        CRITICAL: _ClassVar[BusinessInsights.Severity]
    SEVERITY_UNSPECIFIED: BusinessInsights.Severity
    INFO: BusinessInsights.Severity
    WARNING: BusinessInsights.Severity
    CRITICAL: BusinessInsights.Severity
    class Driver(_message.Message):
        __slots__ = ("dimensions", "contribution", "share")
        class DimensionsEntry(_message.Message):
            __slots__ = ("key", "value")
            KEY_FIELD_NUMBER: _ClassVar[int]
            VALUE_FIELD_NUMBER: _ClassVar[int]
            key: str
            value: str
            def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
        DIMENSIONS_FIELD_NUMBER: _ClassVar[int]
        CONTRIBUTION_FIELD_NUMBER: _ClassVar[int]
        SHARE_FIELD_NUMBER: _ClassVar[int]
        dimensions: _containers.ScalarMap[str, str]
        contribution: _values_pb2.Value
        share: float
        def __init__(self, dimensions: _Optional[_Mapping[str, str]] = ..., contribution: _Optional[_Union[_values_pb2.Value, _Mapping]] = ..., share: _Optional[float] = ...) -> None: ...
    INSIGHT_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    SEVERITY_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    EXPLANATION_FIELD_NUMBER: _ClassVar[int]
    METRIC_FIELD_NUMBER: _ClassVar[int]
    DRIVERS_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    SUGGESTED_ACTIONS_FIELD_NUMBER: _ClassVar[int]
    FROM_TIME_FIELD_NUMBER: _ClassVar[int]
    TO_TIME_FIELD_NUMBER: _ClassVar[int]
    insight_id: str
    kind: str
    severity: BusinessInsights.Severity
    title: str
    explanation: str
    metric: KPIMetrics
    drivers: _containers.RepeatedCompositeFieldContainer[BusinessInsights.Driver]
    confidence: float
    suggested_actions: _containers.RepeatedScalarFieldContainer[str]
    from_time: int
    to_time: int
    def __init__(self, insight_id: _Optional[str] = ..., kind: _Optional[str] = ..., severity: _Optional[_Union[BusinessInsights.Severity, str]] = ..., title: _Optional[str] = ..., explanation: _Optional[str] = ..., metric: _Optional[_Union[KPIMetrics, _Mapping]] = ..., drivers: _Optional[_Iterable[_Union[BusinessInsights.Driver, _Mapping]]] = ..., confidence: _Optional[float] = ..., suggested_actions: _Optional[_Iterable[str]] = ..., from_time: _Optional[int] = ..., to_time: _Optional[int] = ...) -> None: ...
