from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Value(_message.Message):
    __slots__ = ("decimal", "count", "number", "text", "time", "flag", "reason")
    DECIMAL_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    FLAG_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    decimal: str
    count: int
    number: float
    text: str
    time: int
    flag: bool
    reason: str
    def __init__(self, decimal: _Optional[str] = ..., count: _Optional[int] = ..., number: _Optional[float] = ..., text: _Optional[str] = ..., time: _Optional[int] = ..., flag: _Optional[bool] = ..., reason: _Optional[str] = ...) -> None: ...

class MetricValue(_message.Message):
    __slots__ = ("key", "title", "unit", "value", "convention", "definition_version", "basis", "currency")
    KEY_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    CONVENTION_FIELD_NUMBER: _ClassVar[int]
    DEFINITION_VERSION_FIELD_NUMBER: _ClassVar[int]
    BASIS_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    key: str
    title: str
    unit: str
    value: Value
    convention: str
    definition_version: int
    basis: str
    currency: str
    def __init__(self, key: _Optional[str] = ..., title: _Optional[str] = ..., unit: _Optional[str] = ..., value: _Optional[_Union[Value, _Mapping]] = ..., convention: _Optional[str] = ..., definition_version: _Optional[int] = ..., basis: _Optional[str] = ..., currency: _Optional[str] = ...) -> None: ...

class MetricGroup(_message.Message):
    __slots__ = ("dimensions", "metrics", "unfinished")
    class DimensionsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    DIMENSIONS_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    UNFINISHED_FIELD_NUMBER: _ClassVar[int]
    dimensions: _containers.ScalarMap[str, str]
    metrics: _containers.RepeatedCompositeFieldContainer[MetricValue]
    unfinished: bool
    def __init__(self, dimensions: _Optional[_Mapping[str, str]] = ..., metrics: _Optional[_Iterable[_Union[MetricValue, _Mapping]]] = ..., unfinished: _Optional[bool] = ...) -> None: ...

class SeriesPoint(_message.Message):
    __slots__ = ("time", "value", "unfinished")
    TIME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    UNFINISHED_FIELD_NUMBER: _ClassVar[int]
    time: int
    value: Value
    unfinished: bool
    def __init__(self, time: _Optional[int] = ..., value: _Optional[_Union[Value, _Mapping]] = ..., unfinished: _Optional[bool] = ...) -> None: ...

class Series(_message.Message):
    __slots__ = ("key", "title", "unit", "dimensions", "points")
    class DimensionsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    KEY_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    DIMENSIONS_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    key: str
    title: str
    unit: str
    dimensions: _containers.ScalarMap[str, str]
    points: _containers.RepeatedCompositeFieldContainer[SeriesPoint]
    def __init__(self, key: _Optional[str] = ..., title: _Optional[str] = ..., unit: _Optional[str] = ..., dimensions: _Optional[_Mapping[str, str]] = ..., points: _Optional[_Iterable[_Union[SeriesPoint, _Mapping]]] = ...) -> None: ...

class Column(_message.Message):
    __slots__ = ("name", "unit", "dimension")
    NAME_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    DIMENSION_FIELD_NUMBER: _ClassVar[int]
    name: str
    unit: str
    dimension: bool
    def __init__(self, name: _Optional[str] = ..., unit: _Optional[str] = ..., dimension: _Optional[bool] = ...) -> None: ...

class TableRow(_message.Message):
    __slots__ = ("values",)
    VALUES_FIELD_NUMBER: _ClassVar[int]
    values: _containers.RepeatedCompositeFieldContainer[Value]
    def __init__(self, values: _Optional[_Iterable[_Union[Value, _Mapping]]] = ...) -> None: ...

class Table(_message.Message):
    __slots__ = ("columns", "rows")
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    columns: _containers.RepeatedCompositeFieldContainer[Column]
    rows: _containers.RepeatedCompositeFieldContainer[TableRow]
    def __init__(self, columns: _Optional[_Iterable[_Union[Column, _Mapping]]] = ..., rows: _Optional[_Iterable[_Union[TableRow, _Mapping]]] = ...) -> None: ...
