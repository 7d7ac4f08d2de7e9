"""Durable steps per second and CPU per step: the toy's chain of five counters on the platform and on the floor."""

from bench.contenders import contenders, order_book
from bench.figures import Aim, Figure, Tally
from bench.ground import Ground

WARM_UP = 100
BOTH = ("core", "floor")


async def measure(ground: Ground) -> list[Figure]:
    """Measure in alternating turns; both processes run through all rounds."""
    orders = ground.size(800, 20)
    rate, cpu = Tally(), Tally()
    async with contenders(ground.servers, ground.folder, {name: name for name in BOTH}) as both:
        for who, contender in both.items():
            await contender.turn(order_book(f"{who}warm", ground.size(WARM_UP, 10)))
        for number in range(ground.rounds):
            for who, contender in both.items():
                turn = await contender.turn(order_book(f"{who}{number}", orders))
                rate.add(who, turn.steps_per_second)
                cpu.add(who, turn.cpu_ms_per_step)
    return [
        Figure("Durable steps, five stages, saturated", "steps/s", rate.rows, BOTH, Aim(0.8, at_least=True)),
        Figure("CPU of one step, without the servers'", "ms", cpu.rows, BOTH, Aim(1.6)),
    ]
