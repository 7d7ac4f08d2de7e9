"""Limits under adverse conditions: concurrency, independent routes, bounded memory."""

import asyncio
from collections import Counter
from typing import Any

import pytest
from parcels import World, attempt_due

from chassis.testing import eventually
from chassis.waiting.due_attempts import LOOK_LIMIT
from chassis.waiting.known_due import PER_ROUTE
from chassis.waiting.places import AHEAD, FULL, MOST_IN_HAND, Places


@pytest.fixture
def world() -> World:
    return World()


async def test_a_place_taken_during_a_scan_is_not_given_twice(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.ask("P-1", parcels=world.another_process())
    effects = world.effects(at_once=1)
    find = world.stored.find

    async def finds_while_a_creation_starts(*arguments: Any, **options: Any) -> Any:
        effects._places.hold("P-0", "road")
        return await find(*arguments, **options)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(world.stored, "find", finds_while_a_creation_starts)
        assert await effects.start_due() == 0
    effects.give_back("P-0")
    assert await effects.start_due() == 1
    await effects.idle()
    assert world.carrier.given == ["P-1"]
    assert (effects._places.free, effects._places.room("road")) == (1, 2)


async def test_no_more_are_made_at_once_than_there_are_places(world: World) -> None:
    effects = world.effects(at_once=4, at_once_per_route=2)
    for number in range(30):
        await world.ask(f"P-{number}", road=f"road {number % 5}")
    world.carrier.shut = {f"road {number}" for number in range(5)}
    running = asyncio.create_task(effects.run())
    try:

        async def full() -> bool:
            return world.carrier.on_the_road.total() == 4

        await eventually(full, within_seconds=5, every_seconds=0)
        world.carrier.opened.set()

        async def all_carried() -> bool:
            await world.clock.advance(seconds=0.1)
            return len(world.carrier.given) == 30

        await eventually(all_carried, within_seconds=10, every_seconds=0)
        await effects.idle()
        assert world.carrier.most == 4
        assert max(world.carrier.most_of.values()) == 2
        assert [(await world.state(f"P-{number}")).attempts for number in range(30)] == [1] * 30
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_a_dead_route_delays_no_other(world: World) -> None:
    effects = world.effects(at_once=4, at_once_per_route=2)
    await world.ask(*(f"D-{number}" for number in range(50)), road="dead")
    await world.clock.advance(seconds=1)
    await world.ask(*(f"P-{number}" for number in range(20)), road="open")
    world.carrier.shut = {"dead"}
    running = asyncio.create_task(effects.run())
    try:

        async def all_others_carried() -> bool:
            await world.clock.advance(seconds=0.1)
            return [(await world.state(f"P-{number}")).end for number in range(20)] == ["taken"] * 20

        await eventually(all_others_carried, within_seconds=10, every_seconds=0)
        assert sum(id_.startswith("D") for id_ in world.carrier.given) == 2
    finally:
        world.carrier.opened.set()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_a_place_is_free_when_the_other_side_has_answered_not_when_that_is_noted(world: World) -> None:
    effects = world.effects(at_once=1, at_once_per_route=1)
    await world.ask("P-1", "P-2")
    world.carrier.shut = {"road"}
    await effects.start_due()
    assert await effects.start_due() == 0
    world.carrier.opened.set()
    await world.carrier.answered.wait()
    assert await effects.start_due() == 1
    await effects.idle()


async def test_a_process_full_of_what_is_to_be_noted_begins_nothing() -> None:
    places = Places(2, 2)
    for number in range(MOST_IN_HAND * 2):
        assert places.take(f"P-{number}", "road")
        places.enter(f"P-{number}", "road")
        places.leave(f"P-{number}")
    assert places.free == 0
    assert not places.take("one more", "road")
    places.drop("P-0")
    assert places.free == 2
    assert places.take("one more", "road")


async def test_who_is_in_hand_takes_no_second_place() -> None:
    places = Places(2, 2)
    assert places.take("P-1", "road")
    assert not places.take("P-1", "road")
    places.enter("P-1", "road")
    assert not places.take("P-1", "road")
    assert places.enter("P-1", "road").done()
    assert places.free == 1
    assert places.leave("P-1")
    assert not places.leave("P-1")
    assert not places.take("P-1", "road")
    assert places.free == 2


async def test_who_waits_for_a_place_is_let_in_in_turn_and_past_routes_that_are_full() -> None:
    places = Places(3, 2)
    entered = {id_: places.enter(id_, id_[0]) for id_ in ("a1", "a2", "a3", "b1", "b2", "a4")}
    assert [id_ for id_, each in entered.items() if each.done()] == ["a1", "a2", "b1"]
    assert not places.leave("b1"), "b2 has it"
    assert entered["b2"].done() and not entered["a3"].done()
    assert not places.leave("a2")
    assert entered["a3"].done() and not entered["a4"].done()
    assert places.leave("b2"), "a4 may not have it: its route has two"
    assert not entered["a4"].done()


async def test_who_gave_up_waiting_takes_no_place_from_the_next() -> None:
    places = Places(1, 1)
    places.enter("P-1", "road")
    gone, next_ = places.enter("P-2", "road"), places.enter("P-3", "road")
    gone.cancel()
    places.leave("P-1")
    assert next_.done()
    assert places.free == 0


async def test_of_one_route_only_so_many_wait_for_places() -> None:
    places = Places(10, 2)
    waiting = [id_ for id_ in (f"P-{number}" for number in range(99)) if places.take(id_, "road")]
    assert len(waiting) == AHEAD * 2
    assert places.take("P-of-another", "open")
    for id_ in waiting[:2]:
        places.enter(id_, "road")
    assert places.take("P-one-more", "road")
    places.drop(waiting[-1])
    assert places.take("P-and-another", "road")


async def test_new_work_waits_while_much_is_in_hand_but_not_for_a_dead_server() -> None:
    places = Places(2, 2)
    await places.few_in_hand(within_seconds=0)
    for number in range(FULL * 2):
        places.enter(f"P-{number}", f"road {number}")
    waiting = asyncio.create_task(places.few_in_hand(within_seconds=60))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not waiting.done()
    places.drop("P-0")
    await waiting
    places.enter("P-again", "road")
    await places.few_in_hand(within_seconds=0.01)


async def test_a_backlog_of_before_the_start_is_carried_whole(world: World) -> None:
    count = LOOK_LIMIT + PER_ROUTE
    await world.ask(*(f"P-{number}" for number in range(count)))
    effects = world.effects(at_once=100, at_once_per_route=100)
    for _ in range(count):
        if not await attempt_due(effects):
            await world.clock.advance(seconds=1)
        if len(world.carrier.given) == count:
            break
    assert Counter(Counter(world.carrier.given).values()) == {1: count}
    assert world.stored.looks < 10, "a backlog is read a few times only"


async def test_a_full_route_is_left_out_of_the_looks_and_others_are_found(world: World) -> None:
    elsewhere = world.another_process()
    await world.ask(*(f"D-{number}" for number in range(LOOK_LIMIT + 10)), road="dead", parcels=elsewhere)
    await world.clock.advance(seconds=1)
    await world.ask("P-1", road="open", parcels=elsewhere)
    effects = world.effects()
    world.carrier.shut = {"dead"}
    for _ in range(4):
        await effects.start_due()
        await asyncio.sleep(0)
        await world.clock.advance(seconds=1)
    assert "P-1" in world.carrier.given
    world.carrier.opened.set()
    await effects.idle()
