"""The gRPC service, called over a real channel with real tokens."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from services.notifications.tests.notification_builders import an_intent
from services.notifications.tests.notification_desk import Desk

from chassis.rpc import GrpcServer, connect, reason_of
from chassis.rpc.identity import STAFF, TokenSigner, TokenVerifier, create_key
from chassis.settings import DoorSettings
from notifications.contacts import Contact
from notifications.domain.notice import Channel, Status
from notifications.grpc_server import ERASE, READ, RIGHTS, WRITE, NotificationRpc
from trade.notifications.v1 import notifications_pb2 as pb
from trade.notifications.v1.notifications_pb2_grpc import (
    NotificationServiceStub,
    add_NotificationServiceServicer_to_server,
)

DECLARANT = "CN-USCC:91370200MA3C0000X1"
Door = Callable[..., Any]
"""(issuer, rights) → a stub that calls with these."""

UCR = "6CN91370200A0000001"


@pytest.fixture
async def door(desk: Desk, tmp_path: Path) -> AsyncIterator[Door]:
    """`door(issuer, rights)` returns a stub that calls with these."""
    for issuer in (STAFF, "gateway", "matching"):
        create_key(tmp_path, issuer)
    server = GrpcServer(
        DoorSettings(port=0), TokenVerifier(tmp_path), audience="notifications", rights=RIGHTS, reflection=False
    )
    rpc = NotificationRpc(desk.notices, desk.texts, desk.contacts)
    server.register(lambda raw: add_NotificationServiceServicer_to_server(rpc, raw))
    await server.start()
    channels = []

    def stub(issuer: str = STAFF, rights: tuple[str, ...] = (READ, WRITE, ERASE)) -> Any:
        who: dict[str, Any] = {"subject": "li", "rights": rights} if issuer == STAFF else {}
        channel = connect(f"127.0.0.1:{server.port}", TokenSigner(tmp_path, issuer), "notifications", **who)
        channels.append(channel)
        return NotificationServiceStub(channel)

    yield stub
    for channel in channels:
        await channel.close()
    await server.stop(0.1)


async def test_a_firm_reads_its_inbox_in_pages_through_the_gateway(desk: Desk, door: Door) -> None:
    ids = await desk.ready(*(an_intent(Channel.INBOX) for _ in range(5)))
    gateway, token, read = door("gateway"), "", list[pb.InboxMessage]()
    while True:
        page = await gateway.ListInbox(pb.ListInboxRequest(recipient=DECLARANT, page_size=2, page_token=token))
        assert len(page.messages) <= 2
        read += page.messages
        if not (token := page.next_page_token):
            break
    assert sorted(message.notice_id for message in read) == sorted(ids)
    assert {message.text.language for message in read} == {"zh"}
    assert all(message.text.subject and message.ucr == UCR for message in read)


async def test_staff_see_attempts_and_the_text_that_was_sent(desk: Desk, door: Door) -> None:
    ids: list[str] = []
    for _ in range(3):
        ids += await desk.ready(an_intent())
        await desk.clock.advance(seconds=1)
    staff, token, read = door(), "", list[pb.Notice]()
    while True:
        page = await staff.ListNotices(pb.ListNoticesRequest(ucr=UCR, page_size=2, page_token=token))
        read += page.notices
        if not (token := page.next_page_token):
            break
    assert [notice.notice_id for notice in read] == ids, "oldest first"
    assert {notice.status for notice in read} == {pb.NOTICE_STATUS_READY}
    assert read[0].text.email == "declarant@qingdao.example"
    assert read[0].text.subject.startswith("货物已放行")
    assert [line.actor for line in read[0].history] == ["service:declarations", "service:notifications"]


async def test_notices_created_at_the_same_time_are_each_listed_once(desk: Desk, door: Door) -> None:
    ids = await desk.ready(*(an_intent() for _ in range(7)))
    staff, token, read = door(), "", list[str]()
    while True:
        page = await staff.ListNotices(pb.ListNoticesRequest(ucr=UCR, page_size=2, page_token=token))
        read += [notice.notice_id for notice in page.notices]
        if not (token := page.next_page_token):
            break
    assert sorted(read) == sorted(ids)


async def test_staff_resend_with_a_reason_that_is_kept(desk: Desk, door: Door) -> None:
    desk.registry.known.clear()
    (id_,) = await desk.ready(an_intent())
    desk.registry.known[DECLARANT] = Contact("late@qingdao.example", "zh")
    request = pb.ResendNoticeRequest(command_id="c-1", notice_id=id_, reason="address came late")
    answer = await door().ResendNotice(request)
    assert answer.notice.status == pb.NOTICE_STATUS_WAITING
    assert answer.notice.history[-1].actor == "staff:li"
    again = pb.ResendNoticeRequest(command_id=" c-1 ", notice_id=id_, reason="another one")
    assert await refusal(door().ResendNotice(again)) == (grpc.StatusCode.ALREADY_EXISTS, "COMMAND_ID_TAKEN")
    await desk.look_up()
    assert (await desk.state(id_)).status is Status.READY


async def test_erasing_leaves_the_history_and_no_text(desk: Desk, door: Door) -> None:
    await desk.ready(an_intent(Channel.INBOX))
    assert (await door().EraseRecipient(pb.EraseRecipientRequest(recipient=DECLARANT))).erased == 1
    (notice,) = (await door().ListNotices(pb.ListNoticesRequest(ucr=UCR))).notices
    assert not notice.HasField("text")
    assert len(notice.history) == 2


async def refusal(call: Any) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value.code(), reason_of(caught.value)


async def test_refusals_have_stable_reasons(desk: Desk, door: Door) -> None:
    (inbox,) = await desk.ready(an_intent(Channel.INBOX))
    staff, code = door(), grpc.StatusCode
    resend = pb.ResendNoticeRequest(command_id="c", notice_id=inbox, reason="r")
    assert await refusal(staff.ResendNotice(resend)) == (code.FAILED_PRECONDITION, "RESEND_NOT_POSSIBLE")
    unknown = pb.ResendNoticeRequest(command_id="c", notice_id="N-none", reason="r")
    assert await refusal(staff.ResendNotice(unknown)) == (code.NOT_FOUND, "NOTICE_UNKNOWN")
    silent = pb.ResendNoticeRequest(command_id="c", notice_id=inbox, reason=" ")
    assert await refusal(staff.ResendNotice(silent)) == (code.INVALID_ARGUMENT, "REQUEST_INVALID")
    for token in ("x", "W10=", "WyJ4IiwgInkiLCAieiJd"):
        forged = pb.ListInboxRequest(recipient=DECLARANT, page_token=token)
        assert await refusal(staff.ListInbox(forged)) == (code.INVALID_ARGUMENT, "REQUEST_INVALID")
    assert (await refusal(staff.ListInbox(pb.ListInboxRequest())))[0] == code.INVALID_ARGUMENT
    assert (await refusal(staff.ListInbox(pb.ListInboxRequest(recipient="r", page_size=-1))))[
        0
    ] == code.INVALID_ARGUMENT
    turned = pb.ResendNoticeRequest(command_id="c", notice_id=inbox, reason="a\u202eb")
    assert await refusal(staff.ResendNotice(turned)) == (code.INVALID_ARGUMENT, "REQUEST_INVALID")
    for named in ("", " ", "c\u200b", "c\ufe0f", "c\n1", "c" * 129):
        looks_alike = pb.ResendNoticeRequest(command_id=named, notice_id=inbox, reason="r")
        assert await refusal(staff.ResendNotice(looks_alike)) == (code.INVALID_ARGUMENT, "REQUEST_INVALID")
    long = pb.ResendNoticeRequest(command_id="c", notice_id="Ж" * 10_000, reason="r")
    assert await refusal(staff.ResendNotice(long)) == (code.NOT_FOUND, "NOTICE_UNKNOWN")
    assert (await refusal(staff.ListNotices(pb.ListNoticesRequest(ucr=UCR, page_size=-1))))[0] == code.INVALID_ARGUMENT


async def test_each_method_needs_its_right(door: Door) -> None:
    denied = grpc.StatusCode.PERMISSION_DENIED
    reader, gateway, other = door(rights=(READ,)), door("gateway"), door("matching")
    resend = pb.ResendNoticeRequest(command_id="c", notice_id="N", reason="r")
    assert (await refusal(reader.ResendNotice(resend)))[0] == denied
    assert (await refusal(gateway.ResendNotice(resend)))[0] == denied
    assert (await refusal(reader.EraseRecipient(pb.EraseRecipientRequest(recipient="x"))))[0] == denied
    assert (await refusal(gateway.ListNotices(pb.ListNoticesRequest(ucr=UCR))))[0] == denied
    assert (await refusal(other.ListInbox(pb.ListInboxRequest(recipient=DECLARANT))))[0] == denied
