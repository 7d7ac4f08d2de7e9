"""Around a start-up step: why the broker or the database refuses this service becomes one line for the operator."""

import contextlib
from collections.abc import AsyncIterator

from chassis.broker import reaching
from chassis.reaching_mongo import Client, reaching_database
from chassis.settings import KafkaSettings


@contextlib.asynccontextmanager
async def explained(kafka: KafkaSettings, mongo: Client) -> AsyncIterator[None]:
    """Let a step fail with the reason, if there is one to be found.

    Raises:
        BrokerRefusesUs, DatabaseRefusesUs: settings, certificates or rights do not fit; the text says what to do.
    """
    async with reaching(kafka), reaching_database(mongo):
        yield
