"""The parts of a stop share one time limit."""

from chassis.grace import LEAST_SECONDS, Grace
from chassis.testing import ManualClock


async def test_parts_stopped_one_after_the_other_share_one_span() -> None:
    clock = ManualClock()
    grace = Grace(10, clock)
    await clock.advance(seconds=60)
    assert grace.left() == 10, "it runs from `begin` on"
    grace.begin()
    await clock.advance(seconds=4)
    assert grace.left() == 6
    grace.begin()
    assert grace.left() == 6, "it runs only once"


async def test_a_part_that_comes_last_can_still_disconnect() -> None:
    clock = ManualClock()
    grace = Grace(10, clock).begin()
    await clock.advance(seconds=11)
    assert grace.left() == LEAST_SECONDS
