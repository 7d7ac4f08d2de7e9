"""`as_of` of a topic: the latest sample whose end offsets are reached, even under steady traffic."""

from collections.abc import Mapping
from datetime import timedelta

import pytest

from chassis.testing import ManualClock
from tracking.coverage import FRESH_SECONDS, MAX_SAMPLES, Coverage, Knowledge, TopicCoverage

T = ("t", 0)


class Progress:
    def __init__(self) -> None:
        self.end, self.read, self.away = 0, 0, False

    async def ends(self) -> Mapping[tuple[str, int], int]:
        if self.away:
            raise TimeoutError
        return {T: self.end}

    async def committed(self) -> Mapping[tuple[str, int], int]:
        return {T: self.read}


def _of(coverage: Coverage) -> TopicCoverage:
    (topic,) = coverage.now()
    return topic


async def test_under_steady_traffic_as_of_is_the_latest_sample_that_is_reached() -> None:
    clock, progress = ManualClock(), Progress()
    coverage = Coverage(("t",), clock)
    began = clock.now()
    for number in range(10):
        progress.end, progress.read = 10 * (number + 1), 10 * number
        await coverage.check(progress)
        await clock.advance(seconds=2)
    assert _of(coverage).knowledge is Knowledge.BEHIND
    assert _of(coverage).as_of == began + timedelta(seconds=16)


async def test_while_the_broker_is_unreachable_as_of_stays_and_the_lag_is_unknown() -> None:
    clock, progress = ManualClock(), Progress()
    coverage = Coverage(("t",), clock)
    await coverage.check(progress)
    then = clock.now()
    progress.away = True
    await clock.advance(seconds=FRESH_SECONDS + 1)
    with pytest.raises(TimeoutError):
        await coverage.check(progress)
    assert (_of(coverage).knowledge, _of(coverage).as_of) == (Knowledge.NO_DATA, then)


async def test_the_coverage_of_a_missing_topic_is_unknown() -> None:
    coverage = Coverage(("t", "other"), ManualClock())
    await coverage.check(Progress())
    assert [each.knowledge for each in coverage.now()] == [Knowledge.READ, Knowledge.NO_DATA]
    assert coverage.now()[1].as_of is None


async def test_a_long_lag_keeps_the_last_complete_reading_in_bounded_memory() -> None:
    clock, progress = ManualClock(), Progress()
    coverage = Coverage(("t",), clock)
    await coverage.check(progress)
    then = clock.now()
    for number in range(MAX_SAMPLES + 50):
        await clock.advance(seconds=2)
        progress.end = number + 1
        await coverage.check(progress)
    assert _of(coverage).as_of == then
    progress.read = progress.end
    await coverage.check(progress)
    await clock.advance(seconds=2)
    await coverage.check(progress)
    assert _of(coverage).as_of == clock.now()
