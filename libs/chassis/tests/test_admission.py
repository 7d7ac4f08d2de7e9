"""A door admits a number of requests, lets a few wait in turn, and turns the rest away before they begin."""

import asyncio

import pytest
from prometheus_client import REGISTRY

from chassis.doors import admission
from chassis.doors.admission import Admission, Place, TurnedAway
from chassis.failures import is_infrastructure
from chassis.settings import CONNECTIONS, DoorSettings
from chassis.testing import eventually


def shown(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def a_door(name: str, places: int = 1, waiting: int = 1) -> Admission:
    return Admission(name, DoorSettings(port=0, places=places, waiting=waiting))


async def entering(door: Admission) -> "asyncio.Task[Place]":
    """Somebody who waits for a place."""
    return asyncio.create_task(door.enter(publishes=False))


async def until_waiting(name: str, many: int) -> None:
    async def so_many() -> bool:
        return shown("trade_door_waiting", door=name) == many

    await eventually(so_many)


def test_by_default_a_door_lets_in_a_small_multiple_of_the_connections_to_the_database() -> None:
    settings = DoorSettings(port=0)
    assert CONNECTIONS <= settings.places <= 8 * CONNECTIONS
    assert settings.waiting <= 4 * settings.places


async def test_beyond_places_and_waiting_room_a_request_is_turned_away_at_once() -> None:
    door = a_door("full", places=2, waiting=1)
    places = [await door.enter(publishes=False) for _ in range(2)]
    waiting = await entering(door)
    await until_waiting("full", 1)
    assert shown("trade_door_places", door="full") == shown("trade_door_places_taken", door="full") == 2
    with pytest.raises(TurnedAway) as turned_away:
        await door.enter(publishes=False)
    assert is_infrastructure(turned_away.value)
    assert shown("trade_door_turned_away_total", door="full", why="full") == 1
    places[0].leave()
    (await waiting).leave()
    places[1].leave()
    assert shown("trade_door_places_taken", door="full") == shown("trade_door_waiting", door="full") == 0


async def test_who_waits_is_let_in_in_turn() -> None:
    door = a_door("turn", waiting=3)
    held = await door.enter(publishes=False)
    came: list[int] = []

    async def comes(number: int) -> None:
        place = await door.enter(publishes=False)
        came.append(number)
        place.leave()

    waiting = [asyncio.create_task(comes(number)) for number in range(3)]
    await until_waiting("turn", 3)
    held.leave()
    await asyncio.gather(*waiting)
    assert came == [0, 1, 2]


async def test_nobody_waits_longer_than_is_of_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "WAIT_SECONDS", 0.02)
    door = a_door("late")
    held = await door.enter(publishes=False)
    with pytest.raises(TurnedAway):
        await door.enter(publishes=False)
    assert shown("trade_door_turned_away_total", door="late", why="late") == 1
    held.leave()
    (await door.enter(publishes=False)).leave()


async def test_a_place_that_was_waited_for_and_given_up_is_not_lost() -> None:
    door = a_door("given up")
    held = await door.enter(publishes=False)
    waiting = await entering(door)
    await until_waiting("given up", 1)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    held.leave()
    held.leave()
    for _ in range(3):
        (await door.enter(publishes=False)).leave()
    assert shown("trade_door_places_taken", door="given up") == 0


async def test_an_overloaded_outbox_turns_away_what_publishes_and_nothing_else() -> None:
    full = [True]
    door = Admission("unsent", DoorSettings(port=0), lambda: full[0])
    with pytest.raises(TurnedAway):
        await door.enter(publishes=True)
    assert shown("trade_door_turned_away_total", door="unsent", why="unsent") == 1
    (await door.enter(publishes=False)).leave()
    full[0] = False
    (await door.enter(publishes=True)).leave()
