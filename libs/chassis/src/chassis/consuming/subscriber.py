"""FastStream's subscriber as configured here: undecoded batches, manual acknowledgement, static membership."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from aiokafka import ConsumerRebalanceListener, ConsumerRecord
from faststream import AckPolicy
from faststream.kafka import KafkaBroker  # noqa: TID251 - its consumers are replaced by ours, below
from faststream.kafka.message import FAKE_CONSUMER, KafkaAckableMessage

from chassis.consuming.reader import Positions, Reader
from chassis.delivery import RawRecord


class Broker(KafkaBroker):
    """The library's broker, building our consumers."""

    on_poll: Callable[[Positions], None]

    async def _connect(self) -> Callable[..., Any]:
        await super()._connect()
        config = self.config.broker_config
        assert isinstance(config.builder, partial)  # noqa: S101 - else the library has changed how it builds them
        config.builder = partial(Reader, **config.builder.keywords, on_poll=self.on_poll)
        return config.builder


@dataclass(frozen=True, slots=True)
class Membership:
    """A process's membership in its consumer group."""

    topics: Sequence[str]
    group: str
    instance: str
    connection: Mapping[str, Any]
    """Options for FastStream's broker."""
    session_timeout_ms: int
    max_records: int
    """Records in one batch."""
    wait_ms: int
    """How long to wait for a batch to fill."""

    def subscriber(
        self,
        on_batch: Callable[[list[RawRecord]], Awaitable[None]],
        listener: ConsumerRebalanceListener,
        drain_seconds: float,
        on_poll: Callable[[Positions], None],
    ) -> tuple[Broker, Any]:
        """A broker and its only subscriber, not started; each can start only once. `on_poll` goes to the reader."""
        # Type casting is off: the library would inspect and copy each record of a batch.
        broker = Broker(**self.connection, graceful_timeout=drain_seconds, logger=None, apply_types=False)
        broker.on_poll = on_poll
        subscriber = broker.subscriber(
            *self.topics,
            batch=True,
            group_id=self.group,
            # A static member that was killed gets its partitions back as soon as it has restarted.
            group_instance_id=f"{self.group}-{self.instance}",
            auto_offset_reset="earliest",
            ack_policy=AckPolicy.MANUAL,
            parser=parse_batch,
            decoder=decode_batch,
            listener=listener,
            max_records=self.max_records,
            batch_timeout_ms=self.wait_ms,
            session_timeout_ms=self.session_timeout_ms,
            heartbeat_interval_ms=max(500, self.session_timeout_ms // 6),
            max_poll_interval_ms=300_000,
        )
        subscriber(on_batch)
        return broker, subscriber


async def parse_batch(records: tuple[ConsumerRecord, ...]) -> KafkaAckableMessage:
    """FastStream's message around a batch, whatever its headers and values. Never raises."""
    first = records[0]
    return KafkaAckableMessage(
        body=b"",
        headers={},
        message_id=f"{first.topic}/{first.partition}/{first.offset}",
        raw_message=records,
        consumer=FAKE_CONSUMER,
    )


async def decode_batch(message: Any) -> list[RawRecord]:
    """The records of a batch, undecoded."""
    return [raw_record(record) for record in message.raw_message]


def raw_record(record: ConsumerRecord) -> RawRecord:
    """Convert a record of the client library."""
    return RawRecord(
        record.topic,
        record.partition,
        record.offset,
        record.key,
        tuple(record.headers),
        record.value,
        record.timestamp,
    )
