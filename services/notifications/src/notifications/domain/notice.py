"""A notice: one intent to tell one recipient of one event over one channel.

    WAITING ──addressed──▶ READY ──attempt started──▶ SENDING ──sent──▶ SENT
       │  ▲                  ▲                           │
       │  │                  └──────attempt failed───────┤
       │  └─resend requested── SENT, READY, GIVEN_UP     │
       └──no address──▶ GIVEN_UP ◀──refused, too late────┘

An inbox notice is sent as soon as it is addressed: its text stands in the inbox then.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Status(StrEnum):
    WAITING = "waiting"
    """Registry has yet to say how to reach the recipient."""
    READY = "ready"
    """Text and address are stored; the next attempt is due at `send_after`."""
    SENDING = "sending"
    """An attempt is claimed; it counts as lost at `send_after`."""
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
    """What an attempt met."""

    reason: Reason
    reply_code: int | None = None
    """Of the mail server, where it answered."""


@dataclass(frozen=True, slots=True)
class Point:
    """One thing a notice lists, with the code of its text."""

    code: str
    pointer: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Intent:
    """What is fixed about a notice from the beginning: who is told what, and why."""

    id: str
    ucr: str | None
    declaration_id: str | None
    source_event_id: str
    source_event_type: str
    recipient: str
    """SCHEME:VALUE of the enterprise told."""
    channel: Channel
    template: str
    """Code of the text in the message catalogue."""
    message_id: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    points: tuple[Point, ...] = ()


@dataclass(frozen=True, slots=True)
class Notice:
    """The state."""

    intent: Intent
    status: Status
    created_at: datetime
    since: datetime
    """When it was asked for, or from when it could be sent: patience is counted from here."""
    asked: int = 1
    """How often it was asked for: once, and once more for every resend."""
    language: str = ""
    template_version: str = ""
    route: str = ""
    """Fingerprint of the mail domain, so that one domain delays no other."""
    send_after: datetime | None = None
    attempts: int = 0
    reason: Reason | None = None
    """Of the latest failure."""
    reply_code: int | None = None


def notice_id(event_id: str, recipient: str, channel: Channel) -> str:
    """The one id of the intent to tell `recipient` of an event over `channel`."""
    return "N-" + hashlib.sha256(f"{event_id}|{recipient}|{channel}".encode()).hexdigest()[:20]


# Commands


@dataclass(frozen=True, slots=True)
class AddressNotice:
    """The recipient's language, the text's version, and where mail goes."""

    language: str
    template_version: str
    route: str = ""
    unreachable: Reason | None = None
    """Why there is nowhere to send a mail to, if there is not."""


@dataclass(frozen=True, slots=True)
class CreateNotice:
    intent: Intent
    address: AddressNotice | None = None
    """Where it goes, where that is known already; its text is stored then."""
    lease_until: datetime | None = None
    """Of the first attempt at a mail, where who creates the notice makes it at once."""


@dataclass(frozen=True, slots=True)
class StartAttempt:
    attempt: int
    lease_until: datetime
    """From when another attempt may be made if nothing more is heard of this one."""


@dataclass(frozen=True, slots=True)
class RecordSent:
    attempt: int


@dataclass(frozen=True, slots=True)
class RecordFailure:
    attempt: int
    failure: Failure
    retry_at: datetime | None
    """None: it is given up."""


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
    """Empty where it is still to be addressed."""
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
