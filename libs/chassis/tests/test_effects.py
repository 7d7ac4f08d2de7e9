"""An effect is claimed, attempted and recorded: at least once, under one id, with back-off, within limits."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from parcels import LIMITS, TRACE, Parcel, World, attempt_due

from chassis import failpoints
from chassis.telemetry import trace_id
from chassis.waiting import SELDOM_SECONDS, NotTaken, Taken

NOW = datetime(2026, 1, 5, 8, tzinfo=UTC)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture(autouse=True)
def _disarmed() -> Iterator[None]:
    yield
    failpoints.arm([])


async def test_what_is_due_is_attempted_once(world: World) -> None:
    effects = world.effects()
    await world.ask("P-1", "P-2")
    assert await attempt_due(effects) == 2
    await world.clock.advance(days=30)
    assert await attempt_due(effects) == 0
    assert sorted(world.carrier.given) == ["P-1", "P-2"]
    assert (await world.state("P-1")).end == "taken"


async def test_the_claim_is_saved_before_the_attempt(world: World) -> None:
    effects = world.effects()
    await world.ask("P-1")
    world.carrier.shut = {"road"}
    await effects.start_due()
    await world.carrier.began.wait()
    claimed = await world.state("P-1")
    assert (claimed.attempts, claimed.held, claimed.due) == (1, True, NOW + timedelta(seconds=LIMITS.lease_seconds))
    world.carrier.opened.set()
    await effects.idle()


async def test_the_inputs_of_an_attempt_have_causes_and_the_trace_of_their_own(world: World) -> None:
    effects = world.effects()
    world.carrier.answers = [NotTaken("snow")]
    await world.ask("P-1")
    await attempt_due(effects)
    await world.clock.advance(days=1)
    await attempt_due(effects)
    lines = (await world.stored.load(["P-1"]))["P-1"]["history"]
    assert [line["cause"] for line in lines] == [
        "asked P-1",
        "P-1/attempt/1",
        "P-1/attempt/1/failed",
        "P-1/attempt/2",
        "P-1/attempt/2/sent",
    ]
    assert {trace_id(line["trace"]) for line in lines} == {trace_id({"traceparent": TRACE})}
    assert {line["by"] for line in lines[1:]} == {"service:parcels"}


async def test_an_answer_that_is_lost_is_an_attempt_that_failed(world: World) -> None:
    effects = world.effects()
    await world.ask("P-1")
    failpoints.arm(["send.after:lose"])
    await attempt_due(effects)
    failed = await world.state("P-1")
    assert (world.carrier.given, failed.attempts, failed.held, failed.end) == (["P-1"], 1, False, "")
    await world.clock.advance(days=1)
    await attempt_due(effects)
    assert world.carrier.given == ["P-1", "P-1"]
    assert (await world.state("P-1")).end == "taken"


async def test_an_attempt_that_breaks_is_its_own_trouble_alone(world: World) -> None:
    effects = world.effects()
    world.carrier.answers = [ZeroDivisionError(), Taken()]
    await world.ask("P-1", "P-2")
    await attempt_due(effects)
    assert sorted([(await world.state(id_)).end for id_ in ("P-1", "P-2")]) == ["", "taken"]


async def test_what_can_never_succeed_is_given_up_at_once(world: World) -> None:
    effects = world.effects()
    world.carrier.answers = [NotTaken("refused", final=True)]
    await world.ask("P-1")
    await attempt_due(effects)
    assert (await world.state("P-1")).end == "refused"
    await world.clock.advance(days=30)
    assert await attempt_due(effects) == 0


async def test_failures_are_repeated_later_and_later_and_then_given_up(world: World) -> None:
    effects = world.effects()
    world.carrier.answers = [NotTaken("away")] * 100
    await world.ask("P-1")
    delays: list[float] = []
    while True:
        await attempt_due(effects)
        parcel: Parcel = await world.state("P-1")
        if parcel.due is None:
            break
        delays.append((parcel.due - world.clock.now()).total_seconds())
        assert await attempt_due(effects) == 0, "not before its time"
        await world.clock.advance(seconds=delays[-1])
    assert parcel.end == "away"
    assert 3.75 <= delays[0] <= 6.25
    assert max(delays) <= LIMITS.longest_retry_seconds * 1.25
    assert delays[5] > delays[0] * 8
    waited = (world.clock.now() - NOW).total_seconds()
    assert LIMITS.give_up_after_seconds / 2 < waited <= LIMITS.give_up_after_seconds


def test_those_that_failed_together_do_not_come_back_together() -> None:
    moments = {LIMITS.retry_at(NOW - timedelta(seconds=100), NOW) for _ in range(50)}
    assert None not in moments
    delays = sorted((moment - NOW).total_seconds() for moment in moments if moment is not None)
    assert 75 <= delays[0] < delays[-1] <= 125
    assert len(delays) > 40


def test_patience_ends_before_the_attempt_that_would_exceed_it() -> None:
    impatient = replace(LIMITS, give_up_after_seconds=3)
    assert impatient.retry_at(NOW, NOW) is None


async def test_two_replicas_attempt_each_once(world: World) -> None:
    processes = [world.another_process() for _ in range(3)]
    replicas = [world.effects(each) for each in processes]
    for number in range(10):
        await world.ask(f"P-{number}", parcels=processes[number % 3])
    for _ in range(10):
        await asyncio.gather(*(attempt_due(each) for each in replicas))
    assert sorted(world.carrier.given) == sorted(f"P-{number}" for number in range(10))


async def test_a_claim_of_a_process_that_died_is_found_when_it_ends(world: World) -> None:
    dead = world.effects(dead_process := world.another_process())
    await world.ask("P-1", parcels=dead_process)
    world.carrier.shut = {"road"}
    await dead.start_due()
    await world.carrier.began.wait()
    world.carrier.shut = set()
    survivor = world.effects()
    await world.clock.advance(seconds=3)
    assert await attempt_due(survivor) == 0, "the claim still holds"
    await world.clock.advance(seconds=LIMITS.lease_seconds - 3)
    assert await attempt_due(survivor) == 1
    assert (await world.state("P-1")).attempts == 2
    world.carrier.opened.set()  # it was not dead, only slow
    await dead.idle()
    assert (await world.state("P-1")).end == "taken"


async def test_what_another_process_left_is_found_by_a_seldom_look(world: World) -> None:
    effects = world.effects()
    assert await attempt_due(effects) == 0
    await world.ask("P-1", parcels=world.another_process())
    assert await attempt_due(effects) == 0
    await world.clock.advance(seconds=SELDOM_SECONDS)
    assert await attempt_due(effects) == 1


async def test_what_this_process_saved_is_attempted_without_a_look(world: World) -> None:
    effects = world.effects(at_once=20, at_once_per_route=20)
    await attempt_due(effects)
    looks = world.stored.looks
    await world.ask(*(f"P-{number}" for number in range(20)))
    assert await attempt_due(effects) == 20
    assert world.stored.looks == looks


async def test_what_another_process_has_done_hides_nothing_behind_it(world: World) -> None:
    """Remembered here but done elsewhere: more than one claim's worth of these must not end the round."""
    effects, other = world.effects(), world.effects(world.another_process())
    await world.ask(*(f"P-{number}" for number in range(9)))
    await attempt_due(other)
    await world.clock.advance(seconds=1)
    await world.ask("P-late")
    assert await attempt_due(effects) == 1
    assert world.carrier.given.count("P-late") == 1
    assert len(world.carrier.given) == 10
