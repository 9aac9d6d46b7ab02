from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SystemMetric(_message.Message):
    __slots__ = ("service", "metric", "value", "unit", "labels")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    METRIC_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    service: str
    metric: str
    value: float
    unit: str
    labels: _containers.ScalarMap[str, str]
    def __init__(self, service: _Optional[str] = ..., metric: _Optional[str] = ..., value: _Optional[float] = ..., unit: _Optional[str] = ..., labels: _Optional[_Mapping[str, str]] = ...) -> None: ...

class SystemMetricBatch(_message.Message):
    __slots__ = ("items",)
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[SystemMetric]
    def __init__(self, items: _Optional[_Iterable[_Union[SystemMetric, _Mapping]]] = ...) -> None: ...

class PerformanceData(_message.Message):
    __slots__ = ("service", "operation", "duration_ms", "outcome")
    class Outcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        OUTCOME_UNSPECIFIED: _ClassVar[PerformanceData.Outcome]
        OK: _ClassVar[PerformanceData.Outcome]
        ERROR: _ClassVar[PerformanceData.Outcome]
    OUTCOME_UNSPECIFIED: PerformanceData.Outcome
    OK: PerformanceData.Outcome
    ERROR: PerformanceData.Outcome
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    DURATION_MS_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    service: str
    operation: str
    duration_ms: float
    outcome: PerformanceData.Outcome
    def __init__(self, service: _Optional[str] = ..., operation: _Optional[str] = ..., duration_ms: _Optional[float] = ..., outcome: _Optional[_Union[PerformanceData.Outcome, str]] = ...) -> None: ...

class PerformanceDataBatch(_message.Message):
    __slots__ = ("items",)
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[PerformanceData]
    def __init__(self, items: _Optional[_Iterable[_Union[PerformanceData, _Mapping]]] = ...) -> None: ...
