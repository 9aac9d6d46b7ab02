"""What answers predict is written into the log, so that it can be scored when it is known what came."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cachetools import LRUCache

from domain.errors import Unavailable
from eventlog.publish.predictions import prediction_id, prediction_record
from projections.predictions import stated

if TYPE_CHECKING:
    from domain.ports import EventLog
    from projections.engine.query.request import Question

REMEMBERED = 50_000  # predictions that this process has written: they need not be written at every look

logger = logging.getLogger(__name__)


class PredictionLog:
    """Writes predictions, each once. Readers know events by their ids, so that twice does no harm."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._written: LRUCache[tuple[str, str], bool] = LRUCache(REMEMBERED)

    async def record(self, question: Question, answer: Mapping[str, Any]) -> None:
        """Write what this answer predicts of days to come. While the log is away it is answered and not scored."""
        company, now = question.company, int(question.asked_at.timestamp() * 1000)
        facts = {(company, prediction_id(f)): f for f in stated(answer["query"], answer["rows"]) if f.due_at > now}
        new = {key: fact for key, fact in facts.items() if not self._written.get(key)}
        if not new:
            return
        try:
            await self._log.append([prediction_record(company, fact, now) for fact in new.values()])
        except Unavailable as error:
            logger.warning("%d predictions could not be recorded: %s", len(new), error)
            return
        for key in new:
            self._written[key] = True
