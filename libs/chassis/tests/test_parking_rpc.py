"""Staff list parked deliveries page by page, and redrive or discard them with a reason."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from tallies import SOURCE_TOPIC, TALLY, TOPIC, a_record, subscription

from chassis.delivery.policy import DeliveryPolicy
from chassis.mending.rpc import PARKING_RIGHTS, add_parking_service
from chassis.rpc import GrpcServer, TokenSigner, TokenVerifier, connect, create_key, reason_of
from chassis.settings import DoorSettings
from chassis.testing import ManualClock, MemoryParking, in_memory
from trade.parking.v1 import parking_pb2 as pb
from trade.parking.v1.parking_pb2_grpc import ParkingServiceStub


class World:
    def __init__(self, keys: Path) -> None:
        for issuer in ("staff", "tracking", "gateway"):
            create_key(keys, issuer)
        self._keys = keys
        self.clock = ManualClock()
        self.parking = MemoryParking(self.clock)
        self.tallies, _ = in_memory(TALLY, topic=TOPIC, clock=self.clock)
        self.policy = DeliveryPolicy([subscription(self.tallies)], self.parking, self.clock, build="b")
        self.server = GrpcServer(DoorSettings(port=0), TokenVerifier(keys), audience="x", rights=PARKING_RIGHTS)
        self.server.register(lambda raw: add_parking_service(raw, self.policy, self.parking))
        self.channels: list[grpc.aio.Channel] = []

    def staff(self, *rights: str) -> Any:
        address, signer = f"127.0.0.1:{self.server.port}", TokenSigner(self._keys, "staff")
        self.channels.append(connect(address, signer, "x", subject="li", rights=rights))
        return ParkingServiceStub(self.channels[-1])

    def service(self, name: str) -> Any:
        address = f"127.0.0.1:{self.server.port}"
        self.channels.append(connect(address, TokenSigner(self._keys, name), "x"))
        return ParkingServiceStub(self.channels[-1])


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    world = World(tmp_path)
    await world.server.start()
    yield world
    for channel in world.channels:
        await channel.close()
    await world.server.stop(0.1)


async def failure(call: Any) -> tuple[str, str]:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await call
    return raised.value.code().name, reason_of(raised.value)


async def test_pages_show_all_once(world: World) -> None:
    await world.policy.process([a_record(number, -1, [f"T-{number}"], key=str(number)) for number in range(5)])
    staff = world.staff("parking.read")
    seen, token = [], ""
    while True:
        page = await staff.ListParked(pb.ListParkedRequest(page_size=2, page_token=token))
        seen += [each.offset for each in page.parked]
        token = page.next_page_token
        if not token:
            break
    assert seen == [0, 1, 2, 3, 4]


async def test_of_services_only_the_desks_may_list_targets_and_nothing_else(world: World) -> None:
    await world.service("tracking").ListTargets(pb.ListTargetsRequest())
    assert (await failure(world.service("gateway").ListTargets(pb.ListTargetsRequest())))[0] == "PERMISSION_DENIED"
    assert (await failure(world.service("tracking").ListParked(pb.ListParkedRequest())))[0] == "PERMISSION_DENIED"


@pytest.mark.parametrize("token", ["nonsense", "W10=", "ImEi", "äöü"])
async def test_a_token_of_nobody_is_refused(world: World, token: str) -> None:
    call = world.staff("parking.read").ListParked(pb.ListParkedRequest(page_token=token))
    assert await failure(call) == ("INVALID_ARGUMENT", "REQUEST_INVALID")


async def test_a_token_of_another_target_is_refused(world: World) -> None:
    await world.policy.process([a_record(0, -1), a_record(1, 1)])
    staff = world.staff("parking.read")
    page = await staff.ListParked(pb.ListParkedRequest(target="T-1", page_size=1))
    call = staff.ListParked(pb.ListParkedRequest(target="T-2", page_token=page.next_page_token))
    assert await failure(call) == ("INVALID_ARGUMENT", "REQUEST_INVALID")


async def test_one_delivery_is_shown_with_all_it_was(world: World) -> None:
    await world.policy.process([a_record(0, -1)])
    staff = world.staff("parking.read")
    shown = await staff.ShowParked(pb.ShowParkedRequest(id=f"{SOURCE_TOPIC}/0/0/T-1"))
    assert shown.headers["ce_id"] == b"S/0.0"
    assert shown.value == a_record(0, -1).value
    assert "NegativeAmount" in shown.stack
    assert (shown.parked.reason, shown.parked.event_id) == ("refused", "S/0.0")
    assert await failure(staff.ShowParked(pb.ShowParkedRequest(id="x"))) == ("NOT_FOUND", "NOT_PARKED")


async def test_changing_needs_the_right_and_a_reason(world: World) -> None:
    await world.policy.process([a_record(0, -1)])
    redrive, discard = pb.RedriveTargetRequest(target="T-1"), pb.DiscardParkedRequest(id=f"{SOURCE_TOPIC}/0/0/T-1")
    reader, writer = world.staff("parking.read"), world.staff("parking.write")
    assert (await failure(reader.RedriveTarget(redrive)))[0] == "PERMISSION_DENIED"
    assert (await failure(reader.DiscardParked(discard)))[0] == "PERMISSION_DENIED"
    assert (await failure(writer.RedriveTarget(redrive)))[0] == "INVALID_ARGUMENT"
    discard.reason = "  "
    assert (await failure(writer.DiscardParked(discard)))[0] == "INVALID_ARGUMENT"
    assert await world.parking.counts() == (1, 1)


async def test_redrive_and_discard_keep_who_did_it_and_why(world: World) -> None:
    await world.policy.process([a_record(0, -1), a_record(1, 5)])
    staff = world.staff("parking.write")
    again = await staff.RedriveTarget(pb.RedriveTargetRequest(target="T-1", reason="try"))
    assert (again.applied, again.remaining) == (0, 2)
    await staff.DiscardParked(pb.DiscardParkedRequest(id=f"{SOURCE_TOPIC}/0/0/T-1", reason="wrong sign"))
    done = await staff.RedriveTarget(pb.RedriveTargetRequest(target="T-1", reason="rest"))
    assert (done.applied, done.remaining) == (1, 0)
    assert [(each["by"], each["why"]) for each in world.parking.audit_lines] == [
        ("staff:li", "try"),
        ("staff:li", "wrong sign"),
        ("staff:li", "rest"),
    ]
    call = staff.RedriveTarget(pb.RedriveTargetRequest(target="T-1", reason="again"))
    assert await failure(call) == ("NOT_FOUND", "NOT_PARKED")
