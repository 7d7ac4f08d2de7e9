"""Every fail point × every fault, one cell each: the process dies, freezes and thaws as a zombie, or loses an answer.

One toy gets every kind of input. The fault occurs once, at the named point of the core; then parked deliveries are
redriven, and every invariant is judged. A cell whose fault did not occur fails.
"""

import asyncio
import contextlib
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import grpc
from chaos.cells.ground import Cell, Ground, Verdict
from chaos.toy.everything import tell_everything
from chaos.toy.judging import judge_offsets
from chaos.toy.load import Load, Sink, load_on
from chaos.toy.oracle import Oracle
from chaos.toy.settling import all_read, settled
from chaos.toy.staff import clear
from chaos.toy.stage import Replica, Stage, on_stage, until_frozen, until_killed

from chassis.failpoints import POINTS, Fault
from chassis.testing import eventually

GROUP = "fail points"
STRIKES_WITHIN_SECONDS = 40.0
THAWED_SECONDS = 60.0

REDRIVE = frozenset(point for point in POINTS if point.startswith(("redrive.", "release.")))
"""Passed only when staff redrive parked deliveries."""
_BY_THE_BATCH = ("sweep.", "history.", "timer.", "park.", "claim.", "peer.", "trim.")
SELDOM = REDRIVE | {point for point in POINTS if point.startswith(_BY_THE_BATCH)}
"""At these points the fault occurs at the first passage, as a fast toy may pass only once; elsewhere at a seeded one of
the first three."""

IN_TESTS = {("save.after", Fault.KILL), ("publish.sent", Fault.LOSE), ("commit.before", Fault.FREEZE)}


@dataclass(frozen=True)
class Trial:
    """One toy and its fault."""

    stage: Stage
    oracle: Oracle
    load: Load
    fault: Fault
    order: str
    """As `chassis.failpoints.arm` takes it."""

    async def until_struck(self, replica: Replica) -> None:
        """Wait until the fault has happened.

        Raises:
            AssertionError: it did not.
        """
        match self.fault:
            case Fault.KILL:
                await until_killed(replica, STRIKES_WITHIN_SECONDS)
            case Fault.FREEZE:
                await until_frozen(replica, STRIKES_WITHIN_SECONDS)

        async def said() -> bool:
            return bool(replica.said("fail_point"))

        await eventually(said, within_seconds=STRIKES_WITHIN_SECONDS)

    async def recover(self, struck: Replica) -> Replica:
        """Do what an orchestrator would do; return a live replica.

        A killed one is restarted after its offsets were judged. A frozen one counts as dead: another takes over its
        work and reads everything; then the frozen one is thawed, unaware that it is a zombie.
        """
        match self.fault:
            case Fault.KILL:
                faults = (await judge_offsets(self.stage, self.oracle)).faults
                assert not faults, "\n".join(faults)
                again = self.stage.replica()
                await again.start()
                return again
            case Fault.FREEZE:
                heir = self.stage.replica("b")
                await heir.start()
                await eventually(lambda: all_read(self.stage), within_seconds=THAWED_SECONDS, every_seconds=0.3)
                struck.thaw()
                return heir
            case Fault.LOSE:
                return struck


async def try_cell(point: str, fault: Fault, ground: Ground) -> Sequence[Verdict]:
    """One cell of the matrix."""
    oracle = Oracle()
    passage = 1 if point in SELDOM else random.Random(ground.seed).randint(1, 3)
    async with (
        Sink(oracle) as sink,
        on_stage(ground.servers, ground.folder, ground.name) as stage,
        load_on(stage, oracle, ground.seed) as load,
    ):
        stage.sink = sink.address
        trial = Trial(stage, oracle, load, fault, f"{point}:{fault}:{passage}")
        replica = await _first(trial, point)
        async with asyncio.TaskGroup() as group:
            telling = group.create_task(tell_everything(load, replica.address, long_history=point == "history.copied"))
            if point in REDRIVE:
                await telling
                replica = await _strike_while_redriving(trial, replica)
            else:
                await trial.until_struck(replica)
                replica = await trial.recover(replica)
        await eventually(lambda: all_read(stage), within_seconds=THAWED_SECONDS, every_seconds=0.3)
        stage.mended.touch()
        await clear(stage, replica)
        return await settled(stage, oracle)


async def _first(trial: Trial, point: str) -> Replica:
    """The replica with the armed fault, ready."""
    if point == "sweep.found":
        # A predecessor must leave something unsent, to be found at the start.
        predecessor = trial.stage.replica(fail_points=["publish.before:kill:2"])
        await predecessor.start()
        await trial.load.place(trial.load.mixed(7))
        await until_killed(predecessor, STRIKES_WITHIN_SECONDS)
        replica = trial.stage.replica(fail_points=[trial.order])
        replica.child.start()
        return replica
    replica = trial.stage.replica()
    await replica.start()
    if point not in REDRIVE:
        await replica.arm(trial.order)
    return replica


async def _strike_while_redriving(trial: Trial, replica: Replica) -> Replica:
    await eventually(lambda: all_read(trial.stage), within_seconds=STRIKES_WITHIN_SECONDS, every_seconds=0.3)
    trial.stage.mended.touch()
    await replica.arm(trial.order)
    async with asyncio.TaskGroup() as group:

        async def redrive() -> None:
            with contextlib.suppress(grpc.aio.AioRpcError):  # staff see the failure and retry later
                await clear(trial.stage, replica)

        group.create_task(redrive())
        await trial.until_struck(replica)
        return await trial.recover(replica)


CELLS: Sequence[Cell] = tuple(
    Cell(GROUP, f"{point} × {fault}", partial(try_cell, point, fault), in_tests=(point, fault) in IN_TESTS)
    for point in POINTS
    for fault in Fault
)
