from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SubscriptionTier(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SUBSCRIPTION_TIER_UNSPECIFIED: _ClassVar[SubscriptionTier]
    FREE: _ClassVar[SubscriptionTier]
    BASIC: _ClassVar[SubscriptionTier]
    PRO: _ClassVar[SubscriptionTier]
    ENTERPRISE: _ClassVar[SubscriptionTier]
SUBSCRIPTION_TIER_UNSPECIFIED: SubscriptionTier
FREE: SubscriptionTier
BASIC: SubscriptionTier
PRO: SubscriptionTier
ENTERPRISE: SubscriptionTier

class UserContext(_message.Message):
    __slots__ = ("user_id", "company_id", "role", "tier", "time_zone", "locale")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    COMPANY_ID_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    TIER_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    LOCALE_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    company_id: str
    role: str
    tier: SubscriptionTier
    time_zone: str
    locale: str
    def __init__(self, user_id: _Optional[str] = ..., company_id: _Optional[str] = ..., role: _Optional[str] = ..., tier: _Optional[_Union[SubscriptionTier, str]] = ..., time_zone: _Optional[str] = ..., locale: _Optional[str] = ...) -> None: ...
