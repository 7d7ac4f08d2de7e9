"""The gRPC face: a firm's inbox, what support staff see and may ask for."""

from datetime import datetime
from typing import Any, NoReturn

import grpc
import structlog
from google.protobuf.timestamp_pb2 import Timestamp

from chassis import telemetry
from chassis.aggregates.document import Document
from chassis.rpc import Right, abort, current_caller
from notifications.domain.life import NoticeUnknown, ResendNotPossible
from notifications.domain.notice import Channel, Notice, Status
from notifications.handlers import CommandIdTaken, Notices, resend
from notifications.paging import BadPageToken, read_token, write_token
from notifications.texts import StoredText, Texts
from trade.notifications.v1 import notifications_pb2 as pb
from trade.notifications.v1.notifications_pb2_grpc import NotificationServiceServicer
from values.moments import read_moment

READ, WRITE, ERASE = "notices.read", "notices.write", "notices.erase"

_SERVICE = "/trade.notifications.v1.NotificationService"
RIGHTS = {
    f"{_SERVICE}/ListInbox": Right(services=("gateway",), staff=READ),
    f"{_SERVICE}/ListNotices": Right(services=("tracking",), staff=READ),
    f"{_SERVICE}/ResendNotice": Right(staff=WRITE),
    f"{_SERVICE}/EraseRecipient": Right(staff=ERASE),
}

PAGE_SIZE = 50
MAX_PAGE_SIZE = 200
LONGEST_REASON = 500

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

    def __init__(self, notices: Notices, texts: Texts) -> None:
        self._notices = notices
        self._texts = texts

    async def ListInbox(self, request: pb.ListInboxRequest, context: Context) -> pb.ListInboxResponse:  # noqa: N802 - the proto's name
        size, mark = await _page(context, request.recipient, request.page_size, request.page_token, "recipient")
        after = None
        if mark is not None:
            try:
                after = read_moment(mark[0]), mark[1]
            except ValueError:
                await _refuse(context, "page_token", "is one of this service's, used with the same recipient")
        found = await self._texts.inbox(request.recipient, after, size + 1)
        page = found[:size]
        last = write_token((page[-1].stored_at.isoformat(), page[-1].notice_id), request.recipient) if page else ""
        return pb.ListInboxResponse(
            messages=[
                pb.InboxMessage(
                    notice_id=each.notice_id,
                    ucr=each.ucr or "",
                    template=each.template,
                    text=_text(each),
                    delivered_at=_moment(each.stored_at),
                )
                for each in page
            ],
            next_page_token=last if len(found) > size else "",
        )

    async def ListNotices(self, request: pb.ListNoticesRequest, context: Context) -> pb.ListNoticesResponse:  # noqa: N802 - the proto's name
        size, mark = await _page(context, request.ucr, request.page_size, request.page_token, "ucr")
        where: dict[str, Any] = {"state.intent.ucr": request.ucr}
        if mark is not None:
            where["$or"] = [
                {"state.created_at": {"$gt": mark[0]}},
                {"state.created_at": mark[0], "_id": {"$gt": mark[1]}},
            ]
        order = [("state.created_at", 1), ("_id", 1)]
        found = await self._notices.documents.find(where, sort=order, limit=size + 1)
        page = found[:size]
        last = write_token((page[-1]["state"]["created_at"], page[-1]["_id"]), request.ucr) if page else ""
        texts = await self._texts.load([document["_id"] for document in page])
        return pb.ListNoticesResponse(
            notices=[self._notice(document, texts.get(document["_id"])) for document in page],
            next_page_token=last if len(found) > size else "",
        )

    async def ResendNotice(self, request: pb.ResendNoticeRequest, context: Context) -> pb.ResendNoticeResponse:  # noqa: N802 - the proto's name
        reason = request.reason.strip()
        if not reason or len(reason) > LONGEST_REASON:
            await _refuse(
                context, "reason", f"says why in at most {LONGEST_REASON} characters; it is kept in the audit"
            )
        if not request.command_id:
            await _refuse(context, "command_id", "is the caller's own id of this command")
        code = grpc.StatusCode
        try:
            await resend(
                self._notices,
                command_id=request.command_id,
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
            await _refuse(context, "recipient", "is SCHEME:VALUE of an enterprise")
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
            next_attempt_at=_moment(notice.send_after) if notice.send_after else None,
            text=_text(text) if text else None,
            history=[_line(line) for line in document["history"]],
        )


async def _page(
    context: Context, subject: str, page_size: int, token: str, field: str
) -> tuple[int, tuple[str, str] | None]:
    """Size and beginning of the page asked for; ends the call where the request is wrong."""
    if not subject:
        await _refuse(context, field, "is needed")
    if page_size < 0:
        await _refuse(context, "page_size", "is not negative")
    try:
        mark = read_token(token, subject)
    except BadPageToken:
        await _refuse(context, "page_token", f"is one of this service's, used with the same {field}")
    return min(page_size or PAGE_SIZE, MAX_PAGE_SIZE), mark


async def _refuse(context: Context, field: str, rule: str) -> NoReturn:
    message = f"{field}: {rule}"
    await abort(context, grpc.StatusCode.INVALID_ARGUMENT, "REQUEST_INVALID", message, [(field, rule)])


def _text(stored: StoredText) -> pb.Text:
    return pb.Text(subject=stored.subject, body=stored.body, language=stored.language, email=stored.email)


def _line(line: dict[str, Any]) -> pb.HistoryLine:
    return pb.HistoryLine(
        at=_moment(line["at"]),
        actor=line["by"],
        cause=line["cause"],
        events=line["events"],
        trace_id=telemetry.trace_id(line["trace"]),
    )


def _moment(value: datetime) -> Timestamp:
    moment = Timestamp()
    moment.FromDatetime(value)
    return moment
