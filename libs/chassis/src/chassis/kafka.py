"""Connections to Kafka, and the checks that a service makes of it.

What the topics table promises is compared with the broker once, at start: a topic that is missing
or narrower than installed stops the service then, not at midnight.
"""

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError
from faststream.security import BaseSecurity, SASLPlaintext, SASLScram256, SASLScram512

from chassis.settings import KafkaSettings
from contracts.topics import MAX_MESSAGE_BYTES, PARTITIONS, REPLICATION, Profile, Topic

_SASL = {"PLAIN": SASLPlaintext, "SCRAM-SHA-256": SASLScram256, "SCRAM-SHA-512": SASLScram512}


class TopicMismatch(Exception):
    """The broker's topics are not what the topics table says."""


def make_producer(settings: KafkaSettings) -> AIOKafkaProducer:
    """A producer that repeats nothing and loses nothing: idempotent, acknowledged by all replicas."""
    return AIOKafkaProducer(
        **settings.client_options(),
        acks="all",
        enable_idempotence=True,
        compression_type=settings.compression,
        linger_ms=settings.linger_ms,
        max_batch_size=128 * 1024,
        max_request_size=MAX_MESSAGE_BYTES,
        request_timeout_ms=10_000,
    )


def faststream_options(settings: KafkaSettings) -> dict[str, Any]:
    """The same connection as FastStream's broker wants it."""
    options = settings.client_options()
    security: BaseSecurity | None = None
    protocol = options.get("security_protocol", "PLAINTEXT")
    context = options.get("ssl_context")
    if protocol.startswith("SASL"):
        mechanism = _SASL[options["sasl_mechanism"]]
        security = mechanism(
            username=options["sasl_plain_username"],
            password=options["sasl_plain_password"],
            use_ssl=protocol == "SASL_SSL",
            ssl_context=context,
        )
    elif protocol == "SSL":
        security = BaseSecurity(ssl_context=context, use_ssl=True)
    return {
        "bootstrap_servers": options["bootstrap_servers"],
        "security": security,
        "allow_auto_create_topics": False,
        "request_timeout_ms": 10_000,
    }


class GroupProgress:
    """How far a consumer group is, over all the partitions of its topics."""

    def __init__(self, settings: KafkaSettings, group: str, topics: Sequence[str]) -> None:
        self._settings = settings
        self._group = group
        self._topics = list(topics)
        self._observer: AIOKafkaConsumer | None = None
        self._admin: AIOKafkaAdminClient | None = None

    async def ends(self) -> dict[TopicPartition, int]:
        """The end offset of every partition, now.

        Raises:
            KafkaError: the broker is away.
        """
        observer = await self._connected_observer()
        partitions = [
            TopicPartition(topic, number)
            for topic in self._topics
            for number in sorted(observer.partitions_for_topic(topic) or ())
        ]
        return dict(await observer.end_offsets(partitions)) if partitions else {}

    async def committed(self) -> dict[TopicPartition, int]:
        """The group's committed offsets; a partition without a commit is left out.

        Raises:
            KafkaError: the broker is away.
        """
        if self._admin is None:
            admin = AIOKafkaAdminClient(**self._settings.client_options(), request_timeout_ms=10_000)
            await admin.start()
            self._admin = admin
        try:
            offsets = await self._admin.list_consumer_group_offsets(self._group)
        except KafkaError:
            await self._drop()
            raise
        return {partition: entry.offset for partition, entry in offsets.items() if entry.offset >= 0}

    async def reached(self, ends: Mapping[TopicPartition, int]) -> bool:
        """Whether everything up to `ends` is resolved; no commit counts as the beginning."""
        committed = await self.committed()
        return all(committed.get(partition, 0) >= end for partition, end in ends.items())

    async def stop(self) -> None:
        await self._drop()

    async def _connected_observer(self) -> AIOKafkaConsumer:
        if self._observer is None:
            observer = AIOKafkaConsumer(*self._topics, **self._settings.client_options(), group_id=None)
            await observer.start()
            self._observer = observer
        return self._observer

    async def _drop(self) -> None:
        for client in (self._observer, self._admin):
            if client is not None:
                with contextlib.suppress(KafkaError, OSError):
                    await (client.close() if isinstance(client, AIOKafkaAdminClient) else client.stop())
        self._observer = self._admin = None


async def check_topics(settings: KafkaSettings, profile: Profile, topics: Sequence[Topic]) -> None:
    """Compare the topics that a service relies on with the topics table.

    Raises:
        TopicMismatch: with every difference, one a line.
        KafkaError: the broker is away.
    """
    admin = AIOKafkaAdminClient(**settings.client_options(), request_timeout_ms=10_000)
    try:
        await admin.start()
        described = {each["topic"]: each for each in await admin.describe_topics([topic.name for topic in topics])}
        present = [topic for topic in topics if described.get(topic.name, {}).get("error_code", 3) == 0]
        resources = [ConfigResource(ConfigResourceType.TOPIC, topic.name) for topic in present]
        answers = await admin.describe_configs(resources) if resources else []
    finally:
        await admin.close()
    configs = {
        resource[3]: {entry[0]: entry[1] for entry in resource[4]}
        for answer in answers
        for resource in answer.resources
    }
    differences = [f"{topic.name} is missing; create the topics first" for topic in topics if topic not in present]
    for topic in present:
        partitions = described[topic.name]["partitions"]
        replicas = min(len(partition["replicas"]) for partition in partitions)
        shape = [("partitions", len(partitions), PARTITIONS[profile]), ("replicas", replicas, REPLICATION[profile])]
        config = configs[topic.name]
        promised = [(name, config[name], wanted) for name, wanted in topic.settings(profile).items()]
        differences += [
            f"{topic.name}: {what} is {found}, the topics table says {wanted}"
            for what, found, wanted in (*shape, *promised)
            if found != wanted
        ]
    if differences:
        raise TopicMismatch("\n".join(differences))
