"""Packed records are the records that were packed, however they are cut, walked through and searched."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from domain.events.record_runs import RunRecords, pack

RECORDS = st.lists(st.binary(max_size=6), max_size=12)
RUNS = st.lists(RECORDS, max_size=4)


def together(runs: list[list[bytes]]) -> tuple[RunRecords, list[bytes]]:
    """Runs as packed records, and as a plain list."""
    return RunRecords(pack(run) for run in runs), [record for run in runs for record in run]


@given(RUNS, st.integers(-60, 60), st.integers(-60, 60), st.sampled_from([1, 2, -1]))
def test_it_behaves_as_the_list_that_it_stands_for(runs: list[list[bytes]], begin: int, end: int, step: int) -> None:
    """Length, walk, single records from either end, and parts."""
    found, plain = together(runs)
    assert len(found) == len(plain)
    assert list(found) == plain
    assert [found[i] for i in range(-len(plain), len(plain))] == plain + plain
    assert list(found[begin:end:step]) == plain[begin:end:step]
    assert list(RunRecords.of(plain)) == plain
    assert RunRecords.of(found) is found
    assert list(found + RunRecords.of(plain)) == plain + plain


@given(RECORDS, st.integers(-3, 20), st.integers(-3, 20))
def test_a_part_of_a_run_is_what_lies_between_two_numbers(records: list[bytes], begin: int, end: int) -> None:
    """As a slice would give it, where both numbers may lie outside."""
    assert list(RunRecords([pack(records).part(begin, end)])) == records[max(begin, 0) : max(begin, end, 0)]


@given(RUNS, st.binary(min_size=1, max_size=3))
def test_what_holds_some_bytes_is_found(runs: list[list[bytes]], needle: bytes) -> None:
    """By number and record; bytes that only two records beside each other would make are not."""
    found, plain = together(runs)
    assert found.holding(needle) == [(i, record) for i, record in enumerate(plain) if needle in record]


def test_bytes_across_two_records_hide_none_behind_them() -> None:
    """The search goes on within the record that such a find reaches into."""
    assert together([[b"xa", b"ab", b"aba"]])[0].holding(b"ab") == [(1, b"ab"), (2, b"aba")]
