"""How far the topics are read: so that "no data" is not taken for "nothing happened"."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from chassis.clock import Clock

CHECK_SECONDS = 2.0
STALE_SECONDS = 30.0


class Progress(Protocol):
    """The part of the consumer group's progress that is asked; partitions name their topic."""

    async def ends(self) -> Mapping[tuple[str, int], int]: ...

    async def committed(self) -> Mapping[tuple[str, int], int]: ...


class Knowledge(StrEnum):
    """What may be concluded from finding nothing."""

    READ = "read"
    """All of the topic is read: what is not here did not happen."""
    BEHIND = "behind"
    """Records wait to be read: what is not here may have happened."""
    NO_DATA = "no_data"
    """It is not known how far the topic is read."""


@dataclass(frozen=True, slots=True)
class TopicCoverage:
    topic: str
    knowledge: Knowledge
    behind: int | None
    checked_at: datetime | None


class Coverage:
    """The last known distance to the end of every topic."""

    def __init__(self, topics: tuple[str, ...], clock: Clock) -> None:
        self._topics = topics
        self._clock = clock
        self._behind: dict[str, int] = {}
        self._checked_at: datetime | None = None

    def now(self) -> tuple[TopicCoverage, ...]:
        """Per topic what is known; an old answer counts as none."""
        checked = self._checked_at
        fresh = checked is not None and (self._clock.now() - checked).total_seconds() < STALE_SECONDS
        return tuple(self._of(topic, fresh) for topic in self._topics)

    def _of(self, topic: str, fresh: bool) -> TopicCoverage:
        if not fresh or topic not in self._behind:
            return TopicCoverage(topic, Knowledge.NO_DATA, None, self._checked_at)
        behind = self._behind[topic]
        return TopicCoverage(topic, Knowledge.BEHIND if behind else Knowledge.READ, behind, self._checked_at)

    async def check(self, progress: Progress) -> None:
        """Ask once. Raises what the broker raises; the last answer then grows old by itself."""
        moment = self._clock.now()
        ends, committed = await progress.ends(), await progress.committed()
        behind = dict.fromkeys({topic for topic, _ in ends}, 0)
        for partition, end in ends.items():
            behind[partition[0]] += max(0, end - committed.get(partition, 0))
        self._behind, self._checked_at = behind, moment

    async def watch(self, progress: Progress) -> None:
        """Ask for ever."""
        while True:
            await self.check(progress)
            await self._clock.sleep(CHECK_SECONDS)
