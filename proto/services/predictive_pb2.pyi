from analytics import values_pb2 as _values_pb2
from common import provenance_pb2 as _provenance_pb2
from common import read_scope_pb2 as _read_scope_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ModelQuality(_message.Message):
    __slots__ = ("model", "version", "fitted_at", "scores", "observations")
    class ScoresEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    MODEL_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    FITTED_AT_FIELD_NUMBER: _ClassVar[int]
    SCORES_FIELD_NUMBER: _ClassVar[int]
    OBSERVATIONS_FIELD_NUMBER: _ClassVar[int]
    model: str
    version: int
    fitted_at: int
    scores: _containers.ScalarMap[str, float]
    observations: int
    def __init__(self, model: _Optional[str] = ..., version: _Optional[int] = ..., fitted_at: _Optional[int] = ..., scores: _Optional[_Mapping[str, float]] = ..., observations: _Optional[int] = ...) -> None: ...

class ExpectedPoint(_message.Message):
    __slots__ = ("time", "expected", "lower", "upper")
    TIME_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_FIELD_NUMBER: _ClassVar[int]
    LOWER_FIELD_NUMBER: _ClassVar[int]
    UPPER_FIELD_NUMBER: _ClassVar[int]
    time: int
    expected: _values_pb2.Value
    lower: _values_pb2.Value
    upper: _values_pb2.Value
    def __init__(self, time: _Optional[int] = ..., expected: _Optional[_Union[_values_pb2.Value, _Mapping]] = ..., lower: _Optional[_Union[_values_pb2.Value, _Mapping]] = ..., upper: _Optional[_Union[_values_pb2.Value, _Mapping]] = ...) -> None: ...

class GetPredictiveAnalyticsRequest(_message.Message):
    __slots__ = ("scope", "metrics", "horizon_days")
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    HORIZON_DAYS_FIELD_NUMBER: _ClassVar[int]
    scope: _read_scope_pb2.ReadScope
    metrics: _containers.RepeatedScalarFieldContainer[str]
    horizon_days: int
    def __init__(self, scope: _Optional[_Union[_read_scope_pb2.ReadScope, _Mapping]] = ..., metrics: _Optional[_Iterable[str]] = ..., horizon_days: _Optional[int] = ...) -> None: ...

class GetPredictiveAnalyticsResponse(_message.Message):
    __slots__ = ("predictions", "provenance")
    class Prediction(_message.Message):
        __slots__ = ("current", "expected", "quality", "reason")
        CURRENT_FIELD_NUMBER: _ClassVar[int]
        EXPECTED_FIELD_NUMBER: _ClassVar[int]
        QUALITY_FIELD_NUMBER: _ClassVar[int]
        REASON_FIELD_NUMBER: _ClassVar[int]
        current: _values_pb2.MetricValue
        expected: ExpectedPoint
        quality: ModelQuality
        reason: str
        def __init__(self, current: _Optional[_Union[_values_pb2.MetricValue, _Mapping]] = ..., expected: _Optional[_Union[ExpectedPoint, _Mapping]] = ..., quality: _Optional[_Union[ModelQuality, _Mapping]] = ..., reason: _Optional[str] = ...) -> None: ...
    PREDICTIONS_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    predictions: _containers.RepeatedCompositeFieldContainer[GetPredictiveAnalyticsResponse.Prediction]
    provenance: _provenance_pb2.Provenance
    def __init__(self, predictions: _Optional[_Iterable[_Union[GetPredictiveAnalyticsResponse.Prediction, _Mapping]]] = ..., provenance: _Optional[_Union[_provenance_pb2.Provenance, _Mapping]] = ...) -> None: ...

class GetChurnForecastRequest(_message.Message):
    __slots__ = ("scope", "of", "min_probability", "page")
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    OF_FIELD_NUMBER: _ClassVar[int]
    MIN_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    scope: _read_scope_pb2.ReadScope
    of: str
    min_probability: float
    page: _read_scope_pb2.PageRequest
    def __init__(self, scope: _Optional[_Union[_read_scope_pb2.ReadScope, _Mapping]] = ..., of: _Optional[str] = ..., min_probability: _Optional[float] = ..., page: _Optional[_Union[_read_scope_pb2.PageRequest, _Mapping]] = ...) -> None: ...

class GetChurnForecastResponse(_message.Message):
    __slots__ = ("at_risk", "horizon_days", "quality", "next_cursor", "provenance")
    class AtRisk(_message.Message):
        __slots__ = ("subject_id", "probability", "drivers", "mrr_at_risk")
        class DriversEntry(_message.Message):
            __slots__ = ("key", "value")
            KEY_FIELD_NUMBER: _ClassVar[int]
            VALUE_FIELD_NUMBER: _ClassVar[int]
            key: str
            value: float
            def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
        SUBJECT_ID_FIELD_NUMBER: _ClassVar[int]
        PROBABILITY_FIELD_NUMBER: _ClassVar[int]
        DRIVERS_FIELD_NUMBER: _ClassVar[int]
        MRR_AT_RISK_FIELD_NUMBER: _ClassVar[int]
        subject_id: str
        probability: float
        drivers: _containers.ScalarMap[str, float]
        mrr_at_risk: str
        def __init__(self, subject_id: _Optional[str] = ..., probability: _Optional[float] = ..., drivers: _Optional[_Mapping[str, float]] = ..., mrr_at_risk: _Optional[str] = ...) -> None: ...
    AT_RISK_FIELD_NUMBER: _ClassVar[int]
    HORIZON_DAYS_FIELD_NUMBER: _ClassVar[int]
    QUALITY_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    at_risk: _containers.RepeatedCompositeFieldContainer[GetChurnForecastResponse.AtRisk]
    horizon_days: int
    quality: ModelQuality
    next_cursor: str
    provenance: _provenance_pb2.Provenance
    def __init__(self, at_risk: _Optional[_Iterable[_Union[GetChurnForecastResponse.AtRisk, _Mapping]]] = ..., horizon_days: _Optional[int] = ..., quality: _Optional[_Union[ModelQuality, _Mapping]] = ..., next_cursor: _Optional[str] = ..., provenance: _Optional[_Union[_provenance_pb2.Provenance, _Mapping]] = ...) -> None: ...

class GetLifetimeValueRequest(_message.Message):
    __slots__ = ("scope", "by", "method")
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    scope: _read_scope_pb2.ReadScope
    by: _containers.RepeatedScalarFieldContainer[str]
    method: str
    def __init__(self, scope: _Optional[_Union[_read_scope_pb2.ReadScope, _Mapping]] = ..., by: _Optional[_Iterable[str]] = ..., method: _Optional[str] = ...) -> None: ...

class GetLifetimeValueResponse(_message.Message):
    __slots__ = ("groups", "quality", "provenance")
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    QUALITY_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    groups: _containers.RepeatedCompositeFieldContainer[_values_pb2.MetricGroup]
    quality: ModelQuality
    provenance: _provenance_pb2.Provenance
    def __init__(self, groups: _Optional[_Iterable[_Union[_values_pb2.MetricGroup, _Mapping]]] = ..., quality: _Optional[_Union[ModelQuality, _Mapping]] = ..., provenance: _Optional[_Union[_provenance_pb2.Provenance, _Mapping]] = ...) -> None: ...

class GetForecastRequest(_message.Message):
    __slots__ = ("scope", "metric", "interval", "horizon", "coverage")
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    METRIC_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    HORIZON_FIELD_NUMBER: _ClassVar[int]
    COVERAGE_FIELD_NUMBER: _ClassVar[int]
    scope: _read_scope_pb2.ReadScope
    metric: str
    interval: str
    horizon: int
    coverage: float
    def __init__(self, scope: _Optional[_Union[_read_scope_pb2.ReadScope, _Mapping]] = ..., metric: _Optional[str] = ..., interval: _Optional[str] = ..., horizon: _Optional[int] = ..., coverage: _Optional[float] = ...) -> None: ...

class GetForecastResponse(_message.Message):
    __slots__ = ("observed", "expected", "quality", "reason", "provenance")
    OBSERVED_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_FIELD_NUMBER: _ClassVar[int]
    QUALITY_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    observed: _values_pb2.Series
    expected: _containers.RepeatedCompositeFieldContainer[ExpectedPoint]
    quality: ModelQuality
    reason: str
    provenance: _provenance_pb2.Provenance
    def __init__(self, observed: _Optional[_Union[_values_pb2.Series, _Mapping]] = ..., expected: _Optional[_Iterable[_Union[ExpectedPoint, _Mapping]]] = ..., quality: _Optional[_Union[ModelQuality, _Mapping]] = ..., reason: _Optional[str] = ..., provenance: _Optional[_Union[_provenance_pb2.Provenance, _Mapping]] = ...) -> None: ...
