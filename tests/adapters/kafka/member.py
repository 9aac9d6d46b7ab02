"""A process that is a member of the group `shared` until it is killed: member.py BOOTSTRAP PREFIX TOPIC…"""

from __future__ import annotations

import asyncio
import sys

from adapters.kafka.log import KafkaEventLog
from adapters.kafka.settings import KafkaSettings


async def main(bootstrap: str, prefix: str, *topics: str) -> None:
    """Join and stay."""
    log = KafkaEventLog(KafkaSettings(bootstrap_servers=bootstrap, topic_prefix=prefix, session_timeout=6.0))
    await log.join("shared", topics)
    print("joined", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
