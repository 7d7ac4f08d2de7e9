"""Whole shipments through all six services and their public doors, and what each service spends on one."""

import asyncio
import time

from aiokafka import TopicPartition

from bench.figures import Figure, Tally
from bench.ground import Ground, cpu_seconds, memory_mb
from chassis.reader import Reader
from contracts.topics import EVENT_TOPICS
from launcher.platform import Platform
from launcher.services import SERVICES
from trade_cli.demo_facts import facts
from trade_cli.doors import doors
from trade_cli.enrolment import issue_keys, register
from trade_cli.load import Load, report, shipments
from trade_cli.platform import load_platform
from trade_cli.tracking_client import tracking

SIDE_BY_SIDE = 10
REST_SECONDS = 2.0
"""After the last shipment is closed, its notices and spans are still on their way."""


async def measure(ground: Ground) -> list[Figure]:
    """Seeded shipments as `trade simulate` plays them, from lodging to closing, a new seed each round.

    Raises:
        AssertionError: not every shipment was closed.
    """
    running = await ground.platform()
    client = load_platform(running.layout.description)
    told = facts()
    await register(client, told.enterprises)
    firms = [each for each in told.enterprises if each.id == told.declarant]
    keys = await issue_keys(client, firms, told.partners, label="bench")
    rate, steps, cpu, memory, latency = Tally(), Tally(), Tally(), Tally(), Tally()
    count = ground.size(20, 2)
    async with doors(client, connections=SIDE_BY_SIDE) as gateway, tracking(client) as desk:
        load = Load(gateway, desk, keys, told.declarant)
        await load.run(shipments(told, 2, 1), side_by_side=2)
        for number in range(ground.rounds):
            spent, published = _spent(running), await _published(client.kafka)
            begun = time.monotonic()
            times = await load.run(shipments(told, count, number + 2), side_by_side=SIDE_BY_SIDE)
            seconds = time.monotonic() - begun
            found = report(times, seconds)
            assert found["closed"] == count, found["problems"]
            rate.add("six services", count / seconds)
            latency.add("median shipment", found["latency_seconds"]["lodged_to_closed"]["p50"])
            steps.add("six services", (await _published(client.kafka) - published) / seconds)
            await asyncio.sleep(REST_SECONDS)
            for name, before in spent.items():
                cpu.add(name, (cpu_seconds(running.parts[name].pid) - before) * 1000 / count)
                memory.add(name, memory_mb(running.parts[name].pid))
    dearest = dict(sorted(cpu.rows.items(), key=lambda row: -sum(row[1])))
    return [
        Figure("Shipments, ten side by side", "per s", rate.rows),
        Figure("Events published meanwhile", "per s", steps.rows, note="each is one durable step of one service"),
        Figure("From lodging to closing", "s", latency.rows, note="partners answer as soon as they are asked"),
        Figure("CPU of one shipment, by service", "ms", dearest),
        Figure("Memory while shipments flow, by service", "MB", memory.rows),
    ]


def _spent(running: Platform) -> dict[str, float]:
    return {name: cpu_seconds(running.parts[name].pid) for name in SERVICES}


async def _published(kafka: str) -> int:
    """Events on all topics so far."""
    names = [topic.name for topic in EVENT_TOPICS]
    observer = Reader(*names, bootstrap_servers=kafka, group_id=None)
    await observer.start()
    try:
        partitions = [
            TopicPartition(name, number) for name in names for number in observer.partitions_for_topic(name) or ()
        ]
        return sum((await observer.end_offsets(partitions)).values())
    finally:
        await observer.stop()
