"""What tests of notifications share: builders, notifications without a broker, and a real mail server to receive."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, cast

from aiosmtpd.smtp import SMTP, Envelope, Session

from chassis.aggregates import Failed, Input
from chassis.clock import ManualClock
from chassis.delivery import Delivery, Event, RawRecord, classify
from chassis.failures import InfrastructureError
from chassis.testing import RecordingOutbox, in_memory
from chassis.waiting import Effects, Limits, Taken
from contracts.declarations import v1 as declarations
from contracts.envelope import Envelope as EventEnvelope
from contracts.matching import v1 as matching
from contracts.topics import NOTIFICATIONS
from notifications.contacts import Contact, KnownContacts
from notifications.domain.notice import Channel, CreateNotice, Intent, Notice, notice_id
from notifications.handlers import LookUp, Mails, NoticeHandler, Notices
from notifications.intents import Intents
from notifications.mail import Handover, Mail, Post
from notifications.mail_effect import mail_effect
from notifications.notices import NOTICE
from notifications.settings import MailSettings
from notifications.texts import MemoryTexts, Texts

DECLARANT = "CN-USCC:91370200MA3C0000X1"
IMPORTER = "RU-INN:7707083893"
CARRIER = "KZ-BIN:190540000014"
UCR = "6CN91370200A0000001"

_numbers = itertools.count(1)


def an_event(fact: str, service: str = "declarations", aggregate: str = "declaration", **fields: Any) -> Event:
    """An event as it comes from the topic, through the same classification."""
    if aggregate == "declaration":
        fields = {
            "declaration_id": "D-1",
            "lrn": "LRN-1",
            "ucr": UCR,
            "direction": "import",
            "parties": [a_party("declarant", DECLARANT), a_party("importer", IMPORTER), a_party("carrier", CARRIER)],
        } | fields
    type_ = f"trade.{service}.{aggregate}.{fact}.v1"
    known = declarations.EVENTS | matching.EVENTS
    envelope = EventEnvelope(
        id=fields.pop("event_id", f"D-1/0.{next(_numbers)}"),
        source=f"/trade/{service}",
        type=type_,
        time=datetime(2026, 1, 5, 8, tzinfo=UTC),
        subject="D-1",
        sequence=1,
        partitionkey=UCR,
        causationid="cause",
        actor="service:declarations",
        trace=fields.pop("trace", {}),
    )
    headers = tuple((name, value) for name, value in envelope.headers())
    record = RawRecord(f"{service}.events.v1", 0, 0, UCR.encode(), headers, json.dumps(fields).encode(), 0)
    event = classify(record, {type_: known[type_]})
    return cast(Event, event)


def released(**fields: Any) -> Event:
    """A release: every role is told, by inbox and mail each."""
    guard = dict.fromkeys(("accepted", "control_done", "no_holds", "money_settled", "presented"), True)
    return an_event("released", **{"released_at": "2026-01-20T16:00:00+08:00", "guard": guard} | fields)


def a_party(role: str, identifier: str) -> dict[str, Any]:
    scheme, _, value = identifier.partition(":")
    return {"role": role, "identifier": {"scheme": scheme, "value": value}}


def an_intent(channel: Channel = Channel.EMAIL, recipient: str = DECLARANT, **overrides: Any) -> Intent:
    event_id = overrides.pop("event_id", f"D-1/0.{next(_numbers)}")
    id_ = notice_id(event_id, recipient, channel)
    fields = {
        "id": id_,
        "ucr": UCR,
        "declaration_id": "D-1",
        "source_event_id": event_id,
        "source_event_type": "trade.declarations.declaration.released.v1",
        "recipient": recipient,
        "channel": channel,
        "template": "notice.released",
        "message_id": f"<{id_}@trade.invalid>",
        "parameters": {"ucr": UCR, "lrn": "LRN-1", "declaration_number": "422020261000000011"},
    }
    return Intent(**(fields | overrides))


@dataclass
class FakeRegistry:
    """Contacts by SCHEME:VALUE; away while `away` is set."""

    known: dict[str, Contact] = field(default_factory=dict)
    away: bool = False
    asked: list[list[str]] = field(default_factory=list)

    async def contacts(self, recipients: Sequence[str]) -> list[Contact | None]:
        if self.away:
            raise InfrastructureError("registry is away")
        self.asked.append(list(recipients))
        return [self.known.get(each) for each in recipients]


@dataclass
class Collecting:
    """A mail server that takes everything."""

    given: list[Mail] = field(default_factory=list)

    async def hand_over(self, mail: Mail) -> Handover:
        self.given.append(mail)
        return Taken()


@dataclass
class Desk:
    """Notifications without a broker: what is stored, what is published, what time it is."""

    clock: ManualClock
    notices: Notices
    outbox: RecordingOutbox
    texts: Texts
    registry: FakeRegistry
    contacts: KnownContacts

    async def take(self, *events: Event, mails: Mails | None = None) -> list[str]:
        """Deliver events, as the subscription does, to mails without room if none are given; their notices' ids."""
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
        """What the chassis' pending work does with a batch."""
        now = self.clock.now()
        found = await self.notices.documents.find({"try_after": {"$lte": now}})
        states = [NOTICE.codec.decode(document["state"]) for document in found]
        inputs = await LookUp(self.contacts, self.texts, self.clock)(states) if states else []
        await self.notices.apply([each for each in inputs if each])

    async def ready(self, *intents: Intent) -> list[str]:
        """Notices that were created and addressed."""
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
    """Empty, on a clock that stands still, with three firms known to registry."""
    clock = ManualClock()
    notices, outbox = in_memory(NOTICE, topic=NOTIFICATIONS, clock=clock)
    contacts = {
        DECLARANT: Contact("declarant@qingdao.example", "zh"),
        IMPORTER: Contact("importer@moscow.example", "ru"),
        CARRIER: Contact("carrier@almaty.example", "en"),
    }
    registry = FakeRegistry(contacts)
    return Desk(clock, notices, outbox, MemoryTexts(), registry, KnownContacts(registry, clock))


@dataclass
class Inboxes:
    """A real receiving SMTP server: what it took, and what it answers to whom."""

    port: int = 0
    taken: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    answer_rcpt: dict[str, str] = field(default_factory=dict)
    """Recipient → reply."""
    answer_data: str = "250 kept"
    silent_domains: set[str] = field(default_factory=set)
    """Recipients of these never get an answer."""

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address.rpartition("@")[2] in self.silent_domains:
            await asyncio.Event().wait()
        if address in self.answer_rcpt:
            return self.answer_rcpt[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        if self.answer_data.startswith("250"):
            content = cast(bytes, envelope.content)
            self.taken.append(message_from_bytes(content, policy=policy.default))
            self.recipients += envelope.rcpt_tos
        return self.answer_data


@asynccontextmanager
async def receiving() -> AsyncIterator[Inboxes]:
    """The server, while it listens on a port of its own."""
    sink = Inboxes()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(sink, hostname="localhost"), "127.0.0.1", 0)
    async with server:
        sink.port = server.sockets[0].getsockname()[1]
        yield sink
