"""Memory of each service at rest, and of the toy before and after the first step of ten thousand shipments."""

from bench.contenders import contenders, order_book
from bench.figures import Aim, Figure, Tally
from bench.ground import Ground, memory_mb
from launcher.services import SERVICES

TURN = 1000
"""Orders per turn."""


async def measure(ground: Ground) -> list[Figure]:
    """Measure memory. Growth is measured on the toy, because ten thousand whole shipments would take an hour.

    Each order is a new document, saved, published and trimmed by the same chassis. Memory that a service
    keeps per shipment would show.
    """
    platform = await ground.platform()
    idle = Tally()
    for name in SERVICES:
        idle.add(name, memory_mb(platform.parts[name].pid))
    largest = dict(sorted(idle.rows.items(), key=lambda row: -row[1][0]))
    turns, orders = ground.size(10, 2), ground.size(TURN, 20)
    grown = Tally()
    async with contenders(ground.servers, ground.folder, {"memory": "core"}) as one:
        toy = one["memory"]
        grown.add("toy, idle", memory_mb(toy.child.pid))
        for number in range(turns):
            await toy.turn(order_book(f"m{number}", orders, hops=0, counters=[f"m{number}-{n}" for n in range(orders)]))
            if number == 0:
                grown.add(f"after {orders}", memory_mb(toy.child.pid))
        grown.add(f"after {orders * turns}", memory_mb(toy.child.pid))
    ends = (f"after {orders * turns}", "toy, idle")
    return [
        Figure("Memory of a service at rest", "MB", largest, aim=Aim(150.0), note="the aim is judged on the largest"),
        Figure("Memory after so many shipments' first step", "MB", grown.rows, ends, Aim(1.10)),
    ]
