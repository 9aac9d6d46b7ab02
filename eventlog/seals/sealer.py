"""The sealer: follows the log, seals its blocks into the chains, signs a checkpoint whenever something was sealed.

Sealing and signing go on side by side: a disk that takes no checkpoint holds up no seal, and what fails is told in the
log and where health looks, and tried again.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from domain.errors import Fenced, Unavailable
from domain.ports import EventLog
from domain.position import Position, TopicPartition
from eventlog import tasks
from eventlog.read import within
from eventlog.seals.chain import GENESIS, Seal, Seals, seal
from eventlog.seals.checkpoints import Checkpoint, Checkpoints, Head, Sign, signed
from eventlog.search.blocks import Block, follow_blocks

PAUSE = 1.0  # seconds before it begins anew after something failed
PATIENCE = 20.0  # seconds that the database and the disk have for one call
SOUND = PATIENCE + 5.0  # seconds after which following is no failure any more, also where nothing is to be sealed
DRAIN = 2.0  # seconds that the last checkpoint may take when the process ends

logger = logging.getLogger(__name__)


class Signer:
    """Goes on with the run of checkpoints. Blocking, one call at a time.

    A checkpoint counts once the disk has it: after a failure the files are asked which one is the newest.
    """

    def __init__(self, checkpoints: Checkpoints, key_id: str, sign: Sign) -> None:
        self._checkpoints, self._key_id, self._sign = checkpoints, key_id, sign
        self._newest: Checkpoint | None = None
        self._loaded = False

    def checkpoint(self, heads: Mapping[TopicPartition, Head]) -> None:
        """Sign the ends of all chains, unless the newest checkpoint has them. Raises Unavailable."""
        if not self._loaded:
            self._newest, self._loaded = self._checkpoints.last(), True
        if self._newest is not None and dict(self._newest.heads) == heads:
            return
        new = signed(self._newest, time.time_ns() // 1_000_000, self._key_id, heads, self._sign)
        self._loaded = False
        self._checkpoints.append(new)
        self._newest, self._loaded = new, True


class Sealer:
    """One sealer of a log; a second one on the same database finds its links taken and waits.

    A block that is not full is sealed when it is `age` seconds old, and so long at most a checkpoint is waited for.
    """

    def __init__(
        self, log: EventLog, seals: Seals, checkpoints: Checkpoints, key_id: str, sign: Sign, age: float
    ) -> None:
        self._log, self._seals, self._age = log, seals, age
        self._signer = Signer(checkpoints, key_id, sign)
        self._thread = ThreadPoolExecutor(1, "sign")
        self._signing: asyncio.Future[None] | None = None
        self._last: dict[TopicPartition, Seal] = {}
        self._following_since = 0.0
        self._problems: dict[str, str] = {}

    async def run(self, topics: Sequence[str], stop: asyncio.Event) -> None:
        """Work until `stop`, then sign what was sealed. Whatever fails until then is told and tried again."""
        signing = tasks.owned(self._again("signing", stop, self._sign_on), "signing")
        try:
            await self._again("sealing", stop, lambda: self._follow(topics, stop))
        finally:
            await tasks.end(signing)
        try:
            if self._signing is not None:
                await self._sign(DRAIN)  # the one under way, which may not have the last seals
            await self._sign(DRAIN)
        except Exception as error:
            self._hear("signing", error)
        self._thread.shutdown(wait=False)

    async def _again(self, part: str, stop: asyncio.Event, work: Callable[[], Awaitable[None]]) -> None:
        while not stop.is_set():
            try:
                await work()
            except Exception as error:
                self._hear(part, error)
                await self._report()
                await waited(stop, PAUSE)

    async def _follow(self, topics: Sequence[str], stop: asyncio.Event) -> None:
        async with within(PATIENCE, "the database does not tell the newest seals"):
            self._last = await self._seals.last()
        self._following_since = time.monotonic()
        position = Position({place: last.header.next_offset for place, last in self._last.items()})
        await follow_blocks(self._log, topics, position, self._take, stop, max_age=self._age)

    async def _take(self, block: Block) -> None:
        place = (block.topic, block.partition)
        previous = self._last[place].chain if place in self._last else GENESIS
        bounds = block.first_offset, block.next_offset
        new = await asyncio.to_thread(seal, place, bounds, block.offsets, block.values, previous)
        async with within(PATIENCE, "the database does not keep a seal"):
            await self._seals.add(new)
        self._last[place] = new
        self._hear("sealing", None)

    async def _sign_on(self) -> None:
        while True:
            await asyncio.sleep(self._age)
            await self._sign(PATIENCE)
            self._hear("signing", None)
            if time.monotonic() - self._following_since > SOUND:
                self._hear("sealing", None)
            await self._report()

    async def _sign(self, patience: float) -> None:
        """Sign a checkpoint, or wait on for the one under way: a second one would be written beside it."""
        heads = {place: Head(last.header.next_offset, last.chain) for place, last in self._last.items()}
        if not heads:
            return
        if self._signing is None:
            self._signing = asyncio.get_running_loop().run_in_executor(self._thread, self._signer.checkpoint, heads)
        done, _ = await asyncio.wait({self._signing}, timeout=patience)
        if not done:
            raise Unavailable(f"the disk has not taken a checkpoint within {patience:.0f} s")
        signing, self._signing = self._signing, None
        signing.result()

    def _hear(self, part: str, error: Exception | None) -> None:
        """Log a failure when it begins, changes or is over."""
        problem = f"{part}: {error}" if error else ""
        if problem == self._problems.get(part, ""):
            return
        self._problems[part] = problem
        if error is None:
            logger.info("%s goes on", part)
        elif isinstance(error, (Unavailable, Fenced)):
            logger.warning("the sealer waits, %s", problem)
        else:
            logger.error("the sealer failed and tries again, %s", problem, exc_info=error)

    async def _report(self) -> None:
        """Say where health looks that this one is there, and what it waits for."""
        problem = "; ".join(filter(None, self._problems.values()))
        try:
            async with within(PATIENCE, "the database does not answer"):
                await self._seals.report(problem, self._age)
        except Exception as error:
            logger.debug("nobody hears of the sealer: %s", error)  # health misses it then, and says so


async def waited(stop: asyncio.Event, seconds: float) -> bool:
    """Wait so long; True at once when `stop` is set."""
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return False
    return True
