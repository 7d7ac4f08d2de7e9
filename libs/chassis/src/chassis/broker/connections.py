"""Connections to Kafka."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from faststream.security import BaseSecurity, SASLPlaintext, SASLScram256, SASLScram512

from chassis.broker.refusals import reaching
from chassis.publishing import MAX_BATCH_BYTES, BatchingProducer
from chassis.settings import KafkaSettings
from chassis.tasks import end
from contracts.topics import MAX_MESSAGE_BYTES

T = TypeVar("T")

_SASL = {"PLAIN": SASLPlaintext, "SCRAM-SHA-256": SASLScram256, "SCRAM-SHA-512": SASLScram512}


class _Producer(AIOKafkaProducer):  # type: ignore[misc]  # the library has no types
    """The library's producer, whose start says why it failed."""

    def __init__(self, settings: KafkaSettings, **options: Any) -> None:
        super().__init__(**settings.client_options(), **options)
        self._settings = settings

    async def start(self) -> None:
        async with reaching(self._settings):
            await super().start()


def make_producer(settings: KafkaSettings) -> BatchingProducer:
    """An idempotent producer, acknowledged by all replicas: no duplicates, no losses."""
    producer = _Producer(
        settings,
        acks="all",
        enable_idempotence=True,
        compression_type=settings.compression,
        max_batch_size=MAX_BATCH_BYTES,
        max_request_size=MAX_MESSAGE_BYTES,
        request_timeout_ms=10_000,
    )
    return BatchingProducer(producer, settings.linger_ms / 1000)


def faststream_options(settings: KafkaSettings) -> dict[str, Any]:
    """The same connection options for FastStream's broker."""
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


class Admin:
    """A process's admin connection for queries about topics and groups; opened lazily, reopened after a failure."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._client: AIOKafkaAdminClient | None = None
        self._opening = asyncio.Lock()

    async def ask(self, question: Callable[[AIOKafkaAdminClient], Awaitable[T]]) -> T:
        """Run a query on the client library's admin client and return its result.

        Raises:
            KafkaError: the broker is unavailable.
            TimeoutError: it does not answer.
        """
        client = await self._opened()
        try:
            return await question(client)
        except (KafkaError, TimeoutError):
            await self._drop(client)
            raise

    async def stop(self) -> None:
        if self._client is not None:
            await self._drop(self._client)

    async def _opened(self) -> AIOKafkaAdminClient:
        async with self._opening:  # two concurrent callers would open two clients, and one would never be closed
            if self._client is None:
                client = AIOKafkaAdminClient(**self._settings.client_options(), request_timeout_ms=10_000)
                try:
                    async with reaching(self._settings):
                        await client.start()
                except BaseException:
                    await end(client.close)
                    raise
                self._client = client
            return self._client

    async def _drop(self, client: AIOKafkaAdminClient) -> None:
        if self._client is client:
            self._client = None
        await end(client.close)
