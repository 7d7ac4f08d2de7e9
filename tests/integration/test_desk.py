"""What the desk says, on real parts: what a service holds back of a shipment is the obstacle, until it is mended."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from aiokafka import AIOKafkaProducer

from chassis.testing import eventually
from contracts.envelope import Envelope
from launcher.platform import Platform
from trade.parking.v1 import parking_pb2 as pb
from trade.parking.v1.parking_pb2_grpc import ParkingServiceStub
from trade_cli.demo_facts import facts
from trade_cli.doors import doors
from trade_cli.enrolment import issue_keys, register
from trade_cli.partner_moves import event
from trade_cli.platform import Platform as Addresses
from trade_cli.tracking_client import TrackingClient, tracking

PORT = next(each for each in facts().partners if each.code == "port-qd")
TOPIC = "partners.events.v1"


async def test_what_is_parked_of_a_shipment_is_its_obstacle_until_it_is_mended(platform: Platform) -> None:
    addresses, told = Addresses.model_validate(platform.describe()), facts()
    await register(addresses, told.enterprises)
    firms = [each for each in told.enterprises if each.id == told.declarant]
    keys = await issue_keys(addresses, firms, [PORT], label="desk")
    mark = uuid4().hex[:10].upper()
    declaration = {**told.declaration, "lrn": f"DESK-{mark}", "ucr": f"6CN91370200MA3DEMX012-{mark}"}
    async with doors(addresses) as gateway, tracking(addresses) as desk:
        ucr = str((await gateway.lodge(keys[told.declarant], declaration))["ucr"])
        await _until(desk, ucr, lambda view: _waits_for(view) == ["arrival"])
        await _publish_what_nobody_can_read(addresses.kafka, ucr, f"PE-{mark}/0.1")
        await gateway.tell(keys[PORT.code], event(ucr, "arrival", now=datetime.now(UTC)))

        view = await _until(desk, ucr, lambda view: view["held"] and view["held"][0]["count"] == 2)
        first = view["situations"][0]["obstacles"][0]
        assert (first["waiting_for"], first["who"], first["actor"]) == ("held", "platform", "declarations")
        assert first["since"] == view["held"][0]["since"]
        assert view["held"][0]["text"].startswith("Platform: 2 reports parked by declarations since ")
        assert view["held_unknown"] == []

        await _mend(addresses, f"{TOPIC}|{ucr}")
        view = await _until(desk, ucr, lambda view: not view["held"] and view["situations"][0]["where"] != "prelodged")
        assert "held" not in _waits_for(view)


async def _publish_what_nobody_can_read(kafka: str, ucr: str, id_: str) -> None:
    """A record that bears the gateway's stamp and does not fit its contract."""
    envelope = Envelope(
        id=id_,
        source="/trade/gateway",
        type="trade.partners.shipment.gate_in.v1",
        time=datetime.now(UTC),
        subject=id_.partition("/")[0],
        sequence=1,
        partitionkey=ucr,
        causationid="desk",
        actor=f"partner:{PORT.code}",
        trace={},
    )
    value = json.dumps({"classifier": 7, "references": {"ucr": ucr}}).encode()
    async with AIOKafkaProducer(bootstrap_servers=kafka) as producer:
        await producer.send_and_wait(TOPIC, value, key=ucr.encode(), headers=list(envelope.headers()))


async def _mend(addresses: Addresses, target: str) -> None:
    """Give up what failed and replay what waits behind it, as staff do."""
    async with addresses.channel("declarations") as channel:
        stub = ParkingServiceStub(channel)
        listed = await stub.ListParked(pb.ListParkedRequest(target=target))
        failed = next(each for each in listed.parked if each.reason != "behind")
        await stub.DiscardParked(pb.DiscardParkedRequest(id=failed.id, reason="no report of the port"))
        await stub.RedriveTarget(pb.RedriveTargetRequest(target=target, reason="goes on"))


def _waits_for(view: Any) -> list[str]:
    return [each["waiting_for"] for situation in view["situations"] for each in situation["obstacles"]]


async def _until(desk: TrackingClient, ucr: str, holds: Callable[[Any], Any]) -> Any:
    async def looked() -> Any:
        view = await desk.shipment(ucr)
        return view if holds(view) else None

    return await eventually(looked, within_seconds=60)
