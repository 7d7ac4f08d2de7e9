"""Shares the chassis' sample aggregate."""

import sys
import uuid
from pathlib import Path

import pytest

from contracts.topics import Topic
from launcher.infrastructure import Infrastructure

sys.path.insert(0, str(Path(__file__).parents[3] / "libs" / "chassis" / "tests"))


@pytest.fixture
async def topic(infrastructure: Infrastructure) -> str:
    name = f"traps.{uuid.uuid4().hex}.v1"
    await infrastructure.create_topics([Topic(name, "tests", ("tests",), ("tests",), "anything")])
    return name
