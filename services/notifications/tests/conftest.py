"""Fixtures: notifications in memory, and a receiving SMTP server."""

from collections.abc import AsyncIterator

import pytest
from services.notifications.tests.notification_desk import Desk, a_desk
from services.notifications.tests.receiving_mail import Inboxes, receiving


@pytest.fixture
def desk() -> Desk:
    return a_desk()


@pytest.fixture
async def inboxes() -> AsyncIterator[Inboxes]:
    async with receiving() as server:
        yield server
