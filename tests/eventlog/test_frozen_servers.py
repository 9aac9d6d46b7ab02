"""Servers that stand still while events are published: callers are answered in time, and it heals by itself."""

from __future__ import annotations

import asyncio

import pytest

from adapters.nats.bus import NatsBus
from adapters.postgres.connections.link import Link
from adapters.postgres.log.log import EmbeddedLog
from adapters.postgres.migrate import migrate
from adapters.servers.servers import Servers
from domain.errors import Unavailable
from domain.events.catalogue import STREAMS
from eventlog.publish.durable_lane import Limits
from eventlog.publish.publisher import Publisher
from tests.eventlog.publish.samples import logged, trade
from tests.support.frozen import frozen

LIMITS = Limits(deadline=1.0, live_deadline=0.3)
FOR_EVER = 30.0  # seconds after which a test takes a wait for one without an end


@pytest.mark.slow
async def test_publishing_while_a_server_stands_still(own_servers: Servers) -> None:
    """The bus: only the live lane is off. The log: Unavailable by the deadline, and everything goes in afterwards."""
    addresses = await own_servers.start()
    await asyncio.to_thread(migrate, addresses.database_url)
    log, bus = EmbeddedLog(addresses.database_url), await NatsBus.connect(addresses.nats_url)
    await log.create_topics(dict.fromkeys(STREAMS, 2))
    publisher = Publisher(log, bus, limits=LIMITS)
    link = Link(addresses.database_url)
    async with asyncio.timeout(4 * FOR_EVER), link.use() as connection:
        await connection.execute("select 1")
    async with asyncio.timeout(FOR_EVER):
        assert (await publisher.publish(trade("first"))).live
    with frozen(addresses.pids["nats"]):
        async with asyncio.timeout(FOR_EVER):
            receipt = await publisher.publish(trade("without-bus"))
        assert (receipt.durable, receipt.live) == (True, False)
    with frozen(addresses.pids["postgres"]):
        async with asyncio.timeout(FOR_EVER):
            asked = [publisher.publish(trade(f"t{n}")) for n in range(5)]
            answers = await asyncio.gather(*asked, return_exceptions=True)
            assert all(isinstance(answer, Unavailable) for answer in answers)
        async with asyncio.timeout(5):  # psycopg by itself would wait for ten seconds beyond the limit
            with pytest.raises(Unavailable):
                async with link.use(0.5) as connection:
                    await connection.execute("select 1")
    async with asyncio.timeout(FOR_EVER):
        assert (await publisher.publish(trade("last"))).durable
        await publisher.close()
    ids = [envelope.event_id for envelope in await logged(log)]
    assert list(dict.fromkeys(ids)) == [
        f"event-of-{n}" for n in ("first", "without-bus", "t0", "t1", "t2", "t3", "t4", "last")
    ]
    await link.close()
    await bus.close()
    await log.close()
