"""Events of a notice ↔ payloads on `notifications.events.v1`. Every payload repeats the subject of the notice."""

from typing import Any, assert_never

from contracts.notifications import v1
from contracts.values import Payload
from notifications.domain.notice import (
    AttemptFailed,
    AttemptStarted,
    Channel,
    Event,
    Intent,
    Notice,
    NoticeAddressed,
    NoticeCreated,
    NoticeGivenUp,
    NoticeSent,
    Point,
    Reason,
    ResendRequested,
)

_TYPE_OF = {payload: type_ for type_, payload in v1.EVENTS.items()}


class UnknownEvent(Exception):
    """An event type that notifications does not publish."""


class NoticeMessages:
    def encode(self, event: Event, state: Notice) -> tuple[str, bytes]:
        payload = _payload(event, state)
        return _TYPE_OF[type(payload)], payload.model_dump_json(exclude_none=True).encode()

    def decode(self, type: str, data: bytes) -> Event:  # noqa: A002 - CloudEvents' own name
        """The domain event of a payload.

        Raises:
            UnknownEvent: not an event type of this service.
        """
        if type not in v1.EVENTS:
            raise UnknownEvent(type)
        return _event(v1.EVENTS[type].model_validate_json(data))


def _about(intent: Intent) -> dict[str, Any]:
    return {
        "notice_id": intent.id,
        "ucr": intent.ucr,
        "source_event_id": intent.source_event_id,
        "source_event_type": intent.source_event_type,
        "recipient": intent.recipient,
        "channel": v1.Channel(intent.channel),
        "template": intent.template,
        "message_id": intent.message_id,
    }


def _payload(event: Event, state: Notice) -> v1.NoticeFact:
    about = _about(state.intent)
    match event:
        case NoticeCreated():
            return _created(event)
        case NoticeAddressed(language, version, route, addressed_at):
            return v1.NoticeAddressed(
                **about, language=language, template_version=version, route=route, addressed_at=addressed_at
            )
        case AttemptStarted(attempt, lease_until):
            return v1.AttemptStarted(**about, attempt=attempt, lease_until=lease_until)
        case NoticeSent(attempt):
            return v1.NoticeSent(
                **about, attempt=attempt, language=state.language, template_version=state.template_version
            )
        case AttemptFailed(attempt, reason, reply_code, next_attempt_at):
            return v1.AttemptFailed(
                **about,
                attempt=attempt,
                reason=v1.FailureReason(reason),
                reply_code=reply_code,
                next_attempt_at=next_attempt_at,
            )
        case NoticeGivenUp(attempt, reason, reply_code):
            return v1.NoticeGivenUp(**about, attempt=attempt, reason=v1.FailureReason(reason), reply_code=reply_code)
        case ResendRequested(reason, asked_at):
            return v1.ResendRequested(**about, reason=reason, asked_at=asked_at)
        case _ as never:
            assert_never(never)


def _created(event: NoticeCreated) -> v1.NoticeCreated:
    intent = event.intent
    points = tuple(
        v1.Point(code=each.code, pointer=each.pointer, parameters=dict(each.parameters)) for each in intent.points
    )
    return v1.NoticeCreated(
        **_about(intent),
        declaration_id=intent.declaration_id,
        parameters=dict(intent.parameters),
        points=points,
        asked_at=event.asked_at,
        language=event.language or None,
        template_version=event.template_version or None,
        route=event.route or None,
    )


def _event(payload: Payload) -> Event:
    match payload:
        case v1.NoticeCreated():
            return NoticeCreated(
                _intent(payload),
                payload.asked_at,
                payload.language or "",
                payload.template_version or "",
                payload.route or "",
            )
        case v1.NoticeAddressed():
            return NoticeAddressed(payload.language, payload.template_version, payload.route, payload.addressed_at)
        case v1.AttemptStarted():
            return AttemptStarted(payload.attempt, payload.lease_until)
        case v1.NoticeSent():
            return NoticeSent(payload.attempt)
        case v1.AttemptFailed():
            return AttemptFailed(payload.attempt, Reason(payload.reason), payload.reply_code, payload.next_attempt_at)
        case v1.NoticeGivenUp():
            return NoticeGivenUp(payload.attempt, Reason(payload.reason), payload.reply_code)
        case v1.ResendRequested():
            return ResendRequested(payload.reason, payload.asked_at)
        case _:
            raise UnknownEvent(type(payload).__name__)


def _intent(payload: v1.NoticeCreated) -> Intent:
    return Intent(
        id=payload.notice_id,
        ucr=payload.ucr,
        declaration_id=payload.declaration_id,
        source_event_id=payload.source_event_id,
        source_event_type=payload.source_event_type,
        recipient=payload.recipient,
        channel=Channel(payload.channel),
        template=payload.template,
        message_id=payload.message_id,
        parameters=payload.parameters,
        points=tuple(Point(each.code, each.pointer, each.parameters) for each in payload.points),
    )
