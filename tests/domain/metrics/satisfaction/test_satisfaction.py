"""Surveys and support, worked out by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.metrics.satisfaction import support
from domain.metrics.satisfaction.support import Ticket
from domain.metrics.satisfaction.surveys import ces, csat, nps
from domain.metrics.value import Reason, has_value


def test_nps_with_its_interval() -> None:
    """50 promoters, 20 passives, 30 detractors: 20 points, give or take 17.1."""
    found = nps({10: 40, 9: 10, 8: 15, 7: 5, 6: 20, 0: 10})
    assert found.value == pytest.approx(20)
    assert found.low == pytest.approx(20 - 17.08, abs=0.01)  # 1.96 × √((0.8 − 0.04) / 100)
    assert found.high == pytest.approx(20 + 17.08, abs=0.01)


@given(st.dictionaries(st.integers(0, 10), st.integers(0, 50)))
def test_nps_lies_in_its_interval(scores: dict[float, int]) -> None:
    """And neither leaves −100 to 100."""
    value, low, high = nps(scores)
    if not has_value(value):
        assert not sum(scores.values())
        return
    assert -100 <= value <= 100
    if has_value(low) and has_value(high):
        assert -100 <= low <= value + 1e-9
        assert value - 1e-9 <= high <= 100


def test_csat_and_ces() -> None:
    """The top two boxes of five; the mean of seven."""
    assert csat({5: 3, 4: 3, 3: 1, 1: 1}) == 0.75
    assert ces({7: 1, 4: 2, 1: 1}) == 4


def test_support() -> None:
    """Medians of what has happened; reopened tickets were not resolved at first contact."""
    hour, minute = 3_600_000, 60_000
    tickets = [
        Ticket(hour, hour + 5 * minute, 3 * hour),
        Ticket(hour, hour + 15 * minute, 9 * hour, 1),
        Ticket(hour, hour + 40 * minute),
        Ticket(hour),
        Ticket(hour, hour - minute, hour - minute),  # told of the time before it was opened
    ]
    assert support.first_response_minutes(tickets) == 15
    assert support.resolution_hours(tickets) == 5
    assert support.first_contact_resolution_rate(tickets) == 0.5
    assert support.tickets_per_100_users(4, 80) == 5


def test_reasons() -> None:
    """Without answers and tickets."""
    assert nps({}).value is Reason.NO_DATA
    assert nps({9: 1}) == (100, Reason.TOO_FEW, Reason.TOO_FEW)
    assert (csat({}), ces({})) == (Reason.NO_DATA, Reason.NO_DATA)
    assert support.first_response_minutes([]) is Reason.NO_DATA
    assert support.resolution_hours([Ticket(5)]) is Reason.NO_DATA
    assert support.first_contact_resolution_rate([Ticket(5)]) is Reason.NO_DATA
    assert support.tickets_per_100_users(1, 0) is Reason.NO_DATA
