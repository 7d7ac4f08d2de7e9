"""Mail as a claimed effect: the commands that claim an attempt and record its result, and the attempt itself.

Invariant: every attempt uses the Message-ID of its notice, and an erased text is not sent.
"""

import structlog

from chassis.waiting import Effect, NotTaken, Route, Taken
from notifications.domain.life import AttemptNotDue
from notifications.domain.notice import (
    Command,
    Failure,
    Notice,
    Reason,
    RecordFailure,
    RecordSent,
    StartAttempt,
    Status,
)
from notifications.handlers import ACTOR
from notifications.mail import Handover, Mail, Post
from notifications.texts import StoredText, Texts

log = structlog.get_logger(__name__)


def mail_effect(texts: Texts, post: Post) -> Effect[Notice, Command, StoredText, Failure]:
    """The mail of a notice, handed over by `post`."""

    async def attempt(notice: Notice, text: StoredText | None) -> Handover:
        return _logged(notice, await _hand_over(post, notice, text))

    return Effect(
        name="mail",
        actor=ACTOR,
        route=Route(lambda notice: notice.route, "route"),
        id=lambda notice: notice.intent.id,
        waits=lambda notice: notice.status is Status.READY,
        attempts=lambda notice: notice.attempts,
        since=lambda notice: notice.since,
        load=texts.load,
        attempt=attempt,
        broke=_broke,
        claim=StartAttempt,
        taken=RecordSent,
        not_taken=RecordFailure,
        not_due=AttemptNotDue,
        attributes=lambda notice: {
            "messaging.system": "smtp",
            "messaging.operation.type": "send",
            "messaging.message.id": notice.intent.message_id,
        },
    )


async def _hand_over(post: Post, notice: Notice, text: StoredText | None) -> Handover:
    if text is None or not text.email:
        return NotTaken(Failure(Reason.ERASED), final=True)
    return await post.hand_over(
        Mail(notice.intent.message_id, text.email, text.subject, text.body, text.language, text.stored_at)
    )


def _broke(notice: Notice, _: Exception) -> NotTaken[Failure]:
    log.exception("mail_not_composed", notice=notice.intent.id)
    fault = NotTaken(Failure(Reason.FAULT))
    _logged(notice, fault)
    return fault


def _logged(notice: Notice, handover: Handover) -> Handover:
    match handover:
        case Taken():
            log.info("mail_sent", notice=notice.intent.id, attempt=notice.attempts)
        case NotTaken(Failure(reason, reply_code)):
            log.warning("mail_not_taken", notice=notice.intent.id, reason=reason, reply_code=reply_code)
    return handover
