"""Migrations are one line: each follows the one whose number is before its own."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

NAMES = re.compile(r'^(?:down_)?revision(?:: [^=]+)? = (?:"(\w+)"|None)$', re.MULTILINE)


def test_each_migration_follows_the_one_before() -> None:
    """Two that were written side by side are noticed here, before any database is made."""
    files = sorted(Path("migrations/versions").glob("[0-9]*.py"))
    stated = [NAMES.findall(path.read_text()) for path in files]
    assert [path.stem for path in files] == [own for own, _ in stated]
    assert [int(path.stem[:4]) for path in files] == list(range(1, len(files) + 1))
    assert [after[1] for _, after in pairwise(stated)] == [before[0] for before, _ in pairwise(stated)]
