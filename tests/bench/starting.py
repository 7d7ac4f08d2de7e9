"""Time from the start of a service's process until it is ready."""

import time

from bench.figures import Aim, Figure, Tally
from bench.ground import Ground, cpu_seconds
from launcher.services import SERVICES


async def measure(ground: Ground) -> list[Figure]:
    """CPU of each service's process until `/readyz` answers 200, polled every 50 ms."""
    platform = await ground.platform()
    cpu, wall = Tally(), Tally()
    for _ in range(ground.rounds):
        for name in SERVICES:
            await platform.parts[name].stop()
            begun = time.monotonic()
            await platform.restart(name)
            wall.add(name, time.monotonic() - begun)
            cpu.add(name, cpu_seconds(platform.parts[name].pid))
    slowest = dict(sorted(cpu.rows.items(), key=lambda row: -sorted(row[1])[len(row[1]) // 2]))
    return [
        Figure(
            "Start to ready, CPU", "s", slowest, aim=Aim(3.0), note="the aim is judged on the slowest, the first row"
        ),
        Figure("Start to ready, by the clock", "s", wall.rows),
    ]
