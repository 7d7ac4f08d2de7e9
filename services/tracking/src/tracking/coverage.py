"""How far the topics are read, and as of when: so that "no data" is not taken for "nothing happened"."""

from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from chassis.clock import Clock

CHECK_SECONDS = 2.0
FRESH_SECONDS = 10.0
MAX_SAMPLES = 500
"""Ends that are remembered of a topic until they are reached; those of half an hour tell well enough since when."""

_Ends = Mapping[tuple[str, int], int]


class Progress(Protocol):
    """The part of the consumer group's progress that is asked; partitions name their topic."""

    async def ends(self) -> _Ends: ...

    async def committed(self) -> _Ends: ...


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
    as_of: datetime | None = None
    """Everything that stood in the topic then is read; None where that was never seen."""


class Coverage:
    """The last known distance to the end of every topic, and the last moment up to which it is read."""

    def __init__(self, topics: tuple[str, ...], clock: Clock) -> None:
        self._topics = topics
        self._clock = clock
        self._behind: dict[str, int] = {}
        self._checked_at: datetime | None = None
        self._as_of: dict[str, datetime] = {}
        self._samples: dict[str, deque[tuple[datetime, _Ends]]] = defaultdict(deque)

    def now(self) -> tuple[TopicCoverage, ...]:
        """Per topic what is known; an old answer counts as none."""
        checked = self._checked_at
        fresh = checked is not None and (self._clock.now() - checked).total_seconds() < FRESH_SECONDS
        return tuple(self._of(topic, fresh) for topic in self._topics)

    def _of(self, topic: str, fresh: bool) -> TopicCoverage:
        as_of = self._as_of.get(topic)
        if not fresh or topic not in self._behind:
            return TopicCoverage(topic, Knowledge.NO_DATA, None, self._checked_at, as_of)
        behind = self._behind[topic]
        knowledge = Knowledge.BEHIND if behind else Knowledge.READ
        return TopicCoverage(topic, knowledge, behind, self._checked_at, as_of)

    async def check(self, progress: Progress) -> None:
        """Ask once. Raises what the broker raises; the last answer then grows old by itself."""
        moment = self._clock.now()
        ends, committed = await progress.ends(), await progress.committed()
        by_topic: dict[str, dict[tuple[str, int], int]] = defaultdict(dict)
        for partition, end in ends.items():
            by_topic[partition[0]][partition] = end
        for topic, own in by_topic.items():
            self._note(topic, moment, own, committed)
        self._behind = {topic: _distance(own, committed) for topic, own in by_topic.items()}
        self._checked_at = moment

    def _note(self, topic: str, moment: datetime, ends: _Ends, committed: _Ends) -> None:
        """Move up to the last moment whose ends are reached; those of the oldest are kept where too many wait."""
        samples = self._samples[topic]
        if len(samples) < MAX_SAMPLES:
            samples.append((moment, ends))
        while samples and not _distance(samples[0][1], committed):
            self._as_of[topic] = samples.popleft()[0]

    async def watch(self, progress: Progress) -> None:
        """Ask for ever."""
        while True:
            await self.check(progress)
            await self._clock.sleep(CHECK_SECONDS)


def _distance(ends: _Ends, committed: _Ends) -> int:
    return sum(max(0, end - committed.get(partition, 0)) for partition, end in ends.items())
