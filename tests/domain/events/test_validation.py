"""The rules of the event catalogue, one event at a time."""

from __future__ import annotations

from typing import Any, cast

import pytest
from analytics.business_events_pb2 import SubscriptionEvent, SurveyResponse
from common.envelope_pb2 import AnalyticsProcessingEnvelope
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from hypothesis import given, settings
from hypothesis import strategies as st
from trading.trading_signals_pb2 import MarketBar, TradingResult

from domain.events.catalogue import BY_NAME, CATALOGUE, LATEST, MAX_FACTS, EventType, event_type
from domain.events.field_rules import ENVELOPE
from domain.events.problems import MEANINGS, Code
from domain.events.validation import _check, _checks, check_envelope, check_payload, judge
from tests.eventlog.publish.samples import trade
from tests.support.closed_trades import NOON
from tests.support.examples import examples

NUMBERS = (0.0, 1.5, 3, 11, 101, -1.5, 1e15, 1.1e15, -1e16, float("nan"), float("inf"), -0.0, 1e-9, 1e-13)
TEXTS = ("", "x", "1h", "a\0b", "é" * 2048, "é" * 2049)
TIMES = (0, 1, NOON, LATEST - 1, LATEST, -1, 2**63 - 1)


def good_fact(kind: EventType) -> Message:
    """The least that is good: required fields alone."""
    choices = {name: values[0] for name, values in kind.choices}
    fact = kind.message()
    for field in fields_of(kind):
        if field.name in kind.required:
            code = "USD" if field.name in kind.currencies else None
            setattr(fact, field.name, code or choices.get(field.name) or _least(field, field.name in kind.times))
    return fact


def _least(field: FieldDescriptor, time: bool) -> Any:
    if field.type == FieldDescriptor.TYPE_STRING:
        return "x"
    return NOON if time else 1


def fields_of(kind: EventType) -> list[FieldDescriptor]:
    """The fields of the type's message."""
    return cast("list[FieldDescriptor]", list(kind.message.DESCRIPTOR.fields))


@pytest.mark.parametrize("kind", CATALOGUE, ids=lambda kind: kind.name)
def test_required_fields_alone_are_good(kind: EventType) -> None:
    """A fact with its required fields, and nothing else, breaks no rule."""
    assert check_payload(kind, good_fact(kind)) is None


@pytest.mark.parametrize(
    ("kind", "name"), [(k, n) for k in CATALOGUE for n in k.required], ids=lambda v: v if isinstance(v, str) else v.name
)
def test_a_required_field_that_is_absent_is_named(kind: EventType, name: str) -> None:
    """The reason names the field that is missing."""
    fact = good_fact(kind)
    fact.ClearField(name)
    problem = check_payload(kind, fact)
    assert problem is not None
    assert (problem.code, problem.reason) == (Code.MISSING_FIELD, f"{name} is required")


def any_fact(kind: EventType) -> st.SearchStrategy[Message]:
    """Facts with any values in any fields, many of them just inside or outside of a rule."""

    def value_of(field: FieldDescriptor) -> st.SearchStrategy[Any]:
        if field.is_repeated:
            is_map = field.message_type is not None and field.message_type.GetOptions().map_entry
            texts = st.sampled_from(TEXTS)
            return st.dictionaries(texts, texts, max_size=2) if is_map else st.lists(texts, max_size=2)
        values: dict[int, tuple[Any, ...]] = {
            FieldDescriptor.TYPE_DOUBLE: NUMBERS,
            FieldDescriptor.TYPE_STRING: TEXTS,
            FieldDescriptor.TYPE_ENUM: (0, 1, 2, 99),
            FieldDescriptor.TYPE_INT64: TIMES,
            FieldDescriptor.TYPE_UINT32: (0, 7, 101, 1_201, 36_501),
            FieldDescriptor.TYPE_BOOL: (True, False),
            FieldDescriptor.TYPE_BYTES: (b"", b"\xff"),
        }
        return st.sampled_from(values[field.type])

    def build(changes: dict[str, Any]) -> Message:
        fact = good_fact(kind)
        for name, value in changes.items():
            fact.ClearField(name)
            if value is not None:
                fact.MergeFrom(kind.message(**{name: value}))
        return fact

    changes = st.fixed_dictionaries({}, optional={f.name: st.none() | value_of(f) for f in fields_of(kind)})
    return changes.map(build)


@pytest.mark.parametrize("kind", CATALOGUE, ids=lambda kind: kind.name)
@settings(max_examples=examples(30))
@given(data=st.data())
def test_the_quick_test_and_the_checks_agree(kind: EventType, data: st.DataObject) -> None:
    """What the quick test lets through breaks no rule, and what breaks none is let through in the end."""
    fact = data.draw(any_fact(kind))
    slowly = next((p for check in _checks(kind.name) if (p := check(fact)) is not None), None)
    assert check_payload(kind, fact) == slowly


any_envelope = st.fixed_dictionaries(
    {
        "company_id": st.sampled_from(("acme", "", "ä", "a\n", "x" * 65)),
        "message_type": st.sampled_from([kind.name for kind in CATALOGUE]),
        "timestamp": st.sampled_from(TIMES),
        "producer_seq": st.sampled_from((0, 1, 2**63 - 1, 2**63)),
        "schema_version": st.sampled_from((0, 1, 99)),
        **{name: st.sampled_from(TEXTS) for name in ("user_id", "event_id", "producer_id")},
    }
)


@settings(max_examples=examples(200))
@given(values=any_envelope)
def test_the_quick_test_of_envelopes_lets_nothing_through_that_breaks_a_rule(values: dict[str, Any]) -> None:
    """And what it holds up for nothing is let through by the rules one by one."""
    envelope = AnalyticsProcessingEnvelope(**values)
    kind = event_type(envelope.message_type)
    assert kind is not None
    broken = next((p for rule in ENVELOPE if (p := _check(rule)(envelope)) is not None), None)
    others = (kind.of_user and not envelope.user_id) or envelope.schema_version > kind.schema_version
    assert (check_envelope(envelope, kind) is None) == (broken is None and not others)


def test_a_batch_names_the_bad_fact() -> None:
    """The item's index is in the problem and in its reason."""
    kind = CATALOGUE[0]
    assert kind.batch is not None
    batch = kind.batch(items=[good_fact(kind), kind.message()])
    problem = check_payload(kind, batch)
    assert problem == (Code.MISSING_FIELD, "items[1].trade_id is required", 1)


def test_a_batch_holds_one_to_ten_thousand_facts() -> None:
    """An empty and an overfull batch are refused."""
    kind = next(k for k in CATALOGUE if k.name == "user_event")
    assert kind.batch is not None
    empty, full = kind.batch(), kind.batch()
    full.items.extend([good_fact(kind)] * MAX_FACTS)  # type: ignore[attr-defined]  # every batch has items
    assert check_payload(kind, full) is None
    full.items.append(good_fact(kind))  # type: ignore[attr-defined]  # every batch has items
    codes = [problem.code for batch in (empty, full) if (problem := check_payload(kind, batch)) is not None]
    assert codes == [Code.EMPTY_BATCH, Code.TOO_LARGE]


def test_an_event_in_a_topic_of_others_is_a_problem() -> None:
    """The stream is part of what the log's judge looks at."""
    value = trade().record.value
    assert judge(value) is None
    assert judge(value, "trading-events") is None
    problem = judge(value, "user-behavior")
    assert problem is not None
    assert problem.code == Code.WRONG_STREAM


@given(st.binary(max_size=300))
def test_judging_any_bytes_gives_an_answer(data: bytes) -> None:
    """No bytes make the judge fail."""
    problem = judge(data)
    assert problem is None or problem.code in MEANINGS


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_judging_a_flipped_event_gives_an_answer(place: int, flip: int) -> None:
    """A good event with any byte changed is judged, good or bad, without an error."""
    data = bytearray(trade().record.value)
    data[place % len(data)] ^= flip
    problem = judge(bytes(data))
    assert problem is None or problem.code in MEANINGS


def test_every_code_has_a_meaning() -> None:
    """The set of codes is closed and explained."""
    assert set(MEANINGS) == set(Code)


def survey(survey: SurveyResponse.Survey, score: float) -> Message:
    """An answer to a survey."""
    return SurveyResponse(survey=survey, score=score, respondent_id="r")


def bar(**prices: float) -> Message:
    """A bar whose prices are 10 but for these."""
    made = MarketBar(symbol="A", interval="1d", start=NOON)
    for name, price in (dict.fromkeys(PRICES, 10.0) | prices).items():
        setattr(made, name, price)
    return made


PRICES = ("open", "high", "low", "close")
SURVEYS = (SurveyResponse.NPS, 0, 10), (SurveyResponse.CSAT, 1, 5), (SurveyResponse.CES, 1, 7)


@pytest.mark.parametrize(("of", "least", "most"), SURVEYS)
def test_scores_are_whole_numbers_of_their_surveys_scale(of: SurveyResponse.Survey, least: int, most: int) -> None:
    """Each scale at both ends, just beyond them, and between two of its numbers; an answer without a score is none."""
    kind = BY_NAME["survey_response"]
    for score in (least, most):
        assert check_payload(kind, survey(of, score)) is None
    for wrong in (least - 1, most + 1, least + 0.5):
        problem = check_payload(kind, survey(of, wrong))
        assert problem is not None
        assert problem.code == Code.OUT_OF_RANGE
    problem = check_payload(kind, survey(SurveyResponse.NPS, 8.5))
    assert problem is not None
    assert problem.reason == "score 8.5 of nps must be a whole number from 0 to 10"


@pytest.mark.parametrize(
    ("name", "fact", "reason"),
    [
        ("market_bar", bar(low=11), "low 11.0 is above high 10.0"),
        ("market_bar", bar(open=9), "low 10.0 is above open 9.0"),
        ("market_bar", bar(close=11), "close 11.0 is above high 10.0"),
        ("market_bar", bar(open=10.5), "open 10.5 is above high 10.0"),
        ("market_bar", bar(low=9.5, close=9), "low 9.5 is above close 9.0"),
        (
            "trading_result",
            {"opened_at": NOON + 1, "closed_at": NOON},
            f"opened_at {NOON + 1} is after closed_at {NOON}",
        ),
    ],
)
def test_facts_that_contradict_themselves_are_refused(name: str, fact: Any, reason: str) -> None:
    """Prices of a bar outside of its low and high, and a trade that was closed before it was opened."""
    kind = BY_NAME[name]
    if isinstance(fact, dict):
        built = good_fact(kind)
        built.MergeFrom(kind.message(**fact))
        fact = built
    assert check_payload(kind, fact) == (Code.CONTRADICTION, reason, None)


def test_what_is_not_known_contradicts_nothing() -> None:
    """A trade whose opening is not known, and one that was opened when it was closed."""
    kind = BY_NAME["trading_result"]
    for opened_at in (0, NOON):
        fact = good_fact(kind)
        fact.MergeFrom(TradingResult(opened_at=opened_at, closed_at=NOON))
        assert check_payload(kind, fact) is None


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        (
            {"interval": "YEAR", "interval_count": 7975},
            "interval_count 7975 of year must be a whole number from 0 to 100",
        ),
        ({"interval_count": 1201}, "interval_count 1201 of interval_unspecified must be a whole number from 0 to 1200"),
        ({"discount_pct": 100.5}, "discount_pct 100.5 must be from 0 to 100"),
    ],
)
def test_terms_of_a_subscription_are_bounded(terms: dict[str, Any], reason: str) -> None:
    """No billing interval is longer than a century, and no discount takes more than the price."""
    kind = BY_NAME["subscription"]
    fact = good_fact(kind)
    fact.MergeFrom(SubscriptionEvent(**terms))
    assert check_payload(kind, fact) == (Code.OUT_OF_RANGE, reason, None)


@pytest.mark.parametrize(
    ("numbers", "problem"),
    [
        ({"fees": 1e15}, None),
        ({"entry_price": -37.63, "exit_price": 10.01, "multiplier": 1000}, None),
        ({"multiplier": 0}, "out_of_range: multiplier 0 must be from 1e-12 to 1e+12"),
        ({"fees": 1e15 + 10}, "out_of_range: fees 1000000000000010.0 is larger than 1e+15"),
        ({"fees": 1e-12}, None),
        ({"fees": 1.0000004e-7}, None),
        ({"fees": 1.5e-12}, "too_fine: fees 1.5e-12 has more than 12 decimal places that matter"),
        ({"fees": -5e-324}, "too_fine: fees -5e-324 has more than 12 decimal places that matter"),
        ({"quantity": 1e9, "entry_price": 5e8, "exit_price": 5e8}, None),
        (
            {"quantity": 1e9, "entry_price": 5e8, "exit_price": 5.01e8},
            "out_of_range: (entry_price + exit_price) × quantity × multiplier is larger than 1e+18",
        ),
    ],
)
def test_decimals_are_bounded_and_not_too_fine(numbers: dict[str, float], problem: str | None) -> None:
    """Up to 10^15, their products up to 10^18, and on a grid of 10^-12 that may change them by a millionth at most."""
    kind = BY_NAME["trading_result"]
    fact = good_fact(kind)
    fact.MergeFrom(TradingResult(**numbers))  # type: ignore[arg-type]  # of doubles alone
    told = check_payload(kind, fact)
    assert (f"{told.code}: {told.reason}" if told else None) == problem


def test_what_is_measured_is_rounded_however_fine_it_is() -> None:
    """A reading of 3e-13 is no mistake of whoever sends it."""
    kind = BY_NAME["system_metric"]
    fact = good_fact(kind)
    fact.MergeFrom(kind.message(value=3e-13))
    assert check_payload(kind, fact) is None


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"pnl": 123456789012345.67, "pnl_text": "123456789012345.678901234567"}, None),
        ({"fees": 0.1, "fees_text": "0.1"}, None),
        ({"pnl_text": "1.5"}, "bad_decimal: pnl_text 1.5 has no pnl beside it"),
        ({"fees_text": "1.5"}, "bad_decimal: fees_text 1.5 is not what fees says, 0"),
        ({"pnl": 1.5, "pnl_text": "1.6"}, "bad_decimal: pnl_text 1.6 is not what pnl says, 1.5"),
        ({"pnl": 1.5, "pnl_text": "1,5"}, "bad_decimal: pnl_text '1,5' is no decimal such as 0.00000843"),
        (
            {"pnl": 1e15, "pnl_text": "1000000000000000.01"},
            "out_of_range: pnl_text 1000000000000000.01 is larger than 1e+15",
        ),
    ],
)
def test_a_decimal_text_says_what_the_double_beside_it_says(fields: dict[str, Any], problem: str | None) -> None:
    """With more digits, and never something else."""
    kind = BY_NAME["trading_result"]
    fact = good_fact(kind)
    fact.MergeFrom(TradingResult(**fields))
    told = check_payload(kind, fact)
    assert (f"{told.code}: {told.reason}" if told else None) == problem
