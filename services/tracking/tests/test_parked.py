"""Parked deliveries are known, outdated or unknown; a service that does not answer never counts as having none."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import grpc
import pytest

from chassis.delivery.policy import DeliveryPolicy
from chassis.mending.rpc import PARKING_RIGHTS, add_parking_service
from chassis.parking.model import ParkedDelivery, Position
from chassis.rpc import GrpcServer, TokenSigner, TokenVerifier, connect, create_key
from chassis.settings import DoorSettings
from chassis.testing import ManualClock, MemoryParking
from tracking.domain.held import Held
from tracking.parked import FRESH_SECONDS, Answer, Halted, NotAsked, ParkedWatch
from tracking.parking_client import MAX_PAGES, PAGE, NoAddress, ParkingClient


@dataclass
class FakeService:
    answers: list[Answer | None] = field(default_factory=list)

    async def ask(self) -> Answer:
        answer = self.answers.pop(0)
        if answer is None:
            raise NotAsked("UNAVAILABLE")
        return answer


def _held(clock: ManualClock) -> Held:
    return Held("declarations", "D-1", 5, clock.now(), "refused")


async def test_before_the_first_answer_everything_is_unknown() -> None:
    watch = ParkedWatch({"declarations": FakeService(), "matching": NoAddress()}, ManualClock())
    assert [each.service for each in watch.now().unknown] == ["declarations", "matching"]
    assert all(each.answered_at is None for each in watch.now().unknown)


async def test_a_service_that_does_not_answer_keeps_its_last_answer_and_becomes_unknown() -> None:
    clock = ManualClock()
    held = _held(clock)
    watch = ParkedWatch({"declarations": FakeService([Answer((held,)), None, Answer(())])}, clock)
    await watch.look()
    assert (watch.now().held, watch.now().unknown) == ((held,), ())
    answered_at = clock.now()
    await clock.advance(seconds=FRESH_SECONDS + 1)
    await watch.look()
    assert watch.now().held == (held,)
    assert [each.answered_at for each in watch.now().unknown] == [answered_at]
    await watch.look()
    assert (watch.now().held, watch.now().unknown) == ((), ())


async def test_a_service_with_more_parked_than_is_listed_is_also_unknown() -> None:
    clock = ManualClock()
    held = _held(clock)
    watch = ParkedWatch({"declarations": FakeService([Answer((held,), complete=False)])}, clock)
    await watch.look()
    assert watch.now().held == (held,)
    assert [each.service for each in watch.now().unknown] == ["declarations"]


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[tuple[MemoryParking, ParkingClient]]:
    """A service's parking over gRPC, and tracking's client of it."""
    create_key(tmp_path, "tracking")
    clock = ManualClock()
    parking = MemoryParking(clock)
    policy = DeliveryPolicy([], parking, clock, build="b")
    server = GrpcServer(DoorSettings(port=0), TokenVerifier(tmp_path), audience="x", rights=PARKING_RIGHTS)
    server.register(lambda raw: add_parking_service(raw, policy, parking))
    await server.start()
    channel = connect(f"127.0.0.1:{server.port}", TokenSigner(tmp_path, "tracking"), "x")
    yield parking, ParkingClient("x", channel)
    await channel.close()
    await server.stop(0.1)


def _delivery(target: str, offset: int = 0) -> ParkedDelivery:
    return ParkedDelivery(target, Position("t", 0, offset), b"k", (), b"{}", 0, "schema", event_id=f"E-{offset}")


async def test_tracking_may_list_the_parked_targets_of_any_service(
    service: tuple[MemoryParking, ParkingClient],
) -> None:
    parking, client = service
    assert await client.ask() == Answer(())
    await parking.park([_delivery("D-1"), _delivery("D-1", 1), _delivery("t|6CN1", 2)])
    await parking.set_breaker("schema")
    since = ManualClock().now()
    assert await client.ask() == Answer(
        (Held("x", "D-1", 2, since, "schema", "E-0"), Held("x", "t|6CN1", 1, since, "schema", "E-2")),
        Halted("x", "schema", since),
    )


async def test_an_answer_beyond_the_page_limit_is_incomplete(
    service: tuple[MemoryParking, ParkingClient],
) -> None:
    parking, client = service
    await parking.park([_delivery(f"D-{number:05}", number) for number in range(PAGE * MAX_PAGES + 1)])
    answer = await client.ask()
    assert (len(answer.held), answer.complete) == (PAGE * MAX_PAGES, False)


async def test_an_unreachable_service_raises_not_asked(tmp_path: Path) -> None:
    create_key(tmp_path, "tracking")
    channel: grpc.aio.Channel = connect("127.0.0.1:1", TokenSigner(tmp_path, "tracking"), "x")
    with pytest.raises(NotAsked):
        await ParkingClient("x", channel).ask()
    await channel.close()


def test_a_parked_delivery_belongs_to_a_shipment_by_aggregate_by_key_or_by_event() -> None:
    moment = ManualClock().now() - timedelta(days=1)

    def held(target: str, event_id: str = "") -> Held:
        return Held("declarations", target, 1, moment, "schema", event_id)

    ids, keys = {"D-1", "PE-1/0.1"}, {"6CN1"}
    assert held("D-1").is_of(ids, keys)
    assert held("partners.events.v1|6CN1").is_of(ids, keys)
    assert held("early/77", "PE-1/0.1").is_of(ids, keys)
    assert not held("D-2").is_of(ids, keys)
    assert not held("partners.events.v1|6CN2").is_of(ids, keys)
    assert not held("6CN1").is_of(ids, keys)
