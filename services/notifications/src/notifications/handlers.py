"""The use cases of a notice: create, address, resend."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from chassis.aggregates import Aggregates, Applied, Conflict, Duplicate, Failed, Input, Outcome
from chassis.clock import Clock
from chassis.delivery import Delivery, Event, content_hash, to_input
from chassis.failures import InfrastructureError
from chassis.waiting import Effects, first_claims
from notifications.address import parse_address, route_of
from notifications.contacts import Contact, Contacts, KnownContacts
from notifications.domain.notice import (
    AddressNotice,
    Channel,
    Command,
    CreateNotice,
    Failure,
    Intent,
    Notice,
    Reason,
    RequestResend,
)
from notifications.domain.notice import Event as NoticeEvent
from notifications.intents import Intents
from notifications.rendering import choose_language, render
from notifications.texts import StoredText, Texts

ACTOR = "service:notifications"

Notices = Aggregates[Notice, Command, NoticeEvent]
Mails = Effects[Notice, Command, StoredText, Failure]


class CommandIdTaken(Exception):
    """The command id was used for another command."""


class Addressed(NamedTuple):
    """The address of a notice and its stored text."""

    address: AddressNotice
    text: StoredText

    @property
    def is_mail(self) -> bool:
        """Whether there is a mail to send."""
        return self.text.channel is Channel.EMAIL and self.address.unreachable is None


class NoticeHandler:
    """Creates notices from events, and addresses them in the same write unless registry is unreachable."""

    def __init__(
        self, notices: Notices, intents: Intents, contacts: KnownContacts, texts: Texts, mails: Mails, clock: Clock
    ) -> None:
        self._notices = notices
        self._intents = intents
        self._contacts = contacts
        self._texts = texts
        self._mails = mails
        self._clock = clock

    async def targets(self, events: Sequence[Event]) -> Sequence[Sequence[str]]:
        return [[intent.id for intent in self._intents.of(event)] for event in events]

    async def apply(self, deliveries: Sequence[Delivery]) -> Sequence[Outcome[Notice]]:
        events = {delivery.event.envelope.id: delivery.event for delivery in deliveries}
        intents = {intent.id: intent for event in events.values() for intent in self._intents.of(event)}
        wanted = [intents[delivery.target] for delivery in deliveries]
        addressed = await self._address(wanted)
        async with first_claims(self._mails) as claims:
            inputs: list[Input[Command]] = []
            for delivery, intent in zip(deliveries, wanted, strict=True):
                known = addressed.get(intent.id)
                lease_until = claims.hold(intent.id, known.address.route) if known and known.is_mail else None
                create = CreateNotice(intent, known.address if known else None, lease_until)
                inputs.append(to_input(delivery, create))
            outcomes = await self._notices.apply(inputs, unseen=True, recent=True)
            for input_, outcome in zip(inputs, outcomes, strict=True):
                if input_.target in addressed:
                    claims.start(input_, outcome, addressed[input_.target].text)
        return outcomes

    def aggregates_of(self, _target: str) -> Notices:
        return self._notices

    async def _address(self, intents: Sequence[Intent]) -> dict[str, Addressed]:
        """Notice id → address, for new notices with a known contact. Stores their texts first."""
        # A redelivered event must not restore an erased text.
        there = await self._notices.documents.load([each.id for each in intents])
        new = [each for each in intents if each.id not in there]
        contacts = await self._contacts.ask_once([each.recipient for each in new])
        known = {each.id: (each, contacts[each.recipient]) for each in new if each.recipient in contacts}
        if not known:
            return {}
        now = self._clock.now()
        stored = await self._texts.keep([_text(intent, contact, now) for intent, contact in known.values()])
        return {id_: Addressed(_address(stored[id_], contact), stored[id_]) for id_, (_, contact) in known.items()}


class LookUp:
    """Pending work: address and text of waiting notices, with one query to registry per batch."""

    def __init__(self, contacts: Contacts, texts: Texts, clock: Clock) -> None:
        self._contacts = contacts
        self._texts = texts
        self._clock = clock

    async def __call__(self, notices: Sequence[Notice]) -> list[Input[Command] | None]:
        """The addressing command of each notice. Stores the text first, so that every addressed notice has one.

        Raises:
            InfrastructureError, grpc.aio.AioRpcError: registry is unreachable.
        """
        recipients = list(dict.fromkeys(notice.intent.recipient for notice in notices))
        answers = await self._contacts.contacts(recipients)
        known = dict(zip(recipients, answers, strict=True))
        now = self._clock.now()
        stored = await self._texts.keep(
            [_text(notice.intent, known[notice.intent.recipient], now) for notice in notices]
        )
        return [
            Input(
                target=notice.intent.id,
                cause=f"{notice.intent.id}/address/{notice.asked}",
                command=_address(stored[notice.intent.id], known[notice.intent.recipient]),
                actor=ACTOR,
                span="address notice",
            )
            for notice in notices
        ]


def _text(intent: Intent, contact: Contact | None, now: datetime) -> StoredText:
    rendered = render(intent, choose_language(contact.language if contact else "", intent.recipient))
    address = parse_address(contact.email) if contact else None
    return StoredText(
        notice_id=intent.id,
        recipient=intent.recipient,
        channel=intent.channel,
        ucr=intent.ucr,
        template=intent.template,
        template_version=rendered.version,
        language=rendered.language,
        subject=rendered.subject,
        body=rendered.body,
        email=address or "" if intent.channel is Channel.EMAIL else "",
        stored_at=now,
    )


def _address(stored: StoredText, contact: Contact | None) -> AddressNotice:
    if stored.channel is Channel.INBOX:
        return AddressNotice(stored.language, stored.template_version)
    if not stored.email:
        unreachable = Reason.BAD_ADDRESS if contact and contact.email else Reason.NO_ADDRESS
        return AddressNotice(stored.language, stored.template_version, unreachable=unreachable)
    return AddressNotice(stored.language, stored.template_version, route_of(stored.email))


async def resend(notices: Notices, *, command_id: str, notice_id: str, reason: str, actor: str) -> Notice:
    """Request another sending of a mail; repeating the command id is harmless.

    Raises:
        NoticeUnknown, ResendNotPossible
        CommandIdTaken: the command id was used with another reason.
    """
    outcome = await notices.apply_one(
        Input(
            target=notice_id,
            cause=f"command/{command_id}",
            command=RequestResend(reason),
            actor=actor,
            hash=content_hash(reason.encode()),
        )
    )
    match outcome:
        case Applied(Notice() as notice) | Duplicate(Notice() as notice):
            return notice
        case Conflict():
            raise CommandIdTaken(command_id)
        case Failed(error):
            raise error
        case _:
            raise InfrastructureError(f"{notice_id} could not be changed")
