"""`NotificationService`: a firm's inbox, and the notices that support staff see, resend and erase."""

from typing import Any, NoReturn

import grpc
import structlog

from chassis import telemetry
from chassis.aggregates import Document, HistoryLine
from chassis.rpc import Right, abort, current_caller, page_id, page_of, page_place, page_size, stamp_of
from notifications.contacts import KnownContacts
from notifications.domain.life import NoticeUnknown, ResendNotPossible
from notifications.domain.notice import Channel, Notice, Status
from notifications.handlers import CommandIdTaken, Notices, resend
from notifications.texts import StoredText, Texts
from trade.notifications.v1 import notifications_pb2 as pb
from trade.notifications.v1.notifications_pb2_grpc import NotificationServiceServicer
from values.references import CommandId
from values.text import prose_fault

READ, WRITE, ERASE = "notices.read", "notices.write", "notices.erase"

_SERVICE = "/trade.notifications.v1.NotificationService"
RIGHTS = {
    f"{_SERVICE}/ListInbox": Right(services=("gateway",), staff=READ),
    f"{_SERVICE}/ListNotices": Right(services=("tracking",), staff=READ),
    f"{_SERVICE}/ResendNotice": Right(staff=WRITE, publishes=True),
    f"{_SERVICE}/EraseRecipient": Right(staff=ERASE),
}

LONGEST_REASON = 500
LONGEST_COMMAND_ID = 128

log = structlog.get_logger(__name__)

Context = grpc.aio.ServicerContext[Any, Any]

_CHANNEL = {Channel.INBOX: pb.CHANNEL_INBOX, Channel.EMAIL: pb.CHANNEL_EMAIL}
_STATUS = {
    Status.WAITING: pb.NOTICE_STATUS_WAITING,
    Status.READY: pb.NOTICE_STATUS_READY,
    Status.SENDING: pb.NOTICE_STATUS_SENDING,
    Status.SENT: pb.NOTICE_STATUS_SENT,
    Status.GIVEN_UP: pb.NOTICE_STATUS_GIVEN_UP,
}


class NotificationRpc(NotificationServiceServicer):
    """Notices over gRPC."""

    def __init__(self, notices: Notices, texts: Texts, contacts: KnownContacts) -> None:
        self._notices = notices
        self._texts = texts
        self._contacts = contacts

    async def ListInbox(self, request: pb.ListInboxRequest, context: Context) -> pb.ListInboxResponse:  # noqa: N802 - the proto's name
        if not request.recipient:
            await _refuse(context, "recipient", "is needed")
        list_ = f"inbox of {request.recipient}"
        size = page_size(request.page_size)
        found = await self._texts.inbox(request.recipient, page_place(request.page_token, list_), size + 1)
        page, following = page_of(found, size, list_, lambda each: (each.stored_at, each.notice_id))
        return pb.ListInboxResponse(
            messages=[
                pb.InboxMessage(
                    notice_id=each.notice_id,
                    ucr=each.ucr or "",
                    template=each.template,
                    text=_text(each),
                    delivered_at=stamp_of(each.stored_at),
                )
                for each in page
            ],
            next_page_token=following,
        )

    async def ListNotices(self, request: pb.ListNoticesRequest, context: Context) -> pb.ListNoticesResponse:  # noqa: N802 - the proto's name
        if not request.ucr:
            await _refuse(context, "ucr", "is needed")
        list_ = f"notices of {request.ucr}"
        size = page_size(request.page_size)
        # Ordered by creation time in the form in which the document stores it, a string.
        created_at, _, id_ = page_id(request.page_token, list_).partition(" ")
        where: dict[str, Any] = {"state.intent.ucr": request.ucr}
        if created_at:
            where["$or"] = [
                {"state.created_at": {"$gt": created_at}},
                {"state.created_at": created_at, "_id": {"$gt": id_}},
            ]
        order = [("state.created_at", 1), ("_id", 1)]
        found = await self._notices.documents.find(where, sort=order, limit=size + 1)
        page, following = page_of(found, size, list_, lambda each: f"{each['state']['created_at']} {each['_id']}")
        texts = await self._texts.load([document["_id"] for document in page])
        return pb.ListNoticesResponse(
            notices=[self._notice(document, texts.get(document["_id"])) for document in page],
            next_page_token=following,
        )

    async def ResendNotice(self, request: pb.ResendNoticeRequest, context: Context) -> pb.ResendNoticeResponse:  # noqa: N802 - the proto's name
        reason = request.reason.strip()
        if fault := prose_fault(reason):
            await _refuse(context, "reason", f"has no control or direction characters, {fault.found} is one")
        if not reason or len(reason) > LONGEST_REASON:
            await _refuse(
                context, "reason", f"is required, at most {LONGEST_REASON} characters; it is kept in the audit"
            )
        command_id = CommandId(request.command_id)
        if command_id.fault() or len(command_id) > LONGEST_COMMAND_ID:
            words = f"is the caller's own id of this command: at most {LONGEST_COMMAND_ID} visible characters"
            await _refuse(context, "command_id", words)
        code = grpc.StatusCode
        try:
            await resend(
                self._notices,
                command_id=command_id,
                notice_id=request.notice_id,
                reason=reason,
                actor=current_caller().actor,
            )
        except NoticeUnknown:
            await abort(context, code.NOT_FOUND, "NOTICE_UNKNOWN", f"there is no notice {request.notice_id!r}")
        except ResendNotPossible as error:
            await abort(context, code.FAILED_PRECONDITION, "RESEND_NOT_POSSIBLE", str(error))
        except CommandIdTaken:
            await abort(context, code.ALREADY_EXISTS, "COMMAND_ID_TAKEN", "the command id was used with another reason")
        documents = await self._notices.documents.load([request.notice_id])
        texts = await self._texts.load([request.notice_id])
        return pb.ResendNoticeResponse(notice=self._notice(documents[request.notice_id], texts.get(request.notice_id)))

    async def EraseRecipient(self, request: pb.EraseRecipientRequest, context: Context) -> pb.EraseRecipientResponse:  # noqa: N802 - the proto's name
        if not request.recipient:
            await _refuse(context, "recipient", "must be SCHEME:VALUE of an enterprise")
        self._contacts.forget(request.recipient)
        erased = await self._texts.erase(request.recipient)
        log.info("recipient_erased", recipient=request.recipient, erased=erased, actor=current_caller().actor)
        return pb.EraseRecipientResponse(erased=erased)

    def _notice(self, document: Document, text: StoredText | None) -> pb.Notice:
        notice: Notice = self._notices.type.codec.decode(document["state"])
        intent = notice.intent
        return pb.Notice(
            notice_id=intent.id,
            ucr=intent.ucr or "",
            source_event_id=intent.source_event_id,
            source_event_type=intent.source_event_type,
            recipient=intent.recipient,
            channel=_CHANNEL[intent.channel],
            template=intent.template,
            template_version=notice.template_version,
            message_id=intent.message_id,
            status=_STATUS[notice.status],
            attempts=notice.attempts,
            reason=notice.reason or "",
            reply_code=notice.reply_code or 0,
            next_attempt_at=stamp_of(notice.send_after),
            text=_text(text) if text else None,
            history=[_line(line) for line in document["history"]],
        )


async def _refuse(context: Context, field: str, rule: str) -> NoReturn:
    message = f"{field}: {rule}"
    await abort(context, grpc.StatusCode.INVALID_ARGUMENT, "REQUEST_INVALID", message, [(field, rule)])


def _text(stored: StoredText) -> pb.Text:
    return pb.Text(subject=stored.subject, body=stored.body, language=stored.language, email=stored.email)


def _line(line: HistoryLine) -> pb.HistoryLine:
    return pb.HistoryLine(
        at=stamp_of(line["at"]),
        actor=line["by"],
        cause=line["cause"],
        events=line["events"],
        trace_id=telemetry.trace_id(line["trace"]),
    )
