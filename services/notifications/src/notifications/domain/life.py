"""The life cycle of a notice: what each command does in each status, and the state after each event.

Every status × command has an entry: commands that may arrive late, because the result of an attempt
was overtaken, are listed as `late`; commands that must not occur raise.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, assert_never

from notifications.domain.notice import (
    AddressNotice,
    AttemptFailed,
    AttemptStarted,
    Channel,
    Command,
    CreateNotice,
    Event,
    Notice,
    NoticeAddressed,
    NoticeCreated,
    NoticeGivenUp,
    NoticeSent,
    RecordFailure,
    RecordSent,
    RequestResend,
    ResendRequested,
    StartAttempt,
    Status,
)


class NoticeUnknown(Exception):
    """There is no such notice."""


class AttemptNotDue(Exception):
    """The attempt is claimed by another process or is not due. The refused command leaves no history line."""


class ResendNotPossible(Exception):
    """The mail is still being addressed or sent, or the notice is in the inbox and needs no resending."""


def create(command: CreateNotice, now: datetime) -> tuple[Event, ...]:
    """Create a notice; address it at once if the command has an address."""
    where = command.address
    if where is None:
        return (NoticeCreated(command.intent, now),)
    created = NoticeCreated(command.intent, now, where.language, where.template_version, where.route)
    following = _after_addressing(command.intent.channel, where, attempts=0)
    if not following and command.lease_until is not None:
        return created, AttemptStarted(1, command.lease_until)
    return created, *following


def address(notice: Notice, command: AddressNotice, now: datetime) -> tuple[Event, ...]:
    addressed = NoticeAddressed(command.language, command.template_version, command.route, now)
    return addressed, *_after_addressing(notice.intent.channel, command, notice.attempts)


def _after_addressing(channel: Channel, address: AddressNotice, attempts: int) -> tuple[Event, ...]:
    """Events after addressing. Inbox: sent at once. Mail: none, or given up if it cannot be addressed."""
    if channel is Channel.INBOX:
        return (NoticeSent(attempt=0),)
    if address.unreachable is not None:
        return (NoticeGivenUp(attempts, address.unreachable, None),)
    return ()


def start(notice: Notice, command: StartAttempt, now: datetime) -> tuple[Event, ...]:
    """Claim the next attempt if it is due and unclaimed."""
    if command.attempt != notice.attempts + 1 or notice.send_after is None or now < notice.send_after:
        raise AttemptNotDue(f"attempt {command.attempt} of {notice.intent.id}")
    return (AttemptStarted(command.attempt, command.lease_until),)


def not_due(notice: Notice, command: StartAttempt, now: datetime) -> tuple[Event, ...]:
    raise AttemptNotDue(f"attempt {command.attempt} of {notice.intent.id}, which is {notice.status} at {now}")


def sent(_: Notice, command: RecordSent, __: datetime) -> tuple[Event, ...]:
    """The mail was sent, even if a later attempt has already failed or the notice was given up."""
    return (NoticeSent(command.attempt),)


def failed(notice: Notice, command: RecordFailure, _: datetime) -> tuple[Event, ...]:
    """Retry or give up; failures of earlier attempts are ignored."""
    if command.attempt != notice.attempts:
        return ()
    why = command.failure
    if command.retry_at is None:
        return (NoticeGivenUp(command.attempt, why.reason, why.reply_code),)
    return (AttemptFailed(command.attempt, why.reason, why.reply_code, command.retry_at),)


def late(_: Notice, __: Command, ___: datetime) -> tuple[Event, ...]:
    """A result that was overtaken; no event."""
    return ()


def resend(notice: Notice, command: RequestResend, now: datetime) -> tuple[Event, ...]:
    if notice.intent.channel is Channel.INBOX:
        raise ResendNotPossible(f"{notice.intent.id} is an inbox notice")
    return (ResendRequested(command.reason, now),)


def under_way(notice: Notice, _: RequestResend, __: datetime) -> tuple[Event, ...]:
    raise ResendNotPossible(f"{notice.intent.id} is {notice.status}")


Rule = Callable[[Notice, Any, datetime], tuple[Event, ...]]

TRANSITIONS: Mapping[type[Command], Mapping[Status, Rule]] = {
    AddressNotice: {
        Status.WAITING: address,
        Status.READY: late,
        Status.SENDING: late,
        Status.SENT: late,
        Status.GIVEN_UP: late,
    },
    StartAttempt: {
        Status.WAITING: not_due,
        Status.READY: start,
        Status.SENDING: start,
        Status.SENT: not_due,
        Status.GIVEN_UP: not_due,
    },
    RecordSent: {
        Status.WAITING: late,
        Status.READY: sent,
        Status.SENDING: sent,
        Status.SENT: late,
        Status.GIVEN_UP: sent,
    },
    RecordFailure: {
        Status.WAITING: late,
        Status.READY: late,
        Status.SENDING: failed,
        Status.SENT: late,
        Status.GIVEN_UP: late,
    },
    RequestResend: {
        Status.WAITING: under_way,
        Status.READY: resend,
        Status.SENDING: under_way,
        Status.SENT: resend,
        Status.GIVEN_UP: resend,
    },
}
"""Command → status → rule: the life cycle of a notice after its creation."""


def decide(notice: Notice | None, command: Command, now: datetime) -> tuple[Event, ...]:
    """The events of a command; creating an existing notice has none.

    Raises:
        NoticeUnknown, AttemptNotDue, ResendNotPossible
    """
    if isinstance(command, CreateNotice):
        return () if notice is not None else create(command, now)
    if notice is None:
        raise NoticeUnknown(type(command).__name__)
    return TRANSITIONS[type(command)][notice.status](notice, command, now)


def evolve(notice: Notice | None, event: Event) -> Notice:
    """The state after an event."""
    if isinstance(event, NoticeCreated):
        return _created(event)
    if notice is None:
        raise NoticeUnknown(type(event).__name__)
    match event:
        case NoticeAddressed(language, version, route, addressed_at):
            return replace(
                notice,
                status=Status.READY,
                since=addressed_at,
                language=language,
                template_version=version,
                route=route,
                send_after=addressed_at,
            )
        case AttemptStarted(attempt, lease_until):
            return replace(notice, status=Status.SENDING, attempts=attempt, send_after=lease_until)
        case NoticeSent():
            return replace(notice, status=Status.SENT, send_after=None)
        case AttemptFailed(_, reason, reply_code, next_attempt_at):
            return replace(
                notice, status=Status.READY, send_after=next_attempt_at, reason=reason, reply_code=reply_code
            )
        case NoticeGivenUp(_, reason, reply_code):
            return replace(notice, status=Status.GIVEN_UP, send_after=None, reason=reason, reply_code=reply_code)
        case ResendRequested(_, asked_at):
            return replace(notice, status=Status.WAITING, since=asked_at, asked=notice.asked + 1, send_after=None)
        case _ as never:
            assert_never(never)


def _created(event: NoticeCreated) -> Notice:
    addressed = event.language != ""
    return Notice(
        event.intent,
        Status.READY if addressed else Status.WAITING,
        created_at=event.asked_at,
        since=event.asked_at,
        language=event.language,
        template_version=event.template_version,
        route=event.route,
        send_after=event.asked_at if addressed else None,
    )
