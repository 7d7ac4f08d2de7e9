"""A firm's inbox over HTTP, and over gRPC from a fake notifications service."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
import pytest

from chassis.rpc import GrpcServer, Right, abort, connect
from chassis.rpc.identity import TokenSigner, TokenVerifier, create_key
from chassis.settings import DoorSettings
from gateway.domain.faults import Refused
from gateway.notices.notifications_client import LIST_INBOX, NoticeShown, NotificationsClient
from trade.notifications.v1 import notifications_pb2 as pb
from trade.notifications.v1.notifications_pb2_grpc import (
    NotificationServiceServicer,
    add_NotificationServiceServicer_to_server,
)

FIRM = "CN-USCC:91370200MB2F00QD1X"
AT = datetime(2026, 1, 5, 8, tzinfo=UTC)


def a_notice(number: int, ucr: str = "U-1") -> NoticeShown:
    return NoticeShown(f"N-{number}", ucr, "notice.released", "放行", "可以提离", "zh", AT)


async def test_a_firm_reads_its_own_notices_page_by_page(gateway: Any) -> None:
    gateway.notices.stored[FIRM] = [a_notice(number) for number in range(5)]
    gateway.notices.stored["KZ-BIN:190540000014"] = [a_notice(99)]
    headers, seen, page = gateway.firm(FIRM), [], ""
    while True:
        answer = await gateway.http.get("/v1/notices", params={"limit": 2, "page": page}, headers=headers)
        assert answer.status_code == 200
        seen += [notice["id"] for notice in answer.json()["notices"]]
        page = answer.json().get("next_page", "")
        if not page:
            break
    assert seen == [f"N-{number}" for number in range(5)]
    assert answer.json()["notices"][0] == {
        "id": "N-4",
        "ucr": "U-1",
        "template": "notice.released",
        "language": "zh",
        "subject": "放行",
        "body": "可以提离",
        "delivered_at": AT.isoformat(),
    }


async def test_a_notice_about_a_match_names_no_shipment(gateway: Any) -> None:
    gateway.notices.stored[FIRM] = [a_notice(1, ucr="")]
    answer = await gateway.http.get("/v1/notices", headers=gateway.firm(FIRM))
    assert "ucr" not in answer.json()["notices"][0]


async def test_the_inbox_needs_a_firms_key_and_a_plain_limit(gateway: Any) -> None:
    assert (await gateway.http.get("/v1/notices")).status_code == 401
    assert (await gateway.http.get("/v1/notices", headers=gateway.partner())).status_code == 404
    odd = await gateway.http.get("/v1/notices", params={"limit": "all"}, headers=gateway.firm(FIRM))
    assert odd.status_code == 400


async def test_while_notifications_is_unreachable_only_the_inbox_is_unavailable(gateway: Any) -> None:
    gateway.notices.away = True
    headers = gateway.firm(FIRM)
    answer = await gateway.http.get("/v1/notices", headers=headers | {"Accept-Language": "ru"})
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:trade:problem:notices-away")
    assert int(answer.headers["Retry-After"]) > 0
    assert "уведомлений" in answer.json()["detail"]
    lodged = await gateway.http.post("/v1/declarations", json=gateway.a_declaration(), headers=headers)
    assert lodged.status_code == 202
    assert (await gateway.http.get(lodged.json()["status_url"], headers=headers)).status_code == 200


@dataclass
class StandIn(NotificationServiceServicer):
    """A fake notifications service."""

    asked: list[pb.ListInboxRequest] = field(default_factory=list)

    async def ListInbox(self, request: pb.ListInboxRequest, context: Any) -> pb.ListInboxResponse:  # noqa: N802 - the proto's name
        self.asked.append(request)
        if request.page_token == "bad":
            await abort(context, grpc.StatusCode.INVALID_ARGUMENT, "REQUEST_INVALID", "page_token", [])
        message = pb.InboxMessage(notice_id="N-1", ucr="U-1", template="notice.released")
        message.text.MergeFrom(pb.Text(subject="s", body="b", language="ru"))
        message.delivered_at.FromDatetime(AT)
        return pb.ListInboxResponse(messages=[message], next_page_token="more")


@dataclass
class Peer:
    client: NotificationsClient
    stand_in: StandIn
    server: GrpcServer


@pytest.fixture
async def peer(tmp_path: Path) -> AsyncIterator[Peer]:
    create_key(tmp_path, "gateway")
    server = GrpcServer(
        DoorSettings(host="127.0.0.1", port=0),
        TokenVerifier(tmp_path),
        audience="notifications",
        rights={LIST_INBOX: Right(services=("gateway",))},
    )
    stand_in = StandIn()  # type: ignore[abstract]  # only ListInbox is called
    server.register(lambda raw: add_NotificationServiceServicer_to_server(stand_in, raw))
    await server.start()
    channel = connect(f"127.0.0.1:{server.port}", TokenSigner(tmp_path, "gateway"), audience="notifications")
    yield Peer(NotificationsClient(channel), stand_in, server)
    await channel.close()
    await server.stop(1)


async def test_the_answer_of_notifications_is_passed_on(peer: Peer) -> None:
    page = await peer.client.of_firm(FIRM, limit=20, page="from")
    assert list(page.notices) == [NoticeShown("N-1", "U-1", "notice.released", "s", "b", "ru", AT)]
    assert page.next_page == "more"
    (asked,) = peer.stand_in.asked
    assert (asked.recipient, asked.page_size, asked.page_token) == (FIRM, 20, "from")


async def test_a_page_token_of_another_firm_is_refused(peer: Peer) -> None:
    with pytest.raises(Refused) as refused:
        await peer.client.of_firm(FIRM, limit=20, page="bad")
    assert (refused.value.problem, refused.value.faults[0].pointer) == ("invalid-parameter", "page")


async def test_an_unreachable_peer_is_reported_at_once(peer: Peer) -> None:
    await peer.server.stop(0)
    with pytest.raises(Refused) as refused:
        await peer.client.of_firm(FIRM, limit=20, page="")
    assert refused.value.problem == "notices-away"
