"""gRPC client of notifications: a firm's inbox."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import grpc

from chassis.failures import is_infrastructure
from chassis.rpc import moment_of
from gateway.domain.faults import Fault, Refused
from trade.notifications.v1 import notifications_pb2 as pb
from trade.notifications.v1.notifications_pb2_grpc import NotificationServiceStub

LIST_INBOX = "/trade.notifications.v1.NotificationService/ListInbox"

DEADLINE_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class NoticeShown:
    """One notice of a firm's inbox."""

    id: str
    ucr: str
    """Empty if the notice is about a match."""
    template: str
    subject: str
    body: str
    language: str
    delivered_at: datetime


@dataclass(frozen=True, slots=True)
class NoticePage:
    notices: Sequence[NoticeShown]
    next_page: str
    """Token of the next page; empty on the last page."""


class Notices(Protocol):
    async def of_firm(self, firm: str, *, limit: int, page: str) -> NoticePage:
        """A page of a firm's notices (`SCHEME:VALUE`), newest first.

        Raises:
            Refused: notifications is unreachable, or `page` is not a page of this firm's inbox.
        """
        ...


class NotificationsClient:
    """Notices over gRPC."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = NotificationServiceStub(channel)

    async def of_firm(self, firm: str, *, limit: int, page: str) -> NoticePage:
        asked = pb.ListInboxRequest(recipient=firm, page_size=limit, page_token=page)
        try:
            answer = await self._stub.ListInbox(asked, timeout=DEADLINE_SECONDS)
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.INVALID_ARGUMENT and page:
                raise Refused("invalid-parameter", [Fault("parameter.page", "page")]) from None
            if is_infrastructure(error):
                raise Refused("notices-away") from error
            raise
        return NoticePage([_shown(each) for each in answer.messages], answer.next_page_token)


def _shown(message: pb.InboxMessage) -> NoticeShown:
    return NoticeShown(
        id=message.notice_id,
        ucr=message.ucr,
        template=message.template,
        subject=message.text.subject,
        body=message.text.body,
        language=message.text.language,
        delivered_at=moment_of(message.delivered_at),
    )
