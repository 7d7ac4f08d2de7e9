"""Cells in which members of the group come and go under load: stopped, killed, or frozen beyond the session timeout.

Two or three replicas, of which at least one is always running. Each turn does one seeded thing to one of them; at the
end of some turns every partition must have an owner again.
"""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from chaos.cells.ground import Cell, Ground
from chaos.judging.verdicts import Verdict
from chaos.toy.load import Load, Sink, load_on
from chaos.toy.oracle import Oracle, Way
from chaos.toy.settling import all_read, group_of, settled
from chaos.toy.stage import REPLICAS, SESSION_MS, Replica, Stage, on_stage

from chassis.testing import eventually

GROUP = "rebalances"
TURN_SECONDS = 3.0
FROZEN_SECONDS = 1.5 * SESSION_MS / 1000
AT_ONCE = 14
"""Orders per burst."""
BREATH_SECONDS = 4.0


@dataclass
class Members:
    """The replicas of one stage, and the actions on them."""

    stage: Stage
    replicas: list[Replica]
    chance: random.Random
    done: Counter[str] = field(default_factory=Counter)

    @property
    def up(self) -> list[Replica]:
        return [each for each in self.replicas if each.child.alive]

    async def turn(self) -> None:
        """Let another member join, or act on one that others can replace."""
        down = [each for each in self.replicas if not each.child.alive]
        if down and (len(self.up) < 2 or self.chance.random() < 0.5):
            await self.chance.choice(down).start()
            self.done["joined"] += 1
            return
        what = self.chance.choice(("stopped", "killed", "frozen"))
        one = self.chance.choice(self.up)
        match what:
            case "stopped":
                await one.child.stop()
            case "killed":
                await one.child.kill()
            case "frozen":
                one.freeze()
                await asyncio.sleep(FROZEN_SECONDS)  # the fault itself: a zombie that returns
                one.thaw()
        self.done[what] += 1


async def come_and_go(ground: Ground, *, seconds: float) -> Sequence[Verdict]:
    """Place orders in bursts; every few seconds a member joins or leaves."""
    oracle = Oracle()
    async with (
        Sink(oracle) as sink,
        on_stage(ground.servers, ground.folder, ground.name) as stage,
        load_on(stage, oracle, ground.seed) as load,
    ):
        stage.sink = sink.address
        members = Members(stage, [stage.replica(each) for each in REPLICAS], random.Random(ground.seed))
        await asyncio.gather(*(each.start() for each in members.replicas[:2]))
        until = asyncio.get_running_loop().time() + seconds
        loading = asyncio.create_task(_load(load, members, until))
        try:
            while not loading.done():
                await members.turn()
                await asyncio.wait({loading}, timeout=members.chance.uniform(0.5, 1.5) * TURN_SECONDS)
            await loading
        finally:
            loading.cancel()
        for each in members.replicas:
            await each.start()
        await eventually(lambda: _all_owned(stage), within_seconds=60.0, every_seconds=0.3)
        unanswered = [each for each in oracle.orders.values() if each.way is Way.DOOR]
        await load.knock(unanswered, members.replicas[0].address)
        await load.place(load.mixed(AT_ONCE))
        verdicts = await settled(stage, oracle, within_seconds=120.0)
        assert sum(members.done.values()) >= 3, f"hardly anybody came or went: {dict(members.done)}"
        return verdicts


async def _load(load: Load, members: Members, until: float) -> None:
    while asyncio.get_running_loop().time() < until:
        await load.place(load.mixed(AT_ONCE))
        # The next burst follows when this one was read, or after a while: a backlog is not a fault.
        with contextlib.suppress(AssertionError):
            await eventually(lambda: all_read(load.stage), within_seconds=BREATH_SECONDS, every_seconds=0.2)
        door = members.chance.choice(members.replicas)
        if door.child.alive and not door.frozen:
            await _knock_while_up(load, door)


async def _knock_while_up(load: Load, door: Replica) -> None:
    """One order at the door of a replica that may stop meanwhile: then it may or may not have taken the order."""
    knocking = asyncio.create_task(load.knock([load.order(Way.DOOR)], door.address))
    while not knocking.done():
        await asyncio.wait({knocking}, timeout=0.2)
        if not door.child.alive or door.frozen:
            knocking.cancel()
            break
    await asyncio.gather(knocking, return_exceptions=True)


async def _all_owned(stage: Stage) -> bool:
    """Whether every partition of the stage's topics has exactly one owner in the group.

    Raises:
        AssertionError: one has none, or two.
    """
    async with group_of(stage) as group:
        wanted, readers = set(await group.ends()), await group.readers()
    assert readers is not None, "partitions are being given out"
    assert set(readers) == wanted, f"nobody owns {wanted - set(readers)}"
    assert max(readers.values()) == 1, f"two own {[each for each, times in readers.items() if times > 1]}"
    return True


def _cell(name: str, seconds: float, *, in_samples: bool) -> Cell:
    run = partial(come_and_go, seconds=seconds)
    return Cell(GROUP, name, run, limit_seconds=seconds + 240.0, in_samples=in_samples)


CELLS = [
    _cell("members come and go for twenty seconds", 20.0, in_samples=True),
    _cell("members come and go for three minutes", 180.0, in_samples=False),
]
