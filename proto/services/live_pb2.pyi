from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class LiveRequest(_message.Message):
    __slots__ = ("token", "subscribe", "unsubscribe")
    class Token(_message.Message):
        __slots__ = ("token",)
        TOKEN_FIELD_NUMBER: _ClassVar[int]
        token: str
        def __init__(self, token: _Optional[str] = ...) -> None: ...
    class Subscribe(_message.Message):
        __slots__ = ("id", "company", "dashboard", "query", "metric", "watch", "params", "resume", "max_rate", "live")
        class ParamsEntry(_message.Message):
            __slots__ = ("key", "value")
            KEY_FIELD_NUMBER: _ClassVar[int]
            VALUE_FIELD_NUMBER: _ClassVar[int]
            key: str
            value: str
            def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
        ID_FIELD_NUMBER: _ClassVar[int]
        COMPANY_FIELD_NUMBER: _ClassVar[int]
        DASHBOARD_FIELD_NUMBER: _ClassVar[int]
        QUERY_FIELD_NUMBER: _ClassVar[int]
        METRIC_FIELD_NUMBER: _ClassVar[int]
        WATCH_FIELD_NUMBER: _ClassVar[int]
        PARAMS_FIELD_NUMBER: _ClassVar[int]
        RESUME_FIELD_NUMBER: _ClassVar[int]
        MAX_RATE_FIELD_NUMBER: _ClassVar[int]
        LIVE_FIELD_NUMBER: _ClassVar[int]
        id: str
        company: str
        dashboard: str
        query: str
        metric: str
        watch: str
        params: _containers.ScalarMap[str, str]
        resume: str
        max_rate: float
        live: str
        def __init__(self, id: _Optional[str] = ..., company: _Optional[str] = ..., dashboard: _Optional[str] = ..., query: _Optional[str] = ..., metric: _Optional[str] = ..., watch: _Optional[str] = ..., params: _Optional[_Mapping[str, str]] = ..., resume: _Optional[str] = ..., max_rate: _Optional[float] = ..., live: _Optional[str] = ...) -> None: ...
    class Unsubscribe(_message.Message):
        __slots__ = ("id",)
        ID_FIELD_NUMBER: _ClassVar[int]
        id: str
        def __init__(self, id: _Optional[str] = ...) -> None: ...
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIBE_FIELD_NUMBER: _ClassVar[int]
    UNSUBSCRIBE_FIELD_NUMBER: _ClassVar[int]
    token: LiveRequest.Token
    subscribe: LiveRequest.Subscribe
    unsubscribe: LiveRequest.Unsubscribe
    def __init__(self, token: _Optional[_Union[LiveRequest.Token, _Mapping]] = ..., subscribe: _Optional[_Union[LiveRequest.Subscribe, _Mapping]] = ..., unsubscribe: _Optional[_Union[LiveRequest.Unsubscribe, _Mapping]] = ...) -> None: ...

class LiveFrame(_message.Message):
    __slots__ = ("id", "token", "resume", "snapshot", "delta", "welcome", "error", "ended")
    class Welcome(_message.Message):
        __slots__ = ("sub", "companies", "roles", "tier", "correlation_id")
        SUB_FIELD_NUMBER: _ClassVar[int]
        COMPANIES_FIELD_NUMBER: _ClassVar[int]
        ROLES_FIELD_NUMBER: _ClassVar[int]
        TIER_FIELD_NUMBER: _ClassVar[int]
        CORRELATION_ID_FIELD_NUMBER: _ClassVar[int]
        sub: str
        companies: _containers.RepeatedScalarFieldContainer[str]
        roles: _containers.RepeatedScalarFieldContainer[str]
        tier: str
        correlation_id: str
        def __init__(self, sub: _Optional[str] = ..., companies: _Optional[_Iterable[str]] = ..., roles: _Optional[_Iterable[str]] = ..., tier: _Optional[str] = ..., correlation_id: _Optional[str] = ...) -> None: ...
    ID_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    RESUME_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    DELTA_FIELD_NUMBER: _ClassVar[int]
    WELCOME_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    ENDED_FIELD_NUMBER: _ClassVar[int]
    id: str
    token: str
    resume: str
    snapshot: LiveObject
    delta: LiveDelta
    welcome: LiveFrame.Welcome
    error: LiveObject
    ended: LiveObject
    def __init__(self, id: _Optional[str] = ..., token: _Optional[str] = ..., resume: _Optional[str] = ..., snapshot: _Optional[_Union[LiveObject, _Mapping]] = ..., delta: _Optional[_Union[LiveDelta, _Mapping]] = ..., welcome: _Optional[_Union[LiveFrame.Welcome, _Mapping]] = ..., error: _Optional[_Union[LiveObject, _Mapping]] = ..., ended: _Optional[_Union[LiveObject, _Mapping]] = ...) -> None: ...

class LiveValue(_message.Message):
    __slots__ = ("flag", "integer", "number", "text", "list", "object", "digits")
    FLAG_FIELD_NUMBER: _ClassVar[int]
    INTEGER_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    LIST_FIELD_NUMBER: _ClassVar[int]
    OBJECT_FIELD_NUMBER: _ClassVar[int]
    DIGITS_FIELD_NUMBER: _ClassVar[int]
    flag: bool
    integer: int
    number: float
    text: str
    list: LiveList
    object: LiveObject
    digits: str
    def __init__(self, flag: _Optional[bool] = ..., integer: _Optional[int] = ..., number: _Optional[float] = ..., text: _Optional[str] = ..., list: _Optional[_Union[LiveList, _Mapping]] = ..., object: _Optional[_Union[LiveObject, _Mapping]] = ..., digits: _Optional[str] = ...) -> None: ...

class LiveList(_message.Message):
    __slots__ = ("values",)
    VALUES_FIELD_NUMBER: _ClassVar[int]
    values: _containers.RepeatedCompositeFieldContainer[LiveValue]
    def __init__(self, values: _Optional[_Iterable[_Union[LiveValue, _Mapping]]] = ...) -> None: ...

class LiveObject(_message.Message):
    __slots__ = ("members",)
    class MembersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: LiveValue
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[LiveValue, _Mapping]] = ...) -> None: ...
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    members: _containers.MessageMap[str, LiveValue]
    def __init__(self, members: _Optional[_Mapping[str, LiveValue]] = ...) -> None: ...

class LiveDelta(_message.Message):
    __slots__ = ("set", "unset", "lists")
    class Rows(_message.Message):
        __slots__ = ("key", "removed", "changed", "added")
        class Changed(_message.Message):
            __slots__ = ("key", "delta")
            KEY_FIELD_NUMBER: _ClassVar[int]
            DELTA_FIELD_NUMBER: _ClassVar[int]
            key: LiveList
            delta: LiveDelta
            def __init__(self, key: _Optional[_Union[LiveList, _Mapping]] = ..., delta: _Optional[_Union[LiveDelta, _Mapping]] = ...) -> None: ...
        class Added(_message.Message):
            __slots__ = ("place", "row")
            PLACE_FIELD_NUMBER: _ClassVar[int]
            ROW_FIELD_NUMBER: _ClassVar[int]
            place: int
            row: LiveObject
            def __init__(self, place: _Optional[int] = ..., row: _Optional[_Union[LiveObject, _Mapping]] = ...) -> None: ...
        KEY_FIELD_NUMBER: _ClassVar[int]
        REMOVED_FIELD_NUMBER: _ClassVar[int]
        CHANGED_FIELD_NUMBER: _ClassVar[int]
        ADDED_FIELD_NUMBER: _ClassVar[int]
        key: _containers.RepeatedScalarFieldContainer[str]
        removed: _containers.RepeatedCompositeFieldContainer[LiveList]
        changed: _containers.RepeatedCompositeFieldContainer[LiveDelta.Rows.Changed]
        added: _containers.RepeatedCompositeFieldContainer[LiveDelta.Rows.Added]
        def __init__(self, key: _Optional[_Iterable[str]] = ..., removed: _Optional[_Iterable[_Union[LiveList, _Mapping]]] = ..., changed: _Optional[_Iterable[_Union[LiveDelta.Rows.Changed, _Mapping]]] = ..., added: _Optional[_Iterable[_Union[LiveDelta.Rows.Added, _Mapping]]] = ...) -> None: ...
    class ListsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: LiveDelta.Rows
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[LiveDelta.Rows, _Mapping]] = ...) -> None: ...
    SET_FIELD_NUMBER: _ClassVar[int]
    UNSET_FIELD_NUMBER: _ClassVar[int]
    LISTS_FIELD_NUMBER: _ClassVar[int]
    set: LiveObject
    unset: _containers.RepeatedScalarFieldContainer[str]
    lists: _containers.MessageMap[str, LiveDelta.Rows]
    def __init__(self, set: _Optional[_Union[LiveObject, _Mapping]] = ..., unset: _Optional[_Iterable[str]] = ..., lists: _Optional[_Mapping[str, LiveDelta.Rows]] = ...) -> None: ...
