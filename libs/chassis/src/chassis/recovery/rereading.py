"""Reads topics from the beginning, and rewinds a group to read them again."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence

import structlog
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from chassis.consuming import Reader, raw_record
from chassis.delivery import RawRecord
from chassis.settings import KafkaSettings
from chassis.tasks import end

log = structlog.get_logger(__name__)

BATCH = 500


class GroupStillRuns(Exception):
    """A replica still consumes, so its group's offsets cannot be set."""


async def read_topics(settings: KafkaSettings, topics: Sequence[str]) -> AsyncIterator[list[RawRecord]]:
    """All records of some topics, from the beginning to their current ends, in batches.

    Raises:
        KafkaError: the broker is unavailable.
    """
    if not topics:
        return  # a pure read model publishes nothing; it only reads its inputs again
    consumer = Reader(**settings.client_options(), group_id=None, auto_offset_reset="earliest")
    await consumer.start()
    try:
        partitions = await _partitions(consumer, topics)
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        ends = await consumer.end_offsets(partitions)
        while True:
            positions = {partition: await consumer.position(partition) for partition in partitions}
            if all(positions[partition] >= ends[partition] for partition in partitions):
                return
            found = await consumer.getmany(timeout_ms=500, max_records=BATCH)
            yield [raw_record(record) for records in found.values() for record in records]
    finally:
        await end(consumer.stop)


async def rewind(settings: KafkaSettings, group: str, topics: Sequence[str]) -> None:
    """Set a group's committed offsets to the beginning of some topics.

    A static member that has stopped stays a member until its session ends, so this waits for that.

    Raises:
        GroupStillRuns: a replica of the service was not stopped.
        KafkaError: the broker is unavailable.
    """
    await _until_empty(settings, group)
    consumer = Reader(**settings.client_options(), group_id=group, enable_auto_commit=False)
    await consumer.start()
    try:
        partitions = await _partitions(consumer, topics)
        consumer.assign(partitions)
        beginnings: Mapping[TopicPartition, int] = await consumer.beginning_offsets(partitions)
        await consumer.commit(dict(beginnings))
    finally:
        await end(consumer.stop)


async def _until_empty(settings: KafkaSettings, group: str) -> None:
    admin = AIOKafkaAdminClient(**settings.client_options())
    await admin.start()
    try:
        for _ in range(2 * settings.session_timeout_ms // 1000 + 5):
            # (error code, group id, state, protocol type, protocol, members …)
            state = (await admin.describe_consumer_groups([group]))[0].groups[0][2]
            if state in {"Empty", "Dead", ""}:
                return
            log.info("waiting_for_members_to_leave", group=group, state=state)
            await asyncio.sleep(1)
    finally:
        await admin.close()
    raise GroupStillRuns(f"stop every replica of {group} first, then rebuild again")


async def _partitions(consumer: Reader, topics: Sequence[str]) -> list[TopicPartition]:
    partitions = []
    for topic in topics:
        # A consumer without a subscription fetches a topic's metadata only on request.
        await consumer._client.add_topic(topic)
        partitions += [TopicPartition(topic, number) for number in sorted(consumer.partitions_for_topic(topic) or ())]
    return partitions
