"""The same events give the same read models: whatever batches, workers, restarts and log they came through."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path

import pytest

from domain.events.validation import RESERVED_STREAMS
from projections.engine.declare.registry import all_projections
from tests.e2e.exactness.stream import Event, Stream
from tests.e2e.exactness.wire import line
from tests.support.instance import Instance
from tests.support.kafka_broker import KafkaBroker

pytestmark = pytest.mark.check

EVENTS = 5_000
PARTS = 2  # files that the events come in; a restart may lie between them


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The events, some of them twice, in the same order for every instance."""
    lines = [text for event in Stream(11).events(EVENTS) for text in _repeated(event)]
    cut, folder = len(lines) // PARTS, tmp_path_factory.mktemp("events")
    paths = [folder / f"{part}.ndjson" for part in range(PARTS)]
    remaining = iter(lines)
    for path in paths:
        path.write_bytes(b"\n".join(islice(remaining, cut + 1)))
    return paths


def _repeated(event: Event) -> Iterator[bytes]:
    yield line(event)
    if event.id.endswith("77"):
        yield line(event)


def checksums(
    folder: Path, files: list[Path], settings: Mapping[str, str], *, restart: bool = False, late: bool = False
) -> dict[str, tuple[int, str]]:
    """Rows and checksum of every projection of what came from outside, of an instance that took these files.

    What the service itself publishes differs from one run to the next. `late`: the instance started only then.
    """
    instance = Instance(folder)
    try:
        if not late:
            instance.start(**settings)
        for path in files:
            assert instance.answer("ingest", str(path), "--json")["quarantined"] == 0
            if restart and path is not files[-1]:
                assert instance.stop()[0] == 0
                instance.start(**settings)
        if late:
            instance.start(**settings)
        instance.wait()
        names = [p.name for p in all_projections().values() if p.topics.isdisjoint(RESERVED_STREAMS)]
        found = {name: instance.answer("projections", "checksum", name, "--json") for name in names}
    finally:
        if instance.process is not None and instance.process.poll() is None:
            instance.stop()
        shutil.rmtree(folder, ignore_errors=True)
    return {name: (checksum["rows"], checksum["checksum"]) for name, checksum in found.items()}


@pytest.fixture(scope="module")
def plain(files: list[Path]) -> dict[str, tuple[int, str]]:
    """The checksums of one projector that takes whatever is there, never restarted."""
    return checksums(Path(tempfile.mkdtemp(prefix="analytics-")) / "data", files, {})


def batches(size: int, workers: int) -> dict[str, str]:
    """The settings of so many projectors that take so many events at once."""
    return {"ANALYTICS_BATCH": str(size), "ANALYTICS_PROJECTORS": str(workers)}


def test_every_projection_has_rows(plain: dict[str, tuple[int, str]]) -> None:
    """Otherwise equal checksums would say nothing."""
    assert set(plain) >= {"trading", "user_activity", "system_metrics", "market_bars", "subscriptions"}
    assert min(rows for rows, _ in plain.values()) > 10, plain
    assert len({checksum for _, checksum in plain.values()}) == len(plain)


def test_three_workers_with_small_batches_and_restarts(
    own_folder: Path, files: list[Path], plain: dict[str, tuple[int, str]]
) -> None:
    """Restarted in mid-way; the last batch of a run is a part of the next one's first elsewhere."""
    assert checksums(own_folder, files, batches(311, 3), restart=True) == plain


def test_a_projector_that_starts_when_everything_is_there(
    own_folder: Path, files: list[Path], plain: dict[str, tuple[int, str]]
) -> None:
    """All that was taken while no instance ran, read in batches of another size."""
    assert checksums(own_folder, files, batches(5_003, 1), late=True) == plain


@pytest.mark.kafka
def test_kafka_instead_of_the_embedded_log(
    own_folder: Path, files: list[Path], plain: dict[str, tuple[int, str]], mortal: KafkaBroker
) -> None:
    """Offsets and assignment differ, the read models do not."""
    kafka = {"ANALYTICS_KAFKA_BOOTSTRAP_SERVERS": mortal.bootstrap}
    assert checksums(own_folder, files, batches(1_009, 2) | kafka, restart=True) == plain
