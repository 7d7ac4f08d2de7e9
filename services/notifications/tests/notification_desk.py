"""Notifications over in-memory stores, with a manual clock and without a broker."""

from dataclasses import dataclass, replace
from typing import Any

from services.notifications.tests.notification_builders import CARRIER, DECLARANT, IMPORTER
from services.notifications.tests.notification_fakes import Collecting, FakeRegistry, MemoryTexts

from chassis.aggregates import Failed, Input
from chassis.delivery import Delivery, Event
from chassis.testing import ManualClock, RecordingOutbox, in_memory
from chassis.waiting import Effects, Limits
from contracts.topics import NOTIFICATIONS
from notifications.contacts import Contact, KnownContacts
from notifications.domain.notice import CreateNotice, Intent, Notice
from notifications.handlers import LookUp, Mails, NoticeHandler, Notices
from notifications.intents import Intents
from notifications.mail import Post
from notifications.mail_effect import mail_effect
from notifications.notices import NOTICE
from notifications.settings import MailSettings
from notifications.texts import Texts


@dataclass
class Desk:
    """The stores, the published events and the clock, with the service's operations."""

    clock: ManualClock
    notices: Notices
    outbox: RecordingOutbox
    texts: Texts
    registry: FakeRegistry
    contacts: KnownContacts

    async def take(self, *events: Event, mails: Mails | None = None) -> list[str]:
        """Deliver events as the subscription does, by default with mails without room; returns the notices' ids."""
        intents = Intents("trade.invalid")
        mails = mails or self.mails(Collecting(), replace(MailSettings().limits, at_once=0))
        handler = NoticeHandler(self.notices, intents, self.contacts, self.texts, mails, self.clock)
        targets = await handler.targets(events)
        deliveries = [Delivery(event, id_) for event, ids in zip(events, targets, strict=True) for id_ in ids]
        for outcome in await handler.apply(deliveries):
            if isinstance(outcome, Failed):
                raise outcome.error
        return [delivery.target for delivery in deliveries]

    async def create(self, *intents: Intent) -> list[str]:
        for intent in intents:
            outcome = await self.notices.apply_one(
                Input(intent.id, intent.source_event_id, CreateNotice(intent), "service:declarations")
            )
            if isinstance(outcome, Failed):
                raise outcome.error
        return [intent.id for intent in intents]

    async def look_up(self) -> None:
        """Run the chassis' pending work for one batch."""
        now = self.clock.now()
        found = await self.notices.documents.find({"try_after": {"$lte": now}})
        states = [NOTICE.codec.decode(document["state"]) for document in found]
        inputs = await LookUp(self.contacts, self.texts, self.clock)(states) if states else []
        await self.notices.apply([each for each in inputs if each])

    async def ready(self, *intents: Intent) -> list[str]:
        """Create and address notices; returns their ids."""
        ids = await self.create(*intents)
        await self.look_up()
        return ids

    async def state(self, id_: str) -> Notice:
        notice = await self.notices.get(id_)
        if notice is None:
            raise AssertionError(f"there is no notice {id_}")
        return notice

    def worker(self, post: Post, **settings: Any) -> Mails:
        return self.mails(post, MailSettings(**settings).limits)

    def mails(self, post: Post, limits: Limits) -> Mails:
        return Effects(self.notices, mail_effect(self.texts, post), limits, self.clock)


def a_desk() -> Desk:
    """An empty desk with a stopped clock and three firms known to registry."""
    clock = ManualClock()
    notices, outbox = in_memory(NOTICE, topic=NOTIFICATIONS, clock=clock)
    contacts = {
        DECLARANT: Contact("declarant@qingdao.example", "zh"),
        IMPORTER: Contact("importer@moscow.example", "ru"),
        CARRIER: Contact("carrier@almaty.example", "en"),
    }
    registry = FakeRegistry(contacts)
    return Desk(clock, notices, outbox, MemoryTexts(), registry, KnownContacts(registry, clock))
