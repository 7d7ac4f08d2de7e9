"""The cost of a fail point that is off."""

import time

from bench.figures import Figure, Tally
from bench.ground import Ground
from chassis.failpoints import passage


async def measure(ground: Ground) -> list[Figure]:
    """Nanoseconds per passage, without the surrounding loop."""
    times, tally = ground.size(1_000_000, 10_000), Tally()
    for _ in range(ground.rounds):
        begun = time.perf_counter_ns()
        for _ in range(times):
            pass
        empty = time.perf_counter_ns()
        for _ in range(times):
            passage("save.before")
        tally.add("one passage", max(0.0, (time.perf_counter_ns() - empty - (empty - begun)) / times))
    return [Figure("Fail point that is off", "ns", tally.rows, note="a batch passes some ten, a published event three")]
