"""How records are packed into runs, and how a read is shared among partitions."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from adapters.postgres.log.reader import share
from adapters.postgres.log.runs import RUN_BYTES, RUN_RECORDS, Runs
from domain.events.record_runs import Run, RunRecords


def test_many_or_large_records_are_cut_into_several_runs() -> None:
    """No run holds more than it may, unless one record alone is larger; nothing is lost between them."""
    values = [b"s" * 10] * (RUN_RECORDS + 5) + [b"m" * (RUN_BYTES // 3)] * 7 + [b"l" * (RUN_BYTES * 2), b""]
    runs = Runs()
    assert runs.add(1, values) == 0
    assert runs.add(1, [b"next"]) == len(values)
    assert all(count <= RUN_RECORDS for count in runs.counts)
    assert all(len(data) <= RUN_BYTES or count == 1 for data, count in zip(runs.records, runs.counts, strict=True))
    assert runs.befores == [sum(runs.counts[:index]) for index in range(len(runs.counts))]
    assert list(RunRecords(map(Run, runs.sizes, runs.records))) == [*values, b"next"]


@given(st.dictionaries(st.integers(0, 9), st.integers(-1, 1_000)), st.integers(1, 2_000))
def test_a_read_is_shared_fully_and_evenly(available: dict[int, int], most: int) -> None:
    """As many records as allowed and there; a partition gets less than another only when it has no more."""
    taken = share(available, most)
    assert sum(taken.values()) == min(most, sum(max(count, 0) for count in available.values()))
    assert all(0 < count <= available[partition] for partition, count in taken.items())
    for partition, count in available.items():
        if taken.get(partition, 0) < count:
            assert taken.get(partition, 0) + 1 >= max(taken.values())
