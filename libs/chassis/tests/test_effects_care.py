"""No failure loses an effect: the database is down, a document is unreadable, the process stops."""

import asyncio
from collections.abc import Iterator

import pytest
from parcels import LIMITS, Carried, World, attempt_due

from chassis import failpoints
from chassis.failures import is_infrastructure
from chassis.telemetry import metrics
from chassis.testing import eventually
from chassis.waiting import effects as effects_module
from chassis.waiting import first_claims


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture(autouse=True)
def _disarmed() -> Iterator[None]:
    yield
    failpoints.arm([])


async def stop(running: "asyncio.Task[None]") -> None:
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def fails(effects: Carried) -> None:
    with pytest.raises(Exception, match=r"away|lost") as met:
        await effects.start_due()
    assert is_infrastructure(met.value)


@pytest.mark.parametrize("broken", ["documents", "labels", "claim.before"])
async def test_what_was_taken_and_could_not_be_claimed_is_taken_again_at_once(world: World, broken: str) -> None:
    effects = world.effects()
    await attempt_due(effects)  # the seldom look is over: nothing else would find them for a while
    await world.ask("P-1", "P-2")
    world.stored.away, world.labels_away = broken == "documents", broken == "labels"
    if broken == "claim.before":
        failpoints.arm(["claim.before:lose"])
    await fails(effects)
    world.stored.away = world.labels_away = False
    assert await attempt_due(effects) == 2


async def test_what_was_claimed_unknowingly_is_attempted_when_its_claim_ends(world: World) -> None:
    effects = world.effects()
    await attempt_due(effects)
    await world.ask("P-1")
    failpoints.arm(["claim.after:lose"])
    await fails(effects)
    assert await attempt_due(effects) == 0, "it is claimed"
    await world.clock.advance(seconds=LIMITS.lease_seconds)
    assert await attempt_due(effects) == 1
    assert (world.carrier.given, (await world.state("P-1")).attempts) == (["P-1"], 2)


async def test_while_the_database_is_away_it_waits_and_is_counted(world: World) -> None:
    effects = world.effects()
    counter = metrics.INFRASTRUCTURE_FAILURES.labels("parcel")
    before = counter._value.get()
    await world.ask("P-1")
    world.stored.away = True
    running = asyncio.create_task(effects.run())
    await asyncio.sleep(0)
    await world.clock.advance(seconds=5)
    assert counter._value.get() > before
    assert not running.done()
    world.stored.away = False

    async def carried() -> bool:
        await world.clock.advance(seconds=1)
        return world.carrier.given == ["P-1"]

    await eventually(carried, within_seconds=5, every_seconds=0)
    await stop(running)


async def test_what_cannot_be_noted_for_a_while_is_noted_and_not_attempted_again(world: World) -> None:
    effects = world.effects()
    await world.ask("P-1")
    world.carrier.shut = {"road"}
    await effects.start_due()
    world.stored.away = True
    world.carrier.opened.set()
    for _ in range(4):
        await asyncio.sleep(0)
        await world.clock.advance(seconds=1)
    world.stored.away = False
    for _ in range(4):
        await asyncio.sleep(0)
        await world.clock.advance(seconds=1)
    await effects.idle()
    assert ((await world.state("P-1")).end, world.carrier.given) == ("taken", ["P-1"])


async def test_what_was_not_noted_while_its_claim_held_is_attempted_again_at_its_end(world: World) -> None:
    effects = world.effects()
    await attempt_due(effects)
    await world.ask("P-1")
    world.carrier.shut = {"road"}
    await effects.start_due()
    world.stored.away = True
    world.carrier.opened.set()
    for _ in range(23):  # past the end of the claim, and before the next seldom look
        await asyncio.sleep(0)
        await world.clock.advance(seconds=0.5)
    await effects.idle()
    world.stored.away = False
    assert await attempt_due(effects) == 1
    assert ((await world.state("P-1")).end, world.carrier.given) == ("taken", ["P-1", "P-1"])


async def test_what_cannot_be_noted_at_all_is_not_attempted_again_by_this_process(world: World) -> None:
    effects = world.effects()
    await world.ask("P-1", road="unnotable")
    assert await attempt_due(effects) == 1
    await world.clock.advance(days=1)
    assert await attempt_due(effects) == 0
    assert world.carrier.given == ["P-1"]


async def test_a_document_that_nobody_can_read_is_left_alone_and_the_others_go(world: World) -> None:
    effects = world.effects()
    await world.ask("P-1", "P-2", "P-3")
    world.stored.stored["P-2"]["state"] = {"road": "road"}
    assert await attempt_due(effects) == 2
    await world.clock.advance(days=1)
    assert await attempt_due(effects) == 0
    assert sorted(world.carrier.given) == ["P-1", "P-3"]


async def test_after_a_bug_it_is_started_anew_and_goes_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    effects = world.effects()
    await world.ask("P-1")
    with monkeypatch.context() as broken:
        broken.setattr(effects_module, "claiming", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            await effects.run()
    assert await attempt_due(effects) == 0, "at its end it begins nothing"
    running = asyncio.create_task(effects.run())

    async def carried() -> bool:
        return world.carrier.given == ["P-1"]

    await eventually(carried, within_seconds=5, every_seconds=0)
    await stop(running)


async def test_at_a_stop_what_is_in_hand_is_finished_and_nothing_begun(world: World) -> None:
    effects = world.effects(at_once=2, at_once_per_route=1)
    await world.ask("P-1", "P-2")
    world.carrier.shut = {"road"}
    running = asyncio.create_task(effects.run())
    await world.carrier.began.wait()
    running.cancel()
    for _ in range(5):
        await asyncio.sleep(0)
    async with first_claims(effects) as claims:
        assert claims.hold("P-3", "another road") is None
    world.carrier.opened.set()
    await asyncio.gather(running, return_exceptions=True)
    assert (await world.state(world.carrier.given[0])).end == "taken"
    assert len(world.carrier.given) == 1


async def test_a_stop_ends_with_everything_that_was_begun_ended(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(effects_module, "FINISH_SECONDS", 0.02)
    effects, closed = world.effects(), list[str]()
    carry = world.carrier.carry

    async def closes_slowly(parcel: object, label: object) -> object:
        try:
            return await carry(parcel, label)  # type: ignore[arg-type]
        except asyncio.CancelledError:
            await asyncio.sleep(0.05)
            closed.append("connection")
            raise

    object.__setattr__(effects._effect, "attempt", closes_slowly)
    await world.ask("P-1")
    world.carrier.shut = {"road"}
    running = asyncio.create_task(effects.run())
    await world.carrier.began.wait()
    await stop(running)
    assert closed == ["connection"]
    assert (await world.state("P-1")).held, "its claim ends, and another process takes it"
