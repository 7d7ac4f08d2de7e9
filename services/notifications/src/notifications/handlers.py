"""The use cases around a notice: find out where it goes, send it once more, show and erase."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from chassis.aggregates import Aggregates, Applied, Conflict, Duplicate, Failed, Input
from chassis.clock import Clock
from chassis.failures import InfrastructureError
from chassis.subscriptions import content_hash
from notifications.address import parse_address, route_of
from notifications.domain.notice import AddressNotice, Channel, Command, Event, Notice, Reason, RequestResend
from notifications.rendering import choose_language, render
from notifications.texts import StoredText, Texts

ACTOR = "service:notifications"

Notices = Aggregates[Notice, Command, Event]


class CommandIdTaken(Exception):
    """The command id was used for another command."""


@dataclass(frozen=True, slots=True)
class Contact:
    """How to reach an enterprise. Personal data."""

    email: str
    language: str


class Contacts(Protocol):
    async def contacts(self, recipients: Sequence[str]) -> list[Contact | None]:
        """Per SCHEME:VALUE its contact, None where it is unknown. Raises infrastructure errors."""
        ...


class LookUp:
    """Pending work: address and text of notices that wait for them, one question to registry per batch."""

    def __init__(self, contacts: Contacts, texts: Texts, clock: Clock) -> None:
        self._contacts = contacts
        self._texts = texts
        self._clock = clock

    async def __call__(self, notices: Sequence[Notice]) -> list[Input[Command] | None]:
        """Per notice the command that addresses it. The text is stored first, so that an addressed notice has one.

        Raises:
            InfrastructureError: or gRPC's own; registry is away.
        """
        recipients = list(dict.fromkeys(notice.intent.recipient for notice in notices))
        answers = await self._contacts.contacts(recipients)
        known = dict(zip(recipients, answers, strict=True))
        stored = await self._texts.keep([self._text(notice, known[notice.intent.recipient]) for notice in notices])
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

    def _text(self, notice: Notice, contact: Contact | None) -> StoredText:
        intent = notice.intent
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
            stored_at=self._clock.now(),
        )


def _address(stored: StoredText, contact: Contact | None) -> AddressNotice:
    if stored.channel is Channel.INBOX:
        return AddressNotice(stored.language, stored.template_version)
    if not stored.email:
        unreachable = Reason.BAD_ADDRESS if contact and contact.email else Reason.NO_ADDRESS
        return AddressNotice(stored.language, stored.template_version, unreachable=unreachable)
    return AddressNotice(stored.language, stored.template_version, route_of(stored.email))


async def resend(notices: Notices, *, command_id: str, notice_id: str, reason: str, actor: str) -> Notice:
    """Ask for a mail once more; repeating the command id is harmless.

    Raises:
        NoticeUnknown, ResendNotPossible: as the domain says.
        CommandIdTaken: the command id came with another reason before.
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
            raise InfrastructureError(f"{notice_id} could not be changed now")
