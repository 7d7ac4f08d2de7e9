"""Judges a stage by all ten invariants, from durable data and the oracle of its input."""

from collections.abc import Sequence
from datetime import UTC, datetime

from chaos.judging import core_checks
from chaos.judging.reading import read_world
from chaos.judging.verdicts import Verdict, demanded
from chaos.judging.world import Spans, World
from chaos.toy import checks, effects
from chaos.toy.fates import Fates
from chaos.toy.oracle import Oracle, Way
from chaos.toy.stage import Stage


async def judge(stage: Stage, oracle: Oracle) -> Sequence[Verdict]:
    """The invariants that the oracle's load exercises, each with what it was judged on; to be asked at rest."""
    world = await read_stage(stage)
    return judge_world(
        world, oracle, group=stage.name, orders=stage.orders.name, own=stage.events.name, now=datetime.now(UTC)
    )


async def judge_offsets(stage: Stage, oracle: Oracle) -> Verdict:
    """Invariant 7 alone: it must hold at every moment, above all right after a kill and before any restart."""
    return checks.offsets(Fates(await read_stage(stage), oracle), stage.name)


async def read_stage(stage: Stage) -> World:
    """Everything durable of one stage."""
    return await read_world(
        stage.servers.kafka,
        stage.servers.mongo,
        [stage.orders.name, stage.events.name],
        groups=[stage.name],
        databases=[stage.name],
    )


def judge_world(
    world: World,
    oracle: Oracle,
    *,
    group: str,
    orders: str,
    own: str,
    now: datetime,
    spans: Spans | None = None,
) -> list[Verdict]:
    """Every invariant of a toy, on a world from wherever.

    Args:
        orders: the topic on which it was told what to do.
        own: the topic that it publishes on.
        spans: what was exported of its traces; None where nobody collected them.
    """
    fates = Fates(world, oracle)
    verdicts = [
        checks.commands(fates),
        checks.histories(fates, own),
        checks.deliveries(fates),
        checks.order(fates),
        checks.sums(fates),
        effects.letters(fates),
        checks.offsets(fates, group),
        effects.bills(fates, now),
        effects.traces(fates, own, spans),
        Verdict(10, *core_checks.rest(world, now, {group: {orders, own}.__contains__}, may_wait=world.locks)),
    ]
    return demanded(verdicts, exercised(oracle))


def exercised(oracle: Oracle) -> set[int]:
    """The invariants that an oracle's load exercises: each needs at least one judged case.

    They derive from the input alone, so no cell has to list them, and none can forget one.
    """
    numbers = {3, 7, 10} if oracle.acknowledged or oracle.poison else set[int]()
    orders = [each for each in oracle.orders.values() if each.id in oracle.acknowledged]
    counted = [each for each in orders if each.amount > 0]
    over_kafka = [each for each in orders if each.way is Way.KAFKA]
    if any(each.way is Way.DOOR for each in oracle.orders.values()):
        numbers.add(1)
    if counted:
        numbers |= {2, 5, 9}
    if oracle.poison or any(each.amount < 0 for each in over_kafka):
        numbers.add(4)
    if any(each.letters and each.amount > 0 for each in over_kafka):
        numbers.add(6)
    if any(each.pay_within is not None and each.amount > 0 for each in over_kafka):
        numbers.add(8)
    return numbers
