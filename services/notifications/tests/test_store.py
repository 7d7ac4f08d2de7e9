"""Contract suite of the text store, in memory and in MongoDB; sending over either."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from pymongo import AsyncMongoClient
from services.notifications.tests.notification_builders import an_intent
from services.notifications.tests.notification_desk import Desk
from services.notifications.tests.notification_fakes import MemoryTexts

from chassis.aggregates import Aggregates, MongoDocuments
from chassis.mongo import Database
from chassis.testing import RecordingOutbox
from chassis.waiting import Taken
from contracts.topics import NOTIFICATIONS
from launcher.infrastructure import Infrastructure
from notifications.domain.notice import Channel, Status
from notifications.mail import Mail
from notifications.notices import NOTICE
from notifications.store import MongoTexts
from notifications.texts import StoredText, Texts

NOW = datetime(2026, 1, 5, 8, tzinfo=UTC)


def a_text(notice_id: str, **overrides: Any) -> StoredText:
    text = StoredText(notice_id, "CN-USCC:1", Channel.INBOX, "UCR", "notice.released", "v1", "zh", "题", "文", "", NOW)
    return replace(text, **overrides)


@pytest.fixture
async def database(infrastructure: Infrastructure) -> AsyncIterator[Database]:
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(infrastructure.mongo_url, tz_aware=True, tzinfo=UTC)
    name = f"notifications_{uuid4().hex[:8]}"
    try:
        await MongoTexts(client[name]["texts"]).create_indexes()
        await MongoDocuments(client[name]["notices"]).create_indexes(NOTICE)
        yield client[name]
    finally:
        await client.drop_database(name)
        await client.close()


# Synchronous, so that they can request the database fixture only for the tests that need it.


@pytest.fixture(params=["memory", pytest.param("mongo", marks=pytest.mark.infra)])
def texts(request: pytest.FixtureRequest) -> Texts:
    if request.param == "memory":
        return MemoryTexts()
    return MongoTexts(request.getfixturevalue("database")["texts"])


@pytest.fixture(params=["memory", pytest.param("mongo", marks=pytest.mark.infra)])
def either_desk(request: pytest.FixtureRequest, desk: Desk) -> Desk:
    """Notifications over the in-memory stores and over MongoDB."""
    if request.param == "mongo":
        database = request.getfixturevalue("database")
        desk.outbox = RecordingOutbox()
        documents = MongoDocuments(database["notices"])
        desk.notices = Aggregates(NOTICE, documents, desk.outbox, desk.clock, topic=NOTIFICATIONS.name)
        desk.texts = MongoTexts(database["texts"])
    return desk


async def test_a_stored_text_is_loaded(texts: Texts) -> None:
    kept = await texts.keep([a_text("N-1"), a_text("N-2")])
    assert kept == await texts.load(["N-1", "N-2", "N-3"]) == {"N-1": a_text("N-1"), "N-2": a_text("N-2")}
    assert await texts.keep([]) == {}


async def test_the_first_text_is_kept_and_the_address_is_updated(texts: Texts) -> None:
    await texts.keep([a_text("N-1", email="old@a.example")])
    kept = await texts.keep([a_text("N-1", subject="other", language="en", email="new@a.example")])
    assert kept["N-1"] == a_text("N-1", email="new@a.example")


async def test_an_inbox_is_read_in_pages_newest_first(texts: Texts) -> None:
    await texts.keep([a_text(f"N-{n}", stored_at=NOW + timedelta(seconds=n // 2)) for n in range(7)])
    await texts.keep([a_text("N-mail", channel=Channel.EMAIL), a_text("N-other", recipient="RU-INN:1")])
    read: list[StoredText] = []
    while page := await texts.inbox("CN-USCC:1", (read[-1].stored_at, read[-1].notice_id) if read else None, 2):
        assert len(page) <= 2
        read += page
    assert [each.notice_id for each in read] == ["N-6", "N-5", "N-4", "N-3", "N-2", "N-1", "N-0"]


async def test_erasing_deletes_everything_of_one_recipient(texts: Texts) -> None:
    await texts.keep([a_text("N-1"), a_text("N-2", channel=Channel.EMAIL), a_text("N-3", recipient="RU-INN:1")])
    assert await texts.erase("CN-USCC:1") == 2
    assert list(await texts.load(["N-1", "N-2", "N-3"])) == ["N-3"]
    assert await texts.erase("CN-USCC:1") == 0


class TakingPost:
    def __init__(self) -> None:
        self.given: list[Mail] = []

    async def hand_over(self, mail: Mail) -> Taken:
        self.given.append(mail)
        return Taken()


async def test_notices_are_sent_over_either_store(either_desk: Desk) -> None:
    desk = either_desk
    ids = await desk.ready(*(an_intent(Channel.EMAIL) for _ in range(3)), an_intent(Channel.INBOX))
    post = TakingPost()
    worker = desk.worker(post, at_once_per_domain=2)
    while await worker.start_due():
        await worker.idle()
    assert [(await desk.state(id_)).status for id_ in ids] == [Status.SENT] * 4
    assert len(post.given) == 3
    await desk.clock.advance(days=1)
    assert await worker.start_due() == 0
    assert len(await desk.texts.inbox("CN-USCC:91370200MA3C0000X1", None, 10)) == 1
