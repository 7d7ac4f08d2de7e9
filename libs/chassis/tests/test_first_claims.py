"""A first attempt is claimed in the write that creates its aggregate, within the same bounds, and made once."""

from datetime import timedelta

import pytest
from parcels import LIMITS, Ask, Command, Parcel, World, attempt_due
from pymongo.errors import AutoReconnect

from chassis import failpoints
from chassis.aggregates import Applied, Input
from chassis.failures import InfrastructureError
from chassis.waiting import first_claims
from chassis.waiting.effects import AHEAD_SECONDS, Effects
from chassis.waiting.places import AHEAD


@pytest.fixture
def world() -> World:
    return World()


async def create(world: World, effects: Effects[Parcel, Command, str, str], *ids: str) -> None:
    """As a handler does it."""
    async with first_claims(effects) as claims:
        inputs = [
            Input[Command](id_, f"asked {id_}", Ask(id_, "road", claims.hold(id_, "road")), "staff:test") for id_ in ids
        ]
        for input_, outcome in zip(inputs, await world.parcels.apply(inputs, unseen=True), strict=True):
            claims.start(input_, outcome, f"label of {input_.target}")


async def test_the_first_attempt_is_made_without_a_further_claim(world: World) -> None:
    effects = world.effects()
    await create(world, effects, "P-1")
    await effects.idle()
    lines = (await world.stored.load(["P-1"]))["P-1"]["history"]
    assert [line["cause"] for line in lines] == ["asked P-1", "P-1/attempt/1/sent"]
    assert world.carrier.given == ["P-1"]
    assert await attempt_due(effects) == 0


async def test_those_without_a_place_wait_for_one_claimed_as_they_are(world: World) -> None:
    effects = world.effects(at_once=1)
    await create(world, effects, "P-1", "P-2", "P-3")
    await effects.idle()
    assert world.carrier.given == ["P-1", "P-2", "P-3"]
    assert world.carrier.most == 1
    assert [(await world.state(id_)).attempts for id_ in world.carrier.given] == [1, 1, 1]


async def test_what_finds_no_room_is_attempted_when_there_is(world: World) -> None:
    effects = world.effects(at_once=1, at_once_per_route=1)
    ids = [f"P-{number}" for number in range(AHEAD + 2)]
    await create(world, effects, *ids)
    await effects.idle()
    assert world.carrier.given == ids[:AHEAD]
    while await attempt_due(effects):
        pass
    assert world.carrier.given == ids


async def test_what_waits_too_long_for_its_place_is_attempted_under_its_next_claim(world: World) -> None:
    effects = world.effects(at_once=1)
    world.carrier.shut = {"road"}
    await create(world, effects, "P-1", "P-2")
    await world.carrier.began.wait()
    await world.clock.advance(seconds=AHEAD_SECONDS + 1)
    world.carrier.opened.set()
    await effects.idle()
    assert world.carrier.given == ["P-1"], "the attempt could outlast its claim"
    await world.clock.advance(seconds=LIMITS.lease_seconds)
    assert await attempt_due(effects) == 1
    assert world.carrier.given == ["P-1", "P-2"]
    assert (await world.state("P-2")).attempts == 2


@pytest.mark.parametrize("point", ["claim.before", "claim.after"])
async def test_a_claim_that_fails_midway_leaves_its_place_to_others(world: World, point: str) -> None:
    effects = world.effects(at_once=1)
    failpoints.arm([f"{point}:lose"])
    with pytest.raises(AutoReconnect):
        await create(world, effects, "P-1")
    await create(world, effects, "P-2")
    await effects.idle()
    assert world.carrier.given == ["P-2"]


async def test_what_is_there_already_is_not_attempted_and_its_place_is_given_back(world: World) -> None:
    effects = world.effects(at_once=1)
    for _ in range(2):
        await create(world, effects, "P-1")
        await effects.idle()
    assert world.carrier.given == ["P-1"]
    await create(world, effects, "P-2")
    await effects.idle()
    assert world.carrier.given == ["P-1", "P-2"]


async def test_a_place_whose_claim_was_not_saved_is_given_back(world: World) -> None:
    effects = world.effects(at_once=1)
    world.stored.away = True
    with pytest.raises(InfrastructureError):
        await create(world, effects, "P-1")
    world.stored.away = False
    await create(world, effects, "P-1")
    await effects.idle()
    assert world.carrier.given == ["P-1"]


async def test_the_claim_of_somebody_else_is_not_attempted_here(world: World) -> None:
    effects = world.effects()
    until = world.clock.now() + timedelta(seconds=99)
    async with first_claims(effects) as claims:
        assert claims.hold("P-1", "road") is not None
        input_ = Input[Command]("P-1", "asked P-1", Ask("P-1", "road", until), "staff:test")
        outcome = await world.parcels.apply_one(input_)
        assert isinstance(outcome, Applied)
        claims.start(input_, outcome, "label of P-1")
    await effects.idle()
    assert world.carrier.given == []
    assert (await world.state("P-1")).due == until
