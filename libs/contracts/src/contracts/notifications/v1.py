"""Notices to firms, published by notifications on `notifications.events.v1`. Key: the UCR, otherwise the notice id.

A notice informs one recipient of one event over one channel. Addresses and rendered texts are personal data: they are
kept in erasable documents of notifications, never in events.
"""

from enum import StrEnum

from pydantic import Field

from contracts.values import Payload, Timestamp


class Channel(StrEnum):
    INBOX = "inbox"
    EMAIL = "email"


class FailureReason(StrEnum):
    """Why an attempt failed or a notice was given up."""

    NO_ADDRESS = "no_address"
    BAD_ADDRESS = "bad_address"
    SERVER_AWAY = "server_away"
    TIMED_OUT = "timed_out"
    DEFERRED = "deferred"
    NOT_AUTHENTICATED = "not_authenticated"
    REFUSED = "refused"
    ERASED = "erased"
    FAULT = "fault"


class Point(Payload):
    """One thing a notice lists, such as one error of a rejected declaration."""

    code: str = Field(description="Code of its text in the message catalogue, or of the requested document")
    pointer: str = Field(default="", description="JSON pointer to the field concerned; empty if there is none")
    parameters: dict[str, str] = Field(default={}, description="Values of the text's placeholders")


class NoticeFact(Payload):
    """The fields of every event of a notice."""

    notice_id: str = Field(description="Derived from source event, recipient and channel; set by notifications")
    ucr: str | None = Field(default=None, description="Unique consignment reference; null if it is about a match")
    source_event_id: str = Field(description="Id of the event that the notice is about")
    source_event_type: str = Field(description="Type of the event that the notice is about")
    recipient: str = Field(description="SCHEME:VALUE of the recipient enterprise")
    channel: Channel = Field(description="How it is delivered")
    template: str = Field(description="Code of the text in the message catalogue")
    message_id: str = Field(description="Message-ID of the mail and its repeats; also used for an inbox notice")


class NoticeCreated(NoticeFact):
    """The notice was created; nothing was sent yet."""

    declaration_id: str | None = Field(
        default=None, description="The platform's id of the declaration, if it is about one"
    )
    parameters: dict[str, str] = Field(default={}, description="Numbers and codes that the text mentions")
    points: tuple[Point, ...] = Field(default=(), description="What the text lists")
    asked_at: Timestamp = Field(description="When the platform created the notice")
    language: str | None = Field(
        default=None, description="zh, ru or en, if the contact was known and the notice addressed at once"
    )
    template_version: str | None = Field(
        default=None, description="Fingerprint of the template's wording, if addressed at once"
    )
    route: str | None = Field(default=None, description="Fingerprint of the mail domain, if addressed at once")


class NoticeAddressed(NoticeFact):
    """The registry returned the recipient's contact, and the text was rendered and stored."""

    language: str = Field(description="zh, ru or en: the language the text was rendered in")
    template_version: str = Field(description="Fingerprint of the template's wording")
    route: str = Field(default="", description="Fingerprint of the mail domain, so that one domain delays no other")
    addressed_at: Timestamp = Field(description="When it was addressed; it may be sent from then on")


class AttemptStarted(NoticeFact):
    """A sending attempt was claimed; it counts whatever its result."""

    attempt: int = Field(description="Attempts counted from 1")
    lease_until: Timestamp = Field(description="When another attempt may be made if this one has no result")


class NoticeSent(NoticeFact):
    """The mail server accepted it, or it was put into the inbox."""

    attempt: int = Field(description="The attempt that succeeded; 0 for an inbox notice")
    language: str = Field(description="zh, ru or en: the language of the text")
    template_version: str = Field(description="Fingerprint of the template's wording")


class AttemptFailed(NoticeFact):
    """An attempt failed; another one will follow."""

    attempt: int = Field(description="The attempt that failed")
    reason: FailureReason = Field(description="Why")
    reply_code: int | None = Field(default=None, description="The mail server's reply code, if it gave one")
    next_attempt_at: Timestamp = Field(description="When the next attempt is due")


class NoticeGivenUp(NoticeFact):
    """No further attempt is made unless staff ask for it."""

    attempt: int = Field(description="The last attempt; 0 if none was made")
    reason: FailureReason = Field(description="Why")
    reply_code: int | None = Field(default=None, description="The mail server's reply code, if it gave one")


class ResendRequested(NoticeFact):
    """Staff asked to send the notice again; the envelope names the actor."""

    reason: str = Field(max_length=500, description="Why; set by staff")
    asked_at: Timestamp = Field(description="When staff asked")


EVENTS: dict[str, type[NoticeFact]] = {
    "trade.notifications.notice.created.v1": NoticeCreated,
    "trade.notifications.notice.addressed.v1": NoticeAddressed,
    "trade.notifications.notice.attempt_started.v1": AttemptStarted,
    "trade.notifications.notice.sent.v1": NoticeSent,
    "trade.notifications.notice.attempt_failed.v1": AttemptFailed,
    "trade.notifications.notice.given_up.v1": NoticeGivenUp,
    "trade.notifications.notice.resend_requested.v1": ResendRequested,
}
"""Event type on the wire → payload."""
