"""A notice: the intent to notify one recipient of one event over one channel.

    WAITING ──addressed──▶ READY ──attempt started──▶ SENDING ──sent──▶ SENT
       │  ▲                  ▲                           │
       │  │                  └──────attempt failed───────┤
       │  └─resend requested── SENT, READY, GIVEN_UP     │
       └──no address──▶ GIVEN_UP ◀──refused, too late────┘

An inbox notice is sent as soon as it is addressed: its text is then in the inbox.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Status(StrEnum):
    WAITING = "waiting"
    """The recipient's contact is not yet known."""
    READY = "ready"
    """Text and address are stored; the next attempt is due at `send_after`."""
    SENDING = "sending"
    """An attempt is claimed; its lease ends at `send_after`."""
    SENT = "sent"
    GIVEN_UP = "given_up"


class Channel(StrEnum):
    INBOX = "inbox"
    EMAIL = "email"


class Reason(StrEnum):
    """Why an attempt failed or a notice was given up."""

    NO_ADDRESS = "no_address"
    BAD_ADDRESS = "bad_address"
    SERVER_AWAY = "server_away"
    TIMED_OUT = "timed_out"
    DEFERRED = "deferred"
    NOT_AUTHENTICATED = "not_authenticated"
    REFUSED = "refused"
    ERASED = "erased"
    """Address and text were erased before it could be sent."""
    FAULT = "fault"
    """The platform could not compose or hand over the mail."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an attempt failed."""

    reason: Reason
    reply_code: int | None = None
    """The mail server's reply code; None if it did not answer."""


@dataclass(frozen=True, slots=True)
class Point:
    """One entry of a notice's list, with the code of its text."""

    code: str
    pointer: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Intent:
    """The unchanging part of a notice: the recipient, the content and the event."""

    id: str
    ucr: str | None
    declaration_id: str | None
    source_event_id: str
    source_event_type: str
    recipient: str
    """SCHEME:VALUE of the enterprise to notify."""
    channel: Channel
    template: str
    """Code of the text in the message catalogue."""
    message_id: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    points: tuple[Point, ...] = ()


@dataclass(frozen=True, slots=True)
class Notice:
    """The state of a notice."""

    intent: Intent
    status: Status
    created_at: datetime
    since: datetime
    """When it was created or resent, or since when it can be sent; `give_up_after_seconds` counts from here."""
    asked: int = 1
    """Number of requests: one, plus one per resend."""
    language: str = ""
    template_version: str = ""
    route: str = ""
    """Hash of the mail domain, so that one domain does not delay another."""
    send_after: datetime | None = None
    attempts: int = 0
    reason: Reason | None = None
    """Reason of the latest failure."""
    reply_code: int | None = None


def notice_id(event_id: str, recipient: str, channel: Channel) -> str:
    """The id of the notice to `recipient` about an event over `channel`; the same arguments give the same id."""
    return "N-" + hashlib.sha256(f"{event_id}|{recipient}|{channel}".encode()).hexdigest()[:20]


# Commands


@dataclass(frozen=True, slots=True)
class AddressNotice:
    """The recipient's language, the version of the text and the route of the mail."""

    language: str
    template_version: str
    route: str = ""
    unreachable: Reason | None = None
    """Why a mail cannot be addressed; None if it can."""


@dataclass(frozen=True, slots=True)
class CreateNotice:
    intent: Intent
    address: AddressNotice | None = None
    """The address, if it is already known; the text is then already stored."""
    lease_until: datetime | None = None
    """End of the lease of a mail's first attempt, if the creator of the notice makes it at once."""


@dataclass(frozen=True, slots=True)
class StartAttempt:
    attempt: int
    lease_until: datetime
    """When another attempt may be made if this one has no recorded result."""


@dataclass(frozen=True, slots=True)
class RecordSent:
    attempt: int


@dataclass(frozen=True, slots=True)
class RecordFailure:
    attempt: int
    failure: Failure
    retry_at: datetime | None
    """None: the notice is given up."""


@dataclass(frozen=True, slots=True)
class RequestResend:
    reason: str


Command = CreateNotice | AddressNotice | StartAttempt | RecordSent | RecordFailure | RequestResend


# Events


@dataclass(frozen=True, slots=True)
class NoticeCreated:
    intent: Intent
    asked_at: datetime
    language: str = ""
    """Empty if the notice is not yet addressed."""
    template_version: str = ""
    route: str = ""


@dataclass(frozen=True, slots=True)
class NoticeAddressed:
    language: str
    template_version: str
    route: str
    addressed_at: datetime


@dataclass(frozen=True, slots=True)
class AttemptStarted:
    attempt: int
    lease_until: datetime


@dataclass(frozen=True, slots=True)
class NoticeSent:
    attempt: int


@dataclass(frozen=True, slots=True)
class AttemptFailed:
    attempt: int
    reason: Reason
    reply_code: int | None
    next_attempt_at: datetime


@dataclass(frozen=True, slots=True)
class NoticeGivenUp:
    attempt: int
    reason: Reason
    reply_code: int | None


@dataclass(frozen=True, slots=True)
class ResendRequested:
    reason: str
    asked_at: datetime


Event = NoticeCreated | NoticeAddressed | AttemptStarted | NoticeSent | AttemptFailed | NoticeGivenUp | ResendRequested
