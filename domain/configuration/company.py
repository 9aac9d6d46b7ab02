"""Company: what a tenant says about itself. It begins with its first command, out of defaults, and never ends.

A company is not archived here: its events stay in the log, and who may come in is decided by whoever signs tokens.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import Annotated, Literal, TypeVar, assert_never, get_args

import msgspec
from msgspec import Meta

from domain.access.rights import Feature, Tier
from domain.configuration import forms
from domain.configuration.kinds import Aggregate, Command, Event, Issued, Value, refuse
from domain.configuration.lifecycle import settings_changed, with_settings
from domain.events.catalogue import STREAMS

V = TypeVar("V", bound=Value)
LARGEST_LOGO = 128 * 1024  # bytes of the picture
_PICTURES = {"data:image/png;base64,": b"\x89PNG\r\n\x1a\n", "data:image/jpeg;base64,": b"\xff\xd8\xff"}
_COLOUR = rf"^#[0-9a-f]{{6}}{forms.END}"


class Profile(Value, frozen=True):
    """Who the company is."""

    name: Annotated[str, Meta(max_length=120, description="Name that people see; empty: its company_id.")] = ""
    legal_name: Annotated[str, Meta(max_length=200, description="Name in contracts.")] = ""
    contact_email: Annotated[forms.Email | None, Meta(description="Whom to write to.")] = None
    website: Annotated[forms.HttpsUrl | None, Meta(description="Where it is on the web.")] = None


class Branding(Value, frozen=True):
    """How its pages and reports look. The logo is the picture itself, so that no report has to fetch anything."""

    primary_color: Annotated[str, Meta(pattern=_COLOUR, description="#rrggbb, lower case.")] = "#1f4e79"
    accent_color: Annotated[str, Meta(pattern=_COLOUR, description="#rrggbb, lower case.")] = "#c55a11"
    logo: Annotated[
        str, Meta(max_length=LARGEST_LOGO * 4 // 3 + 64, description="`data:` of a PNG or JPEG of at most 128 KiB.")
    ] = ""
    report_footer: Annotated[str, Meta(max_length=200, description="Line at the foot of each page of a report.")] = ""


class Calendar(Value, frozen=True):
    """How its days are cut and counted."""

    time_zone: forms.TimeZone = "UTC"
    week_starts_on: Annotated[forms.Weekday, Meta(description="First day of the week.")] = "monday"
    fiscal_year_starts: Annotated[int, Meta(ge=1, le=12, description="First month of its year.")] = 1
    trading_days: Annotated[
        Literal["weekdays", "all"], Meta(description="Days of daily series: weekdays (252 a year) or all (365).")
    ] = "weekdays"


class Retention(Value, frozen=True):
    """Days that events of a stream are kept for this company; a stream that is not named is kept for ever."""

    days: Annotated[
        dict[str, Annotated[int, Meta(ge=30, le=36_500)]],
        Meta(max_length=len(STREAMS), description="Stream to days, at least 30."),
    ] = msgspec.field(default_factory=dict)


class Company(Value, frozen=True):
    """State of a company. While no tier was stored (None), that of each token counts.

    `currency_set`: whether it has said its currency; else its totals are in that of its amounts, where it is one.
    """

    profile: Profile = Profile()
    tier: Tier | None = None
    branding: Branding = Branding()
    calendar: Calendar = Calendar()
    currency: str = "USD"
    currency_set: bool = False
    benchmark_consent: bool = False
    retention: Retention = Retention()


class ChangeProfile(Profile, Command, frozen=True):
    """Say who the company is, as a whole."""

    verb = "change_profile"


class ChangeTier(Command, frozen=True):
    """Say what the company has subscribed to."""

    verb = "change_tier"
    of_platform = True
    tier: Annotated[Tier, Meta(description="FREE, BASIC, PRO or ENTERPRISE.")]


class ChangeBranding(Branding, Command, frozen=True):
    """Say how pages and reports look, as a whole."""

    verb = "change_branding"
    feature = Feature.BRANDING


class ChangeCalendar(Calendar, Command, frozen=True):
    """Say how days are cut and counted, as a whole."""

    verb = "change_calendar"


class ChangeCurrency(Command, frozen=True):
    """Say in which currency the company's totals are."""

    verb = "change_currency"
    currency: Annotated[str, Meta(pattern=rf"^[A-Z]{{3}}{forms.END}", description="ISO 4217 code.")]


class ChangeConsent(Command, frozen=True):
    """Allow or forbid that the company's figures count, without its name, in benchmarks of many companies."""

    verb = "change_consent"
    benchmark_consent: Annotated[bool, Meta(description="Whether they may.")]


class ChangeRetention(Retention, Command, frozen=True):
    """Say how long events are kept, as a whole."""

    verb = "change_retention"


class ProfileChanged(Event, frozen=True):
    """It says something else about itself."""

    topic = "company.profile_changed"
    profile: Profile


class TierChanged(Event, frozen=True):
    """It has subscribed to something else."""

    topic = "company.tier_changed"
    tier: Tier


class BrandingChanged(Event, frozen=True):
    """It looks different."""

    topic = "company.branding_changed"
    branding: Branding


class CalendarChanged(Event, frozen=True):
    """Its days are cut or counted differently."""

    topic = "company.calendar_changed"
    calendar: Calendar


class CurrencyChanged(Event, frozen=True):
    """Its totals are in another currency."""

    topic = "company.currency_changed"
    currency: str


class ConsentChanged(Event, frozen=True):
    """It allowed benchmarks, or forbade them."""

    topic = "company.consent_changed"
    benchmark_consent: bool


class RetentionChanged(Event, frozen=True):
    """Its events are kept for another time."""

    topic = "company.retention_changed"
    retention: Retention


CompanyCommand = (
    ChangeProfile | ChangeTier | ChangeBranding | ChangeCalendar | ChangeCurrency | ChangeConsent | ChangeRetention
)
CompanyEvent = (
    ProfileChanged
    | TierChanged
    | BrandingChanged
    | CalendarChanged
    | CurrencyChanged
    | ConsentChanged
    | RetentionChanged
)


def decide(state: Company | None, command: CompanyCommand, issued: Issued) -> tuple[CompanyEvent, ...]:
    """The event of a command, none where it says what is so already. Raises Invalid naming the field."""
    refuse(problems(command))
    before = state or Company()
    if isinstance(command, ChangeCurrency) and not before.currency_set:
        return (CurrencyChanged(command.currency),)
    return tuple(settings_changed(before, with_settings(before, _settings_of(command)), get_args(CompanyEvent)))


def evolve(state: Company | None, event: CompanyEvent) -> Company:
    """The state after an event."""
    after = with_settings(state or Company(), event)
    return msgspec.structs.replace(after, currency_set=True) if isinstance(event, CurrencyChanged) else after


def _settings_of(command: CompanyCommand) -> CompanyEvent:
    """What a command would make so: the commands that set a part as a whole have the part's own fields."""
    match command:
        case ChangeProfile():
            return ProfileChanged(_part(command, Profile))
        case ChangeTier(tier):
            return TierChanged(tier)
        case ChangeBranding():
            return BrandingChanged(_part(command, Branding))
        case ChangeCalendar():
            return CalendarChanged(_part(command, Calendar))
        case ChangeCurrency(currency):
            return CurrencyChanged(currency)
        case ChangeConsent(consent):
            return ConsentChanged(consent)
        case ChangeRetention():
            return RetentionChanged(_part(command, Retention))
        case _:
            assert_never(command)


def _part(command: V, kind: type[V]) -> V:
    return kind(**{name: getattr(command, name) for name in kind.__struct_fields__})


def problems(command: CompanyCommand) -> Iterator[str]:
    """What is wrong with a command beyond the form of its fields."""
    if isinstance(command, ChangeCalendar):
        yield from forms.zone_problem("time_zone", command.time_zone)
    elif isinstance(command, ChangeRetention):
        yield from (f"days.{name}: there is no such stream" for name in command.days if name not in STREAMS)
    elif isinstance(command, ChangeBranding) and command.logo:
        yield from _logo_problem(command.logo)


def _logo_problem(logo: str) -> Iterator[str]:
    head = next((head for head in _PICTURES if logo.startswith(head)), None)
    if head is None:
        yield f"logo: does not begin with {' or '.join(_PICTURES)}"
        return
    try:
        picture = base64.b64decode(logo[len(head) :], validate=True)
    except binascii.Error:
        yield "logo: is no base64"
        return
    if not picture.startswith(_PICTURES[head]):
        yield "logo: is no picture of the type that it names"
    if len(picture) > LARGEST_LOGO:
        yield f"logo: has {len(picture)} bytes, at most {LARGEST_LOGO} are taken"


COMPANY = Aggregate(
    "company",
    "What a tenant says about itself: profile, branding, calendar, currency, retention",
    get_args(CompanyCommand),
    get_args(CompanyEvent),
    decide,
    evolve,
    one_a_company=True,
)
