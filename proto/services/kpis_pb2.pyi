from analytics import business_intelligence_pb2 as _business_intelligence_pb2
from analytics import values_pb2 as _values_pb2
from common import provenance_pb2 as _provenance_pb2
from common import read_scope_pb2 as _read_scope_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetKPIsRequest(_message.Message):
    __slots__ = ("scope", "metrics", "compare_from", "compare_to", "history")
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    COMPARE_FROM_FIELD_NUMBER: _ClassVar[int]
    COMPARE_TO_FIELD_NUMBER: _ClassVar[int]
    HISTORY_FIELD_NUMBER: _ClassVar[int]
    scope: _read_scope_pb2.ReadScope
    metrics: _containers.RepeatedScalarFieldContainer[str]
    compare_from: int
    compare_to: int
    history: int
    def __init__(self, scope: _Optional[_Union[_read_scope_pb2.ReadScope, _Mapping]] = ..., metrics: _Optional[_Iterable[str]] = ..., compare_from: _Optional[int] = ..., compare_to: _Optional[int] = ..., history: _Optional[int] = ...) -> None: ...

class GetKPIsResponse(_message.Message):
    __slots__ = ("kpis", "provenance")
    KPIS_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    kpis: _containers.RepeatedCompositeFieldContainer[_business_intelligence_pb2.KPIMetrics]
    provenance: _provenance_pb2.Provenance
    def __init__(self, kpis: _Optional[_Iterable[_Union[_business_intelligence_pb2.KPIMetrics, _Mapping]]] = ..., provenance: _Optional[_Union[_provenance_pb2.Provenance, _Mapping]] = ...) -> None: ...

class GetRevenueMetricsRequest(_message.Message):
    __slots__ = ("scope", "metrics", "by")
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    scope: _read_scope_pb2.ReadScope
    metrics: _containers.RepeatedScalarFieldContainer[str]
    by: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, scope: _Optional[_Union[_read_scope_pb2.ReadScope, _Mapping]] = ..., metrics: _Optional[_Iterable[str]] = ..., by: _Optional[_Iterable[str]] = ...) -> None: ...

class MRRMovements(_message.Message):
    __slots__ = ("dimensions", "start_mrr", "new_mrr", "expansion_mrr", "contraction_mrr", "churned_mrr", "reactivated_mrr", "end_mrr", "counts", "currency_mrr", "currency", "reasons")
    class DimensionsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class CountsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    class ReasonsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    DIMENSIONS_FIELD_NUMBER: _ClassVar[int]
    START_MRR_FIELD_NUMBER: _ClassVar[int]
    NEW_MRR_FIELD_NUMBER: _ClassVar[int]
    EXPANSION_MRR_FIELD_NUMBER: _ClassVar[int]
    CONTRACTION_MRR_FIELD_NUMBER: _ClassVar[int]
    CHURNED_MRR_FIELD_NUMBER: _ClassVar[int]
    REACTIVATED_MRR_FIELD_NUMBER: _ClassVar[int]
    END_MRR_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_MRR_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    dimensions: _containers.ScalarMap[str, str]
    start_mrr: str
    new_mrr: str
    expansion_mrr: str
    contraction_mrr: str
    churned_mrr: str
    reactivated_mrr: str
    end_mrr: str
    counts: _containers.ScalarMap[str, int]
    currency_mrr: str
    currency: str
    reasons: _containers.ScalarMap[str, str]
    def __init__(self, dimensions: _Optional[_Mapping[str, str]] = ..., start_mrr: _Optional[str] = ..., new_mrr: _Optional[str] = ..., expansion_mrr: _Optional[str] = ..., contraction_mrr: _Optional[str] = ..., churned_mrr: _Optional[str] = ..., reactivated_mrr: _Optional[str] = ..., end_mrr: _Optional[str] = ..., counts: _Optional[_Mapping[str, int]] = ..., currency_mrr: _Optional[str] = ..., currency: _Optional[str] = ..., reasons: _Optional[_Mapping[str, str]] = ...) -> None: ...

class GetRevenueMetricsResponse(_message.Message):
    __slots__ = ("groups", "movements", "provenance")
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    MOVEMENTS_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    groups: _containers.RepeatedCompositeFieldContainer[_values_pb2.MetricGroup]
    movements: _containers.RepeatedCompositeFieldContainer[MRRMovements]
    provenance: _provenance_pb2.Provenance
    def __init__(self, groups: _Optional[_Iterable[_Union[_values_pb2.MetricGroup, _Mapping]]] = ..., movements: _Optional[_Iterable[_Union[MRRMovements, _Mapping]]] = ..., provenance: _Optional[_Union[_provenance_pb2.Provenance, _Mapping]] = ...) -> None: ...

class GetAcquisitionMetricsRequest(_message.Message):
    __slots__ = ("scope", "metrics", "by")
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    scope: _read_scope_pb2.ReadScope
    metrics: _containers.RepeatedScalarFieldContainer[str]
    by: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, scope: _Optional[_Union[_read_scope_pb2.ReadScope, _Mapping]] = ..., metrics: _Optional[_Iterable[str]] = ..., by: _Optional[_Iterable[str]] = ...) -> None: ...

class GetAcquisitionMetricsResponse(_message.Message):
    __slots__ = ("groups", "provenance")
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    groups: _containers.RepeatedCompositeFieldContainer[_values_pb2.MetricGroup]
    provenance: _provenance_pb2.Provenance
    def __init__(self, groups: _Optional[_Iterable[_Union[_values_pb2.MetricGroup, _Mapping]]] = ..., provenance: _Optional[_Union[_provenance_pb2.Provenance, _Mapping]] = ...) -> None: ...

class GetRetentionMetricsRequest(_message.Message):
    __slots__ = ("scope", "metrics", "by")
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    scope: _read_scope_pb2.ReadScope
    metrics: _containers.RepeatedScalarFieldContainer[str]
    by: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, scope: _Optional[_Union[_read_scope_pb2.ReadScope, _Mapping]] = ..., metrics: _Optional[_Iterable[str]] = ..., by: _Optional[_Iterable[str]] = ...) -> None: ...

class GetRetentionMetricsResponse(_message.Message):
    __slots__ = ("groups", "provenance")
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    groups: _containers.RepeatedCompositeFieldContainer[_values_pb2.MetricGroup]
    provenance: _provenance_pb2.Provenance
    def __init__(self, groups: _Optional[_Iterable[_Union[_values_pb2.MetricGroup, _Mapping]]] = ..., provenance: _Optional[_Union[_provenance_pb2.Provenance, _Mapping]] = ...) -> None: ...

class GetTradingKPIsRequest(_message.Message):
    __slots__ = ("scope", "metrics", "compare_from", "compare_to", "history")
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    COMPARE_FROM_FIELD_NUMBER: _ClassVar[int]
    COMPARE_TO_FIELD_NUMBER: _ClassVar[int]
    HISTORY_FIELD_NUMBER: _ClassVar[int]
    scope: _read_scope_pb2.ReadScope
    metrics: _containers.RepeatedScalarFieldContainer[str]
    compare_from: int
    compare_to: int
    history: int
    def __init__(self, scope: _Optional[_Union[_read_scope_pb2.ReadScope, _Mapping]] = ..., metrics: _Optional[_Iterable[str]] = ..., compare_from: _Optional[int] = ..., compare_to: _Optional[int] = ..., history: _Optional[int] = ...) -> None: ...

class GetTradingKPIsResponse(_message.Message):
    __slots__ = ("kpis", "provenance")
    KPIS_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    kpis: _containers.RepeatedCompositeFieldContainer[_business_intelligence_pb2.KPIMetrics]
    provenance: _provenance_pb2.Provenance
    def __init__(self, kpis: _Optional[_Iterable[_Union[_business_intelligence_pb2.KPIMetrics, _Mapping]]] = ..., provenance: _Optional[_Union[_provenance_pb2.Provenance, _Mapping]] = ...) -> None: ...

class GetSystemMetricsRequest(_message.Message):
    __slots__ = ("scope", "services", "measures", "by")
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    SERVICES_FIELD_NUMBER: _ClassVar[int]
    MEASURES_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    scope: _read_scope_pb2.ReadScope
    services: _containers.RepeatedScalarFieldContainer[str]
    measures: _containers.RepeatedScalarFieldContainer[str]
    by: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, scope: _Optional[_Union[_read_scope_pb2.ReadScope, _Mapping]] = ..., services: _Optional[_Iterable[str]] = ..., measures: _Optional[_Iterable[str]] = ..., by: _Optional[_Iterable[str]] = ...) -> None: ...

class SystemMeasure(_message.Message):
    __slots__ = ("dimensions", "count", "sum", "min", "max", "p50", "p95", "p99", "reasons")
    class DimensionsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class ReasonsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    DIMENSIONS_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    SUM_FIELD_NUMBER: _ClassVar[int]
    MIN_FIELD_NUMBER: _ClassVar[int]
    MAX_FIELD_NUMBER: _ClassVar[int]
    P50_FIELD_NUMBER: _ClassVar[int]
    P95_FIELD_NUMBER: _ClassVar[int]
    P99_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    dimensions: _containers.ScalarMap[str, str]
    count: int
    sum: str
    min: str
    max: str
    p50: float
    p95: float
    p99: float
    reasons: _containers.ScalarMap[str, str]
    def __init__(self, dimensions: _Optional[_Mapping[str, str]] = ..., count: _Optional[int] = ..., sum: _Optional[str] = ..., min: _Optional[str] = ..., max: _Optional[str] = ..., p50: _Optional[float] = ..., p95: _Optional[float] = ..., p99: _Optional[float] = ..., reasons: _Optional[_Mapping[str, str]] = ...) -> None: ...

class GetSystemMetricsResponse(_message.Message):
    __slots__ = ("measures", "provenance")
    MEASURES_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    measures: _containers.RepeatedCompositeFieldContainer[SystemMeasure]
    provenance: _provenance_pb2.Provenance
    def __init__(self, measures: _Optional[_Iterable[_Union[SystemMeasure, _Mapping]]] = ..., provenance: _Optional[_Union[_provenance_pb2.Provenance, _Mapping]] = ...) -> None: ...

class GetSatisfactionMetricsRequest(_message.Message):
    __slots__ = ("scope", "metrics", "by")
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    scope: _read_scope_pb2.ReadScope
    metrics: _containers.RepeatedScalarFieldContainer[str]
    by: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, scope: _Optional[_Union[_read_scope_pb2.ReadScope, _Mapping]] = ..., metrics: _Optional[_Iterable[str]] = ..., by: _Optional[_Iterable[str]] = ...) -> None: ...

class GetSatisfactionMetricsResponse(_message.Message):
    __slots__ = ("groups", "provenance")
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    groups: _containers.RepeatedCompositeFieldContainer[_values_pb2.MetricGroup]
    provenance: _provenance_pb2.Provenance
    def __init__(self, groups: _Optional[_Iterable[_Union[_values_pb2.MetricGroup, _Mapping]]] = ..., provenance: _Optional[_Union[_provenance_pb2.Provenance, _Mapping]] = ...) -> None: ...
