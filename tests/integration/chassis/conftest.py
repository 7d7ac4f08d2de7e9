"""A topic of each test's own, and what sends to it and reads it; shares the chassis' sample aggregate."""

import sys
import uuid
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from integration.chassis.consuming import Group, Send

from contracts.topics import Topic
from launcher.infrastructure import Infrastructure

sys.path.insert(0, str(Path(__file__).parents[3] / "libs" / "chassis" / "tests"))


@pytest.fixture
async def topic(infrastructure: Infrastructure) -> str:
    name = f"traps.{uuid.uuid4().hex}.v1"
    await infrastructure.create_topics([Topic(name, "tests", ("tests",), ("tests",), "anything")])
    return name


@pytest.fixture
async def send(infrastructure: Infrastructure, topic: str) -> AsyncIterator[Send]:
    producer = AIOKafkaProducer(bootstrap_servers=infrastructure.bootstrap_servers, acks="all")
    await producer.start()

    async def send(*values: str, partition: int = 0, headers: Sequence[tuple[str, Any]] = ()) -> None:
        for value in values:
            await producer.send_and_wait(topic, value.encode(), partition=partition, headers=list(headers))

    yield send
    await producer.stop()


@pytest.fixture
def group(infrastructure: Infrastructure, topic: str) -> Group:
    return Group(infrastructure, topic)
