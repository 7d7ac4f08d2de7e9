"""Whole shipments through all six services and their public doors, and what they cost services and database."""

import asyncio
import re
import time
from collections import Counter

import httpx2

from bench.figures import Aim, Figure, Tally
from bench.ground import Ground, cpu_seconds, memory_mb
from launcher.platform import Platform
from launcher.services import SERVICES
from trade_cli.declaration_feed import feed
from trade_cli.demo_facts import facts
from trade_cli.doors import doors
from trade_cli.enrolment import issue_keys, register
from trade_cli.load import Load, report, shipments
from trade_cli.platform import load_platform

SIDE_BY_SIDE = (10, 50, 200)
CONNECTIONS = 50
REST_SECONDS = 2.0
"""After the last shipment is closed, its notices and spans are still on their way."""
QUIET_SECONDS = 20.0
"""So long nothing happens, and what the database is asked all the same is counted."""
_COMMANDS = re.compile(r'^trade_database_commands_total\{collection="([^"]*)",command="([^"]*)"\} (\S+)$', re.MULTILINE)
DEAREST = 12


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
    rate, latency, accepted, cpu, memory, commands = Tally(), Tally(), Tally(), Tally(), Tally(), Tally()
    by_kind: Counter[str] = Counter()
    played = 0
    seed = 1
    async with doors(client, connections=CONNECTIONS) as gateway, feed(client.kafka) as said:
        await Load(gateway, said, keys, told.declarant).run(shipments(told, 2, seed), side_by_side=2)
        for _ in range(ground.rounds):
            for many in SIDE_BY_SIDE:
                seed += 1
                count = ground.size(max(30, many), 2)
                spent, asked = _spent(running), await _commands(running)
                load = Load(gateway, said, keys, told.declarant)
                begun = time.monotonic()
                times = await load.run(shipments(told, count, seed), side_by_side=many)
                seconds = time.monotonic() - begun
                found = report(times, seconds)
                assert found["closed"] == count, found["problems"]
                await asyncio.sleep(REST_SECONDS)
                row = f"{many} in flight"
                rate.add(row, count / seconds)
                latency.add(row, found["latency_seconds"]["lodged_to_closed"]["p50"])
                accepted.add(row, found["latency_seconds"]["lodged_to_accepted"]["p99"])
                more = await _commands(running) - asked
                commands.add(row, more.total() / count)
                by_kind += more
                played += count
                for name, before in spent.items():
                    cpu.add(name, (cpu_seconds(running.parts[name].pid) - before) * 1000 / count)
                    memory.add(name, memory_mb(running.parts[name].pid))
        quiet = Tally()
        asked = await _commands(running)
        await asyncio.sleep(QUIET_SECONDS)
        quiet.add("six services", (await _commands(running) - asked).total() / QUIET_SECONDS)
    dearest_cpu = dict(sorted(cpu.rows.items(), key=lambda row: -sum(row[1])))
    kinds = {name: [asked / played] for name, asked in by_kind.most_common(DEAREST)}
    return [
        Figure(
            "Shipments closed", "per s", rate.rows, note="the load reads what declarations publish, and asks nobody"
        ),
        Figure("From lodging to closing, p50", "s", latency.rows, note="partners answer as soon as they are asked"),
        Figure("From lodging to acceptance, p99", "s", accepted.rows),
        Figure("Database commands of one shipment", "", commands.rows, aim=Aim(60.0)),
        Figure("Of these, the most frequent", "", kinds, note="all rounds together"),
        Figure("Database commands at rest", "per s", quiet.rows, aim=Aim(3.0)),
        Figure("CPU of one shipment, by service", "ms", dearest_cpu),
        Figure("Memory while shipments flow, by service", "MB", memory.rows),
    ]


def _spent(running: Platform) -> dict[str, float]:
    return {name: cpu_seconds(running.parts[name].pid) for name in SERVICES}


async def _commands(running: Platform) -> Counter[str]:
    """Commands that the database has answered so far, by service, kind and collection."""
    found: Counter[str] = Counter()
    services = load_platform(running.layout.description).services
    async with httpx2.AsyncClient(trust_env=False) as http:
        for name, address in services.items():
            told = (await http.get(f"{address.admin}/metrics")).text
            for collection, command, count in _COMMANDS.findall(told):
                found[f"{name} {command} {collection}"] += int(float(count))
    return found
