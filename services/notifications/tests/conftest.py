"""Fixtures: notifications in memory, and a receiving SMTP server."""

from collections.abc import AsyncIterator

import pytest

from notifications.testing import Desk, Inboxes, a_desk, receiving


@pytest.fixture
def desk() -> Desk:
    return a_desk()


@pytest.fixture
async def inboxes() -> AsyncIterator[Inboxes]:
    async with receiving() as server:
        yield server
