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

class RunAnalyticsQueryRequest(_message.Message):
    __slots__ = ("scope", "query", "metrics", "by", "params", "order_by", "limit", "resume_token")
    class ParamsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    QUERY_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    PARAMS_FIELD_NUMBER: _ClassVar[int]
    ORDER_BY_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    scope: _read_scope_pb2.ReadScope
    query: str
    metrics: _containers.RepeatedScalarFieldContainer[str]
    by: _containers.RepeatedScalarFieldContainer[str]
    params: _containers.ScalarMap[str, str]
    order_by: _containers.RepeatedScalarFieldContainer[str]
    limit: int
    resume_token: str
    def __init__(self, scope: _Optional[_Union[_read_scope_pb2.ReadScope, _Mapping]] = ..., query: _Optional[str] = ..., metrics: _Optional[_Iterable[str]] = ..., by: _Optional[_Iterable[str]] = ..., params: _Optional[_Mapping[str, str]] = ..., order_by: _Optional[_Iterable[str]] = ..., limit: _Optional[int] = ..., resume_token: _Optional[str] = ...) -> None: ...

class RunAnalyticsQueryResponse(_message.Message):
    __slots__ = ("table", "provenance", "resume_token", "restarted")
    TABLE_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    RESTARTED_FIELD_NUMBER: _ClassVar[int]
    table: _values_pb2.Table
    provenance: _provenance_pb2.Provenance
    resume_token: str
    restarted: bool
    def __init__(self, table: _Optional[_Union[_values_pb2.Table, _Mapping]] = ..., provenance: _Optional[_Union[_provenance_pb2.Provenance, _Mapping]] = ..., resume_token: _Optional[str] = ..., restarted: _Optional[bool] = ...) -> None: ...

class ListMetricsRequest(_message.Message):
    __slots__ = ("search", "area")
    SEARCH_FIELD_NUMBER: _ClassVar[int]
    AREA_FIELD_NUMBER: _ClassVar[int]
    search: str
    area: str
    def __init__(self, search: _Optional[str] = ..., area: _Optional[str] = ...) -> None: ...

class MetricDefinition(_message.Message):
    __slots__ = ("key", "title", "area", "unit", "formula", "reads", "dimensions", "conventions", "definition_version", "reasons")
    KEY_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    AREA_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    FORMULA_FIELD_NUMBER: _ClassVar[int]
    READS_FIELD_NUMBER: _ClassVar[int]
    DIMENSIONS_FIELD_NUMBER: _ClassVar[int]
    CONVENTIONS_FIELD_NUMBER: _ClassVar[int]
    DEFINITION_VERSION_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    key: str
    title: str
    area: str
    unit: str
    formula: str
    reads: _containers.RepeatedScalarFieldContainer[str]
    dimensions: _containers.RepeatedScalarFieldContainer[str]
    conventions: _containers.RepeatedScalarFieldContainer[str]
    definition_version: int
    reasons: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, key: _Optional[str] = ..., title: _Optional[str] = ..., area: _Optional[str] = ..., unit: _Optional[str] = ..., formula: _Optional[str] = ..., reads: _Optional[_Iterable[str]] = ..., dimensions: _Optional[_Iterable[str]] = ..., conventions: _Optional[_Iterable[str]] = ..., definition_version: _Optional[int] = ..., reasons: _Optional[_Iterable[str]] = ...) -> None: ...

class ListMetricsResponse(_message.Message):
    __slots__ = ("metrics", "correlation_id")
    METRICS_FIELD_NUMBER: _ClassVar[int]
    CORRELATION_ID_FIELD_NUMBER: _ClassVar[int]
    metrics: _containers.RepeatedCompositeFieldContainer[MetricDefinition]
    correlation_id: str
    def __init__(self, metrics: _Optional[_Iterable[_Union[MetricDefinition, _Mapping]]] = ..., correlation_id: _Optional[str] = ...) -> None: ...

class DescribeMetricRequest(_message.Message):
    __slots__ = ("key", "definition_version")
    KEY_FIELD_NUMBER: _ClassVar[int]
    DEFINITION_VERSION_FIELD_NUMBER: _ClassVar[int]
    key: str
    definition_version: int
    def __init__(self, key: _Optional[str] = ..., definition_version: _Optional[int] = ...) -> None: ...

class DescribeMetricResponse(_message.Message):
    __slots__ = ("metric", "earlier", "correlation_id")
    METRIC_FIELD_NUMBER: _ClassVar[int]
    EARLIER_FIELD_NUMBER: _ClassVar[int]
    CORRELATION_ID_FIELD_NUMBER: _ClassVar[int]
    metric: MetricDefinition
    earlier: _containers.RepeatedCompositeFieldContainer[MetricDefinition]
    correlation_id: str
    def __init__(self, metric: _Optional[_Union[MetricDefinition, _Mapping]] = ..., earlier: _Optional[_Iterable[_Union[MetricDefinition, _Mapping]]] = ..., correlation_id: _Optional[str] = ...) -> None: ...

class ExplainMetricRequest(_message.Message):
    __slots__ = ("scope", "key", "dimensions", "page", "measure")
    class DimensionsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    DIMENSIONS_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    MEASURE_FIELD_NUMBER: _ClassVar[int]
    scope: _read_scope_pb2.ReadScope
    key: str
    dimensions: _containers.ScalarMap[str, str]
    page: _read_scope_pb2.PageRequest
    measure: str
    def __init__(self, scope: _Optional[_Union[_read_scope_pb2.ReadScope, _Mapping]] = ..., key: _Optional[str] = ..., dimensions: _Optional[_Mapping[str, str]] = ..., page: _Optional[_Union[_read_scope_pb2.PageRequest, _Mapping]] = ..., measure: _Optional[str] = ...) -> None: ...

class ExplainMetricResponse(_message.Message):
    __slots__ = ("value", "definition", "inputs", "contributions", "events", "next_cursor", "provenance", "ingredients")
    class Contribution(_message.Message):
        __slots__ = ("topic", "partition", "offset", "item", "event_id", "amount", "counts")
        TOPIC_FIELD_NUMBER: _ClassVar[int]
        PARTITION_FIELD_NUMBER: _ClassVar[int]
        OFFSET_FIELD_NUMBER: _ClassVar[int]
        ITEM_FIELD_NUMBER: _ClassVar[int]
        EVENT_ID_FIELD_NUMBER: _ClassVar[int]
        AMOUNT_FIELD_NUMBER: _ClassVar[int]
        COUNTS_FIELD_NUMBER: _ClassVar[int]
        topic: str
        partition: int
        offset: int
        item: int
        event_id: str
        amount: _values_pb2.Value
        counts: bool
        def __init__(self, topic: _Optional[str] = ..., partition: _Optional[int] = ..., offset: _Optional[int] = ..., item: _Optional[int] = ..., event_id: _Optional[str] = ..., amount: _Optional[_Union[_values_pb2.Value, _Mapping]] = ..., counts: _Optional[bool] = ...) -> None: ...
    class Ingredient(_message.Message):
        __slots__ = ("ingredient", "value", "unit", "explained_by", "currency")
        INGREDIENT_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        UNIT_FIELD_NUMBER: _ClassVar[int]
        EXPLAINED_BY_FIELD_NUMBER: _ClassVar[int]
        CURRENCY_FIELD_NUMBER: _ClassVar[int]
        ingredient: str
        value: _values_pb2.Value
        unit: str
        explained_by: _containers.RepeatedScalarFieldContainer[str]
        currency: str
        def __init__(self, ingredient: _Optional[str] = ..., value: _Optional[_Union[_values_pb2.Value, _Mapping]] = ..., unit: _Optional[str] = ..., explained_by: _Optional[_Iterable[str]] = ..., currency: _Optional[str] = ...) -> None: ...
    class InputsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _values_pb2.Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_values_pb2.Value, _Mapping]] = ...) -> None: ...
    VALUE_FIELD_NUMBER: _ClassVar[int]
    DEFINITION_FIELD_NUMBER: _ClassVar[int]
    INPUTS_FIELD_NUMBER: _ClassVar[int]
    CONTRIBUTIONS_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    INGREDIENTS_FIELD_NUMBER: _ClassVar[int]
    value: _values_pb2.MetricValue
    definition: MetricDefinition
    inputs: _containers.MessageMap[str, _values_pb2.Value]
    contributions: _containers.RepeatedCompositeFieldContainer[ExplainMetricResponse.Contribution]
    events: int
    next_cursor: str
    provenance: _provenance_pb2.Provenance
    ingredients: _containers.RepeatedCompositeFieldContainer[ExplainMetricResponse.Ingredient]
    def __init__(self, value: _Optional[_Union[_values_pb2.MetricValue, _Mapping]] = ..., definition: _Optional[_Union[MetricDefinition, _Mapping]] = ..., inputs: _Optional[_Mapping[str, _values_pb2.Value]] = ..., contributions: _Optional[_Iterable[_Union[ExplainMetricResponse.Contribution, _Mapping]]] = ..., events: _Optional[int] = ..., next_cursor: _Optional[str] = ..., provenance: _Optional[_Union[_provenance_pb2.Provenance, _Mapping]] = ..., ingredients: _Optional[_Iterable[_Union[ExplainMetricResponse.Ingredient, _Mapping]]] = ...) -> None: ...

class ExportAnalyticsRequest(_message.Message):
    __slots__ = ("question", "format", "resume_token")
    class Format(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        FORMAT_UNSPECIFIED: _ClassVar[ExportAnalyticsRequest.Format]
        CSV: _ClassVar[ExportAnalyticsRequest.Format]
        NDJSON: _ClassVar[ExportAnalyticsRequest.Format]
        XLSX: _ClassVar[ExportAnalyticsRequest.Format]
        PARQUET: _ClassVar[ExportAnalyticsRequest.Format]
        ARROW: _ClassVar[ExportAnalyticsRequest.Format]
    FORMAT_UNSPECIFIED: ExportAnalyticsRequest.Format
    CSV: ExportAnalyticsRequest.Format
    NDJSON: ExportAnalyticsRequest.Format
    XLSX: ExportAnalyticsRequest.Format
    PARQUET: ExportAnalyticsRequest.Format
    ARROW: ExportAnalyticsRequest.Format
    QUESTION_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    question: RunAnalyticsQueryRequest
    format: ExportAnalyticsRequest.Format
    resume_token: str
    def __init__(self, question: _Optional[_Union[RunAnalyticsQueryRequest, _Mapping]] = ..., format: _Optional[_Union[ExportAnalyticsRequest.Format, str]] = ..., resume_token: _Optional[str] = ...) -> None: ...

class ExportAnalyticsResponse(_message.Message):
    __slots__ = ("content", "file_name", "media_type", "provenance", "resume_token", "restarted")
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    FILE_NAME_FIELD_NUMBER: _ClassVar[int]
    MEDIA_TYPE_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    RESTARTED_FIELD_NUMBER: _ClassVar[int]
    content: bytes
    file_name: str
    media_type: str
    provenance: _provenance_pb2.Provenance
    resume_token: str
    restarted: bool
    def __init__(self, content: _Optional[bytes] = ..., file_name: _Optional[str] = ..., media_type: _Optional[str] = ..., provenance: _Optional[_Union[_provenance_pb2.Provenance, _Mapping]] = ..., resume_token: _Optional[str] = ..., restarted: _Optional[bool] = ...) -> None: ...
