"""Topics while a service runs: differences are reported, and partitions without a reader are read again."""

from collections.abc import Sequence

from aiokafka import TopicPartition

from chassis.broker.topic_check import TopicMismatch, TopicsCare
from chassis.testing import ManualClock
from contracts.topics import PARTITIONS, Profile

ALL = [TopicPartition("in.v1", number) for number in range(PARTITIONS[Profile.DEV])]
HOLE = ALL[1:]


class World:
    """The used parts of a broker, a group and a consumer."""

    def __init__(self) -> None:
        self.topics = ("in.v1",)
        self.differences: Sequence[str] = ()
        self.read: Sequence[TopicPartition] | None = ALL
        """Partitions of a member; None: a rebalance is in progress."""
        self.started_anew = 0
        self._care = TopicsCare(self._check, self, Profile.DEV, start_anew=self._start_anew, clock=ManualClock())

    async def looks(self, times: int = 1) -> int:
        """Check so many times; returns how often the consumer was restarted."""
        for _ in range(times):
            await self._care.look()
        return self.started_anew

    async def readers(self) -> Sequence[TopicPartition] | None:
        return self.read

    async def _check(self) -> None:
        if self.differences:
            raise TopicMismatch("\n".join(self.differences))

    def _start_anew(self) -> None:
        self.started_anew += 1


async def test_a_consumer_stays_as_it_is_while_all_is_read() -> None:
    assert await World().looks(5) == 0


async def test_topics_that_are_right_again_are_joined_anew() -> None:
    world = World()
    world.differences = ["in.v1 is missing"]
    assert await world.looks(3) == 0
    world.differences = ()
    assert await world.looks(3) == 1


async def test_a_partition_that_nobody_reads_is_given_out_anew_though_no_topic_was_ever_seen_wrong() -> None:
    world = World()
    world.read = HOLE
    assert await world.looks() == 0, "it may close by itself"
    assert await world.looks() == 1
    world.read = ALL
    assert await world.looks(3) == 1


async def test_partitions_that_are_being_given_out_are_no_hole() -> None:
    world = World()
    for seen in (HOLE, None, HOLE, None):
        world.read = seen
        assert await world.looks() == 0
