"""Payments made in time but read late: none is counted as overdue in the end."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import httpx2
from aiokafka import AIOKafkaProducer
from chaos.cells.ground import Cell, Ground, Verdict
from chaos.harness.breaking import at_rest
from chaos.harness.shipment import Firms, Shipment, on_platform, passed, told_of
from chaos.judging.platform import judged, kept
from pymongo import AsyncMongoClient

from chassis.testing import eventually
from contracts.topics import PARTNERS
from launcher.platform import Platform
from trade.parking.v1 import parking_pb2 as pb
from trade.parking.v1.parking_pb2_grpc import ParkingServiceStub

PAYMENT_SECONDS = 25


async def punctual_payments(ground: Ground) -> Sequence[Verdict]:
    """Four payments made in time but read late, beside one read at once: all end alike, none is overdue."""
    settings = {"declarations": {"TRADE_PAYMENT_SECONDS": str(PAYMENT_SECONDS)}}
    async with on_platform(ground, settings) as (platform, firms):
        at_once, backlog, outbox, parked, unmatched = (firms.shipment(number) for number in range(5))
        await _pay_before_it_is_lodged(unmatched)
        states = await asyncio.gather(*(each.until_assessed() for each in (at_once, backlog, outbox, parked)))
        ends = [datetime.fromisoformat(str(state["assessment"]["pay_by"])) for state in states]
        await at_once.pay()
        await _poison(platform, parked.ucr)
        await _all_park(platform, [parked.ucr])
        punctual = [await parked.pay()]
        await platform.kill("declarations")
        punctual.append(await backlog.pay())
        punctual.append(await _pay_into_the_outbox(platform, outbox))
        late = [moment for moment, end in zip(punctual, (ends[3], ends[1], ends[2]), strict=True) if moment > end]
        assert not late, f"the payments were late themselves: {late}, {ends}"

        await passed(max(ends))
        await platform.restart("declarations")
        await _overdue(outbox)
        await platform.restart("gateway")
        await unmatched.until_assessed()
        await _discard_parked(firms)
        shipments = (at_once, backlog, outbox, parked, unmatched)
        await asyncio.gather(*(each.close() for each in shipments))
        world = await at_rest(platform)
        facts = [told_of(world, str((await each.state() or {})["id"])) for each in shipments]
        punished = [
            f"8: {each.ucr} paid in time and ends overdue"
            for each, told in zip(shipments, facts, strict=True)
            if told.count("payment_overdue") != told.count("payment_overdue_withdrawn")
        ]
        assert "payment_overdue" in facts[2], "the deadline of the payment in the outbox did not pass first"
        assert not any("payment_overdue" in told for place, told in enumerate(facts) if place != 2), facts
        return kept(judged(world, firms.sent, more=punished))


async def _pay_before_it_is_lodged(shipment: Shipment) -> None:
    """The bank's event is early, matches no declaration yet, and pays more than enough."""
    await shipment.tell("payment", due={"amount": "100000.00", "currency": "CNY"})


async def _pay_into_the_outbox(platform: Platform, shipment: Shipment) -> datetime:
    """Pay; the gateway stores the payment and dies before publishing it: only its outbox has it."""
    gateway = platform.parts["gateway"]
    async with httpx2.AsyncClient(trust_env=False) as client:
        admin = platform.describe()["services"]["gateway"]["admin"]
        (await client.post(f"{admin}/failpoints", params={"arm": "publish.before:kill"})).raise_for_status()
    giving = asyncio.create_task(shipment.pay())

    async def dead() -> bool:
        return not gateway.alive

    await eventually(dead, within_seconds=30)
    found: Any = await shipment.firms.client["gateway"]["partner_receipts"].find_one(
        {"state.ucr": shipment.ucr, "outbox.0": {"$exists": True}}
    )
    assert found is not None, "the payment is not in the outbox"
    giving.add_done_callback(lambda done: done.exception())  # it retries until the gateway is back
    return datetime.fromisoformat(found["state"]["received_at"])


async def _overdue(shipment: Shipment) -> None:
    """Wait until its deadline has fired: every topic was read, and the payment is on none."""

    async def fired() -> bool:
        return "payment" in (await shipment.state() or {})["deadlines_passed"]

    await eventually(fired, within_seconds=60, every_seconds=0.2)


async def _poison(platform: Platform, ucr: str) -> None:
    """An unreadable record of this key: later records of the key queue behind it."""
    producer = AIOKafkaProducer(bootstrap_servers=platform.infrastructure.bootstrap_servers, acks="all")
    await producer.start()
    try:
        headers = [("ce_id", b"\xff")]
        await producer.send_and_wait(PARTNERS.name, b"{", key=ucr.encode(), headers=headers)
    finally:
        await producer.stop()


async def _all_park(platform: Platform, ucrs: Sequence[str]) -> None:
    """Wait until declarations has parked the unreadable records."""
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(platform.infrastructure.mongo_url)

    async def all_there() -> bool:
        return await client["declarations"]["parked"].count_documents({}) >= len(ucrs)

    async with client:
        await eventually(all_there, within_seconds=30, every_seconds=0.2)


async def _discard_parked(firms: Firms) -> None:
    """Discard the unreadable records in every service, and redrive what waits behind them."""
    for service in ("declarations", "tracking"):
        async with firms.told.channel(service) as channel:
            staff: Any = ParkingServiceStub(channel)
            while parked := list((await staff.ListParked(pb.ListParkedRequest(page_size=200))).parked):
                for each in (one for one in parked if one.reason == "undecodable"):
                    await staff.DiscardParked(pb.DiscardParkedRequest(id=each.id, reason="nobody can read it"))
                for target in {one.target for one in parked if one.reason != "undecodable"}:
                    await staff.RedriveTarget(pb.RedriveTargetRequest(target=target, reason="goes with it"))


CELLS = [Cell("timers", "punctual payments read late", punctual_payments, own_servers=True)]
