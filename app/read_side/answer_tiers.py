"""Where answers are found that this process has not computed itself, and what they were computed by."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import domain
import projections
from app.settings import Settings

if TYPE_CHECKING:
    from adapters.nats.bus import NatsBus
    from read_api.answers.cache_tiers import Tiers

SHARED_WORTH, SHARED_PATIENCE = 0.005, 0.05  # seconds: the bucket answers within one ms
FILES_WORTH, FILES_PATIENCE = 0.2, 1.0


def answer_tiers(settings: Settings, bus: NatsBus) -> Tiers:
    """The bucket of the live bus for what costs some ms, files of the data folder for what costs much more."""
    from adapters.files.answer_files import AnswerFiles
    from adapters.nats.answer_bucket import AnswerBucket
    from read_api.answers.cache_tiers import GuardedTier, Tiers

    return Tiers(
        GuardedTier("shared", AnswerBucket(bus), SHARED_WORTH, SHARED_PATIENCE),
        GuardedTier("files", AnswerFiles(settings.data / "answers"), FILES_WORTH, FILES_PATIENCE),
    )


@cache
def code_version() -> str:
    """Changes with any line of what answers are computed by: an answer of other code is none of this one."""
    digest = hashlib.sha256()
    for package in (domain, projections):
        for file in sorted(Path(str(package.__file__)).parent.rglob("*.py")):
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
