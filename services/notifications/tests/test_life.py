"""The life cycle of a notice: every status × command."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from services.notifications.tests.notification_builders import an_intent

from notifications.domain.life import (
    TRANSITIONS,
    AttemptNotDue,
    NoticeUnknown,
    ResendNotPossible,
    decide,
    evolve,
)
from notifications.domain.notice import (
    AddressNotice,
    AttemptFailed,
    AttemptStarted,
    Channel,
    Command,
    CreateNotice,
    Event,
    Failure,
    Notice,
    NoticeAddressed,
    NoticeCreated,
    NoticeGivenUp,
    NoticeSent,
    Reason,
    RecordFailure,
    RecordSent,
    RequestResend,
    ResendRequested,
    StartAttempt,
    Status,
)

NOW = datetime(2026, 1, 5, 8, tzinfo=UTC)
LATER = NOW + timedelta(seconds=15)

ADDRESS = AddressNotice("zh", "v1", "route")
START = StartAttempt(2, LATER)
SENT = RecordSent(1)
FAILED = RecordFailure(1, Failure(Reason.DEFERRED, 451), LATER)
RESEND = RequestResend("bounced")

OUTCOMES: dict[tuple[Command, Status], tuple[Event, ...] | type[Exception]] = {
    (ADDRESS, Status.WAITING): (NoticeAddressed("zh", "v1", "route", NOW),),
    (ADDRESS, Status.READY): (),
    (ADDRESS, Status.SENDING): (),
    (ADDRESS, Status.SENT): (),
    (ADDRESS, Status.GIVEN_UP): (),
    (START, Status.WAITING): AttemptNotDue,
    (START, Status.READY): (AttemptStarted(2, LATER),),
    (START, Status.SENDING): (AttemptStarted(2, LATER),),
    (START, Status.SENT): AttemptNotDue,
    (START, Status.GIVEN_UP): AttemptNotDue,
    (SENT, Status.WAITING): (),
    (SENT, Status.READY): (NoticeSent(1),),
    (SENT, Status.SENDING): (NoticeSent(1),),
    (SENT, Status.SENT): (),
    (SENT, Status.GIVEN_UP): (NoticeSent(1),),
    (FAILED, Status.WAITING): (),
    (FAILED, Status.READY): (),
    (FAILED, Status.SENDING): (AttemptFailed(1, Reason.DEFERRED, 451, LATER),),
    (FAILED, Status.SENT): (),
    (FAILED, Status.GIVEN_UP): (),
    (RESEND, Status.WAITING): ResendNotPossible,
    (RESEND, Status.READY): (ResendRequested("bounced", NOW),),
    (RESEND, Status.SENDING): ResendNotPossible,
    (RESEND, Status.SENT): (ResendRequested("bounced", NOW),),
    (RESEND, Status.GIVEN_UP): (ResendRequested("bounced", NOW),),
}


@pytest.fixture
def a_notice() -> Callable[..., Notice]:
    def build(status: Status, channel: Channel = Channel.EMAIL, **overrides: Any) -> Notice:
        due = NOW if status in {Status.READY, Status.SENDING} else None
        notice = Notice(an_intent(channel), status, created_at=NOW, since=NOW, send_after=due, attempts=1)
        return replace(notice, **overrides)

    return build


@pytest.mark.parametrize(("command", "status"), OUTCOMES, ids=lambda each: getattr(each, "value", type(each).__name__))
def test_every_command_in_every_status(a_notice: Callable[..., Notice], command: Command, status: Status) -> None:
    expected = OUTCOMES[command, status]
    if isinstance(expected, tuple):
        assert decide(a_notice(status), command, NOW) == expected
    else:
        with pytest.raises(expected):
            decide(a_notice(status), command, NOW)


def test_the_table_is_complete() -> None:
    commands = {type(command) for command, _ in OUTCOMES}
    assert commands == set(TRANSITIONS)
    assert all(set(rules) == set(Status) for rules in TRANSITIONS.values())
    assert len(OUTCOMES) == len(TRANSITIONS) * len(Status)


def test_an_intent_is_created_once(a_notice: Callable[..., Notice]) -> None:
    intent = an_intent()
    assert decide(None, CreateNotice(intent), NOW) == (NoticeCreated(intent, NOW),)
    assert decide(a_notice(Status.SENT), CreateNotice(intent), NOW) == ()


@pytest.mark.parametrize("command", [ADDRESS, START, SENT, FAILED, RESEND], ids=lambda each: type(each).__name__)
def test_a_command_to_a_notice_never_created_raises(command: Command) -> None:
    with pytest.raises(NoticeUnknown):
        decide(None, command, NOW)


def test_an_event_without_a_notice_raises() -> None:
    with pytest.raises(NoticeUnknown):
        evolve(None, NoticeSent(1))


def test_an_inbox_notice_is_sent_as_soon_as_it_is_addressed(a_notice: Callable[..., Notice]) -> None:
    events = decide(a_notice(Status.WAITING, Channel.INBOX), ADDRESS, NOW)
    assert events == (NoticeAddressed("zh", "v1", "route", NOW), NoticeSent(0))


def test_a_mail_without_an_address_is_given_up_and_says_why(a_notice: Callable[..., Notice]) -> None:
    command = AddressNotice("zh", "v1", unreachable=Reason.NO_ADDRESS)
    events = decide(a_notice(Status.WAITING, attempts=0), command, NOW)
    assert events[-1] == NoticeGivenUp(0, Reason.NO_ADDRESS, None)


def test_an_inbox_notice_is_not_sent_again(a_notice: Callable[..., Notice]) -> None:
    with pytest.raises(ResendNotPossible):
        decide(a_notice(Status.SENT, Channel.INBOX), RESEND, NOW)


def test_an_attempt_before_its_time_is_not_due(a_notice: Callable[..., Notice]) -> None:
    with pytest.raises(AttemptNotDue):
        decide(a_notice(Status.READY, send_after=LATER), START, NOW)


def test_a_claim_holds_until_its_lease_ends(a_notice: Callable[..., Notice]) -> None:
    claimed = a_notice(Status.SENDING, send_after=LATER)
    with pytest.raises(AttemptNotDue):
        decide(claimed, START, LATER - timedelta(milliseconds=1))
    assert decide(claimed, START, LATER)


def test_only_the_next_attempt_can_be_claimed(a_notice: Callable[..., Notice]) -> None:
    with pytest.raises(AttemptNotDue):
        decide(a_notice(Status.READY), StartAttempt(1, LATER), NOW)


def test_the_failure_of_an_earlier_attempt_changes_nothing(a_notice: Callable[..., Notice]) -> None:
    assert decide(a_notice(Status.SENDING, attempts=2), FAILED, NOW) == ()


def test_a_failure_without_a_retry_gives_up(a_notice: Callable[..., Notice]) -> None:
    events = decide(a_notice(Status.SENDING), RecordFailure(1, Failure(Reason.REFUSED, 550), None), NOW)
    assert events == (NoticeGivenUp(1, Reason.REFUSED, 550),)
    given_up = evolve(a_notice(Status.SENDING), events[0])
    assert (given_up.status, given_up.send_after, given_up.reply_code) == (Status.GIVEN_UP, None, 550)
