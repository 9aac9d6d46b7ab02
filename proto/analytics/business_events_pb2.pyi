from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SubscriptionEvent(_message.Message):
    __slots__ = ("event", "customer_id", "subscription_id", "plan", "tier", "interval", "interval_count", "unit_amount", "quantity", "discount_pct", "discount_lasting", "currency", "effective_at", "recorded_at", "sequence", "change_id", "revision", "unit_amount_text", "quantity_text", "discount_pct_text")
    class Event(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        EVENT_UNSPECIFIED: _ClassVar[SubscriptionEvent.Event]
        TRIAL_STARTED: _ClassVar[SubscriptionEvent.Event]
        STARTED: _ClassVar[SubscriptionEvent.Event]
        TRIAL_CONVERTED: _ClassVar[SubscriptionEvent.Event]
        CHANGED: _ClassVar[SubscriptionEvent.Event]
        UPGRADED: _ClassVar[SubscriptionEvent.Event]
        DOWNGRADED: _ClassVar[SubscriptionEvent.Event]
        QUANTITY_CHANGED: _ClassVar[SubscriptionEvent.Event]
        CANCEL_SCHEDULED: _ClassVar[SubscriptionEvent.Event]
        CANCELED: _ClassVar[SubscriptionEvent.Event]
        PAUSED: _ClassVar[SubscriptionEvent.Event]
        RESUMED: _ClassVar[SubscriptionEvent.Event]
        REACTIVATED: _ClassVar[SubscriptionEvent.Event]
    EVENT_UNSPECIFIED: SubscriptionEvent.Event
    TRIAL_STARTED: SubscriptionEvent.Event
    STARTED: SubscriptionEvent.Event
    TRIAL_CONVERTED: SubscriptionEvent.Event
    CHANGED: SubscriptionEvent.Event
    UPGRADED: SubscriptionEvent.Event
    DOWNGRADED: SubscriptionEvent.Event
    QUANTITY_CHANGED: SubscriptionEvent.Event
    CANCEL_SCHEDULED: SubscriptionEvent.Event
    CANCELED: SubscriptionEvent.Event
    PAUSED: SubscriptionEvent.Event
    RESUMED: SubscriptionEvent.Event
    REACTIVATED: SubscriptionEvent.Event
    class Interval(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        INTERVAL_UNSPECIFIED: _ClassVar[SubscriptionEvent.Interval]
        DAY: _ClassVar[SubscriptionEvent.Interval]
        WEEK: _ClassVar[SubscriptionEvent.Interval]
        MONTH: _ClassVar[SubscriptionEvent.Interval]
        QUARTER: _ClassVar[SubscriptionEvent.Interval]
        YEAR: _ClassVar[SubscriptionEvent.Interval]
    INTERVAL_UNSPECIFIED: SubscriptionEvent.Interval
    DAY: SubscriptionEvent.Interval
    WEEK: SubscriptionEvent.Interval
    MONTH: SubscriptionEvent.Interval
    QUARTER: SubscriptionEvent.Interval
    YEAR: SubscriptionEvent.Interval
    EVENT_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIPTION_ID_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    TIER_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_COUNT_FIELD_NUMBER: _ClassVar[int]
    UNIT_AMOUNT_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    DISCOUNT_PCT_FIELD_NUMBER: _ClassVar[int]
    DISCOUNT_LASTING_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_AT_FIELD_NUMBER: _ClassVar[int]
    RECORDED_AT_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    CHANGE_ID_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    UNIT_AMOUNT_TEXT_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_TEXT_FIELD_NUMBER: _ClassVar[int]
    DISCOUNT_PCT_TEXT_FIELD_NUMBER: _ClassVar[int]
    event: SubscriptionEvent.Event
    customer_id: str
    subscription_id: str
    plan: str
    tier: str
    interval: SubscriptionEvent.Interval
    interval_count: int
    unit_amount: float
    quantity: float
    discount_pct: float
    discount_lasting: bool
    currency: str
    effective_at: int
    recorded_at: int
    sequence: int
    change_id: str
    revision: int
    unit_amount_text: str
    quantity_text: str
    discount_pct_text: str
    def __init__(self, event: _Optional[_Union[SubscriptionEvent.Event, str]] = ..., customer_id: _Optional[str] = ..., subscription_id: _Optional[str] = ..., plan: _Optional[str] = ..., tier: _Optional[str] = ..., interval: _Optional[_Union[SubscriptionEvent.Interval, str]] = ..., interval_count: _Optional[int] = ..., unit_amount: _Optional[float] = ..., quantity: _Optional[float] = ..., discount_pct: _Optional[float] = ..., discount_lasting: _Optional[bool] = ..., currency: _Optional[str] = ..., effective_at: _Optional[int] = ..., recorded_at: _Optional[int] = ..., sequence: _Optional[int] = ..., change_id: _Optional[str] = ..., revision: _Optional[int] = ..., unit_amount_text: _Optional[str] = ..., quantity_text: _Optional[str] = ..., discount_pct_text: _Optional[str] = ...) -> None: ...

class SubscriptionEventBatch(_message.Message):
    __slots__ = ("items",)
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[SubscriptionEvent]
    def __init__(self, items: _Optional[_Iterable[_Union[SubscriptionEvent, _Mapping]]] = ...) -> None: ...

class SubscriptionChangeCancelled(_message.Message):
    __slots__ = ("customer_id", "change_id", "revision", "reason")
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    CHANGE_ID_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    customer_id: str
    change_id: str
    revision: int
    reason: str
    def __init__(self, customer_id: _Optional[str] = ..., change_id: _Optional[str] = ..., revision: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class SubscriptionChangeCancelledBatch(_message.Message):
    __slots__ = ("items",)
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[SubscriptionChangeCancelled]
    def __init__(self, items: _Optional[_Iterable[_Union[SubscriptionChangeCancelled, _Mapping]]] = ...) -> None: ...

class PaymentEvent(_message.Message):
    __slots__ = ("customer_id", "invoice_id", "kind", "amount", "fee", "currency", "amount_text", "fee_text", "payment_id", "revision")
    class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        KIND_UNSPECIFIED: _ClassVar[PaymentEvent.Kind]
        SUCCEEDED: _ClassVar[PaymentEvent.Kind]
        FAILED: _ClassVar[PaymentEvent.Kind]
        REFUNDED: _ClassVar[PaymentEvent.Kind]
        RECOVERED: _ClassVar[PaymentEvent.Kind]
    KIND_UNSPECIFIED: PaymentEvent.Kind
    SUCCEEDED: PaymentEvent.Kind
    FAILED: PaymentEvent.Kind
    REFUNDED: PaymentEvent.Kind
    RECOVERED: PaymentEvent.Kind
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    INVOICE_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    FEE_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_TEXT_FIELD_NUMBER: _ClassVar[int]
    FEE_TEXT_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_ID_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    customer_id: str
    invoice_id: str
    kind: PaymentEvent.Kind
    amount: float
    fee: float
    currency: str
    amount_text: str
    fee_text: str
    payment_id: str
    revision: int
    def __init__(self, customer_id: _Optional[str] = ..., invoice_id: _Optional[str] = ..., kind: _Optional[_Union[PaymentEvent.Kind, str]] = ..., amount: _Optional[float] = ..., fee: _Optional[float] = ..., currency: _Optional[str] = ..., amount_text: _Optional[str] = ..., fee_text: _Optional[str] = ..., payment_id: _Optional[str] = ..., revision: _Optional[int] = ...) -> None: ...

class PaymentCancelled(_message.Message):
    __slots__ = ("payment_id", "revision", "reason", "customer_id")
    PAYMENT_ID_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    payment_id: str
    revision: int
    reason: str
    customer_id: str
    def __init__(self, payment_id: _Optional[str] = ..., revision: _Optional[int] = ..., reason: _Optional[str] = ..., customer_id: _Optional[str] = ...) -> None: ...

class PaymentCancelledBatch(_message.Message):
    __slots__ = ("items",)
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[PaymentCancelled]
    def __init__(self, items: _Optional[_Iterable[_Union[PaymentCancelled, _Mapping]]] = ...) -> None: ...

class PaymentEventBatch(_message.Message):
    __slots__ = ("items",)
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[PaymentEvent]
    def __init__(self, items: _Optional[_Iterable[_Union[PaymentEvent, _Mapping]]] = ...) -> None: ...

class AcquisitionCost(_message.Message):
    __slots__ = ("channel", "campaign", "cost", "currency", "cost_text", "cost_id", "revision")
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    CAMPAIGN_FIELD_NUMBER: _ClassVar[int]
    COST_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    COST_TEXT_FIELD_NUMBER: _ClassVar[int]
    COST_ID_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    channel: str
    campaign: str
    cost: float
    currency: str
    cost_text: str
    cost_id: str
    revision: int
    def __init__(self, channel: _Optional[str] = ..., campaign: _Optional[str] = ..., cost: _Optional[float] = ..., currency: _Optional[str] = ..., cost_text: _Optional[str] = ..., cost_id: _Optional[str] = ..., revision: _Optional[int] = ...) -> None: ...

class CostCancelled(_message.Message):
    __slots__ = ("cost_id", "revision", "reason")
    COST_ID_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    cost_id: str
    revision: int
    reason: str
    def __init__(self, cost_id: _Optional[str] = ..., revision: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class CostCancelledBatch(_message.Message):
    __slots__ = ("items",)
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[CostCancelled]
    def __init__(self, items: _Optional[_Iterable[_Union[CostCancelled, _Mapping]]] = ...) -> None: ...

class AcquisitionCostBatch(_message.Message):
    __slots__ = ("items",)
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[AcquisitionCost]
    def __init__(self, items: _Optional[_Iterable[_Union[AcquisitionCost, _Mapping]]] = ...) -> None: ...

class SurveyResponse(_message.Message):
    __slots__ = ("survey", "score", "respondent_id", "response_id", "revision")
    class Survey(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        SURVEY_UNSPECIFIED: _ClassVar[SurveyResponse.Survey]
        NPS: _ClassVar[SurveyResponse.Survey]
        CSAT: _ClassVar[SurveyResponse.Survey]
        CES: _ClassVar[SurveyResponse.Survey]
    SURVEY_UNSPECIFIED: SurveyResponse.Survey
    NPS: SurveyResponse.Survey
    CSAT: SurveyResponse.Survey
    CES: SurveyResponse.Survey
    SURVEY_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    RESPONDENT_ID_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_ID_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    survey: SurveyResponse.Survey
    score: float
    respondent_id: str
    response_id: str
    revision: int
    def __init__(self, survey: _Optional[_Union[SurveyResponse.Survey, str]] = ..., score: _Optional[float] = ..., respondent_id: _Optional[str] = ..., response_id: _Optional[str] = ..., revision: _Optional[int] = ...) -> None: ...

class ResponseCancelled(_message.Message):
    __slots__ = ("response_id", "revision", "reason")
    RESPONSE_ID_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    response_id: str
    revision: int
    reason: str
    def __init__(self, response_id: _Optional[str] = ..., revision: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class ResponseCancelledBatch(_message.Message):
    __slots__ = ("items",)
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[ResponseCancelled]
    def __init__(self, items: _Optional[_Iterable[_Union[ResponseCancelled, _Mapping]]] = ...) -> None: ...

class SurveyResponseBatch(_message.Message):
    __slots__ = ("items",)
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[SurveyResponse]
    def __init__(self, items: _Optional[_Iterable[_Union[SurveyResponse, _Mapping]]] = ...) -> None: ...

class SupportTicketEvent(_message.Message):
    __slots__ = ("ticket_id", "event", "step_id", "revision")
    class Event(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        EVENT_UNSPECIFIED: _ClassVar[SupportTicketEvent.Event]
        OPENED: _ClassVar[SupportTicketEvent.Event]
        FIRST_RESPONSE: _ClassVar[SupportTicketEvent.Event]
        RESOLVED: _ClassVar[SupportTicketEvent.Event]
        REOPENED: _ClassVar[SupportTicketEvent.Event]
    EVENT_UNSPECIFIED: SupportTicketEvent.Event
    OPENED: SupportTicketEvent.Event
    FIRST_RESPONSE: SupportTicketEvent.Event
    RESOLVED: SupportTicketEvent.Event
    REOPENED: SupportTicketEvent.Event
    TICKET_ID_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    STEP_ID_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    ticket_id: str
    event: SupportTicketEvent.Event
    step_id: str
    revision: int
    def __init__(self, ticket_id: _Optional[str] = ..., event: _Optional[_Union[SupportTicketEvent.Event, str]] = ..., step_id: _Optional[str] = ..., revision: _Optional[int] = ...) -> None: ...

class TicketStepCancelled(_message.Message):
    __slots__ = ("step_id", "revision", "reason")
    STEP_ID_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    step_id: str
    revision: int
    reason: str
    def __init__(self, step_id: _Optional[str] = ..., revision: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class TicketStepCancelledBatch(_message.Message):
    __slots__ = ("items",)
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[TicketStepCancelled]
    def __init__(self, items: _Optional[_Iterable[_Union[TicketStepCancelled, _Mapping]]] = ...) -> None: ...

class SupportTicketEventBatch(_message.Message):
    __slots__ = ("items",)
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[SupportTicketEvent]
    def __init__(self, items: _Optional[_Iterable[_Union[SupportTicketEvent, _Mapping]]] = ...) -> None: ...

class ExchangeRate(_message.Message):
    __slots__ = ("base", "quote", "rate", "at", "source")
    BASE_FIELD_NUMBER: _ClassVar[int]
    QUOTE_FIELD_NUMBER: _ClassVar[int]
    RATE_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    base: str
    quote: str
    rate: float
    at: int
    source: str
    def __init__(self, base: _Optional[str] = ..., quote: _Optional[str] = ..., rate: _Optional[float] = ..., at: _Optional[int] = ..., source: _Optional[str] = ...) -> None: ...

class ExchangeRateBatch(_message.Message):
    __slots__ = ("items",)
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[ExchangeRate]
    def __init__(self, items: _Optional[_Iterable[_Union[ExchangeRate, _Mapping]]] = ...) -> None: ...
