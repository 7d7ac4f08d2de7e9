"""Cells in which a topic is deleted and recreated: while the toy is down, runs, or does not notice."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from aiokafka.admin import AIOKafkaAdminClient
from chaos.cells.ground import Cell, Ground
from chaos.cells.scene import Scene, scene
from chaos.judging.verdicts import Verdict
from chaos.toy.settling import group_of, settled

from chassis.testing import eventually
from launcher.topics import create_topics

LONG_SESSION_MS = 10_000
"""A killed toy is running again within this time."""
WRONG_TOPICS = 3
"""Exit status of a service whose topics are missing."""


async def topic_deleted_while_down(ground: Ground) -> Sequence[Verdict]:
    """The toy names the missing topic at start and exits; with the topic recreated, it works."""
    async with scene(ground) as on:
        await on.replica.start()
        await on.load.place(on.load.mixed(7))
        await settled(on.stage, on.oracle)
        await on.replica.child.stop()
        await _delete(on, on.stage.orders.name)
        on.replica.child.start()
        status = await asyncio.wait_for(on.replica.child.finished(), 60)
        said = on.replica.child.last_words()
        assert status == WRONG_TOPICS, f"status {status}: {said}"
        assert said.startswith(f"{on.stage.orders.name} is missing"), said
        await create_topics(on.stage.servers.kafka, [on.stage.orders])
        await on.replica.start()
        await on.load.place(on.load.mixed(7))
        return await settled(on.stage, on.oracle)


async def topic_deleted_under_way(ground: Ground, *, own: bool) -> Sequence[Verdict]:
    """A topic is deleted under a running toy: log and metric name it; once recreated, it is read and written again.

    The topic's records are lost with it, so only later input is judged, in a separate oracle.

    Args:
        own: delete the topic that the toy publishes on; else its input topic.
    """
    async with scene(ground) as on:
        await on.replica.start()
        await on.load.place([on.load.order() for _ in range(7)])
        await settled(on.stage, on.oracle)
        topic = on.stage.events if own else on.stage.orders
        await _delete(on, topic.name)
        await eventually(lambda: _wrong_topics(on, 1), within_seconds=90.0, every_seconds=0.5)
        assert any(f"{topic.name} is missing" in line for line in on.replica.said("topics_wrong"))
        await create_topics(on.stage.servers.kafka, [topic])
        await eventually(lambda: _wrong_topics(on, 0), within_seconds=90.0, every_seconds=0.5)
        later = [on.load.order(counters=(f"later{number}",), hops=1) for number in range(7)]
        await on.load.place(later)
        await on.until_taken(*later)
        return [Verdict(3, len(later))]


async def topic_made_again_unseen(ground: Ground) -> Sequence[Verdict]:
    """A topic is recreated between two checks, and the toy restarts within its session: the topic is read again.

    The group had noticed the deletion, and first gives the toy its last assignment: nothing of the topic.
    """
    async with scene(ground) as on:
        on.replica = on.stage.replica(settings={"KAFKA__SESSION_TIMEOUT_MS": str(LONG_SESSION_MS)})
        await on.replica.start()
        await on.load.place([on.load.order() for _ in range(7)])
        await settled(on.stage, on.oracle)
        topic = on.stage.orders
        await _delete(on, topic.name)
        await eventually(lambda: _has_no_reader(on, topic.name), within_seconds=30.0, every_seconds=0.2)
        await create_topics(on.stage.servers.kafka, [topic])
        await on.replica.child.kill()
        await on.replica.start()
        assert await _has_no_reader(on, topic.name), "the group gave it the topic by itself: nothing was tried"
        assert not on.replica.said("topics_wrong"), "its absence was seen"
        later = [on.load.order(counters=(f"later{number}",), hops=1) for number in range(7)]
        await on.load.place(later)
        await on.until_taken(*later, within_seconds=120.0)
        assert any(f"{topic.name}/0 is read by nobody" in line for line in on.replica.said("topics_wrong"))
        await eventually(lambda: _wrong_topics(on, 0), within_seconds=90.0, every_seconds=0.5)
        return [Verdict(3, len(later))]


async def _has_no_reader(on: Scene, topic: str) -> bool:
    """Whether partitions are assigned, but none of the topic's."""
    async with group_of(on.stage) as group:
        readers = await group.readers()
    return readers is not None and not any(each.topic == topic for each in readers)


async def _wrong_topics(on: Scene, count: int) -> bool:
    return await on.replica.metric("trade_topics_wrong") == count


async def _delete(on: Scene, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=on.stage.servers.kafka)
    await admin.start()
    try:
        await admin.delete_topics([topic])
    finally:
        await admin.close()


def _cell(name: str, run: Callable[[Ground], Awaitable[Sequence[Verdict]]]) -> Cell:
    return Cell("servers", name, run, own_servers=True, limit_seconds=480.0)


CELLS = [
    _cell("a topic is deleted while the service is down", topic_deleted_while_down),
    _cell("a topic is made again unseen", topic_made_again_unseen),
    _cell("the topic that is read is deleted under way", partial(topic_deleted_under_way, own=False)),
    _cell("the topic that is written is deleted under way", partial(topic_deleted_under_way, own=True)),
]
