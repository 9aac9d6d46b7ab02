"""Files that must last, on a disk that refuses, writes short or is cut off at each call in turn."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from itertools import count
from pathlib import Path

import pytest

from adapters.files import atomic
from adapters.files.audit_spill import SpillFiles
from adapters.files.key_pair import load_or_create
from domain.errors import Defect, Unavailable
from tests.support.bad_disk import KINDS, bad_disk

OLD, NEW = b"old " * 10, b"new " * 5_000


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("before", [OLD, None])
def test_a_file_is_the_old_one_or_the_new_one_whole_at_whatever_call_the_disk_fails(
    tmp_path: Path, kind: str, before: bytes | None
) -> None:
    """And writing it again works, with no rest of the first attempt in its place."""
    for at in count():
        path = tmp_path / kind / str(at) / "file"
        if before is not None:
            atomic.write(path, before)
        failed = True
        with bad_disk(at, kind) as disk:
            failed = _refused(partial(atomic.write, path, NEW))
        content = path.read_bytes() if path.exists() else None
        assert content in (before, NEW), (at, kind)
        assert failed or content == NEW
        atomic.write(path, NEW)
        assert path.read_bytes() == NEW
        assert path.stat().st_mode & 0o777 == 0o600
        if not disk.reached:
            break
    assert at > 5


@pytest.mark.parametrize("kind", KINDS)
def test_records_are_there_whole_or_not_at_whatever_call_the_disk_fails(tmp_path: Path, kind: str) -> None:
    """What was appended without an error stays, what failed is there whole or not at all, and the next one follows."""
    tried = [b"%d " % number * 3_000 for number in range(3)]
    for at in count():
        path = tmp_path / kind / str(at) / "lines"
        kept = list[bytes]()
        with bad_disk(at, kind) as disk:
            for record in tried:
                if not _refused(partial(atomic.append, path, record)):
                    kept.append(record)
        written = atomic.records(path)[0] if path.exists() else []
        assert [record for record in written if record in kept] == kept, (at, kind)
        assert len(written) <= len(kept) + 1  # what failed behind the write may be there all the same, and then whole
        assert set(written) <= set(tried)
        atomic.append(path, b"after")
        assert atomic.records(path) == ([*written, b"after"], b"")
        if not disk.reached:
            break
    assert at > 15


def _refused(work: Callable[[], None]) -> bool:
    try:
        work()
    except Unavailable:
        return True
    return False


@pytest.mark.parametrize("torn", [b"x", b"half a li", b"x" * 200_000, b"\0" * 5_000, b"begin\0\0\0end\n", b"\0\n"])
@pytest.mark.parametrize("before", [[], [b"one"], [b"one", b"two" * 50_000]])
def test_a_torn_tail_is_no_record_and_is_cut_before_the_next_one(
    tmp_path: Path, torn: bytes, before: list[bytes]
) -> None:
    """As a crash leaves it: a line without its end, or pages that never came to the disk."""
    path = tmp_path / "lines"
    for record in before:
        atomic.append(path, record)
    with path.open("ab") as file:
        file.write(torn)
    assert atomic.records(path) == (before, torn)
    atomic.append(path, b"next")
    assert atomic.records(path) == ([*before, b"next"], b"")


@pytest.mark.parametrize("record", [b"two\nlines", b"\0"])
def test_a_record_that_would_not_be_one_is_refused(tmp_path: Path, record: bytes) -> None:
    with pytest.raises(Defect):
        atomic.append(tmp_path / "lines", record)
    assert not (tmp_path / "lines").exists()


@pytest.mark.parametrize("kind", KINDS)
def test_keys_and_spilled_audit_events_are_whole_at_whatever_call_the_disk_fails(tmp_path: Path, kind: str) -> None:
    """A key that was once given out stays the key; events that were kept once are kept."""
    values = [b"", b"event", b"x" * 10_000]
    for at in count():
        folder = tmp_path / kind / str(at)
        spill, kept, key = SpillFiles(folder / "trail"), 0, None
        with bad_disk(at, kind) as disk:
            with suppress(Unavailable):
                key = load_or_create(folder / "keys" / "key.pem").private_bytes_raw()
            with suppress(Unavailable):
                spill.save(values)
                kept = 1
        again = load_or_create(folder / "keys" / "key.pem").private_bytes_raw()
        assert key in (None, again)
        assert [events for _, events in spill.batches()] in ([[values]] if kept else [[], [values]])
        if not disk.reached:
            break
    assert at > 10


def test_a_damaged_spill_gives_its_whole_events(tmp_path: Path) -> None:
    """Nobody's process is kept from starting by it."""
    spill = SpillFiles(tmp_path)
    spill.save([b"one", b"two"])
    [path] = tmp_path.glob("*.audit")
    for cut in range(1, 7):
        path.write_bytes(path.read_bytes()[:-1])
        assert [events for _, events in spill.batches()] == [[b"one"]], cut


LIMITED = """
import json, resource, signal, sys
from pathlib import Path
from adapters.files import atomic
from domain.errors import Unavailable
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
folder, told = Path(sys.argv[1]), []
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, resource.RLIM_INFINITY))
for work in atomic.append, atomic.write:
    try:
        work(folder / ("lines" if work is atomic.append else "file"), b"b" * 20_000)
        told.append("done")
    except Unavailable as error:
        told.append(error.code)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
atomic.append(folder / "lines", b"c" * 4_000)
print(json.dumps(told))
"""


def test_a_file_that_the_kernel_lets_grow_no_further_keeps_what_it_held(tmp_path: Path) -> None:
    """The kernel itself writes short at its limit: half a record lies there, and then the call fails."""
    atomic.append(tmp_path / "lines", b"a" * 8_000)
    atomic.write(tmp_path / "file", OLD)
    limited = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path)], capture_output=True, text=True, check=True, env=os.environ
    )
    assert json.loads(limited.stdout) == ["disk_unavailable", "disk_unavailable"]
    assert atomic.records(tmp_path / "lines") == ([b"a" * 8_000, b"c" * 4_000], b"")
    assert (tmp_path / "file").read_bytes() == OLD
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "lines"]
