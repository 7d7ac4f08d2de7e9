"""How far each topic is read and as of when, so that "no data" is not shown as "nothing happened"."""

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
"""Maximum number of end offsets kept per topic until the consumer reaches them; enough for half an hour."""

_Ends = Mapping[tuple[str, int], int]


class Progress(Protocol):
    """The consumer group's progress; a partition is (topic, number)."""

    async def ends(self) -> _Ends: ...

    async def committed(self) -> _Ends: ...


class Knowledge(StrEnum):
    """What the absence of an event means."""

    READ = "read"
    """The topic is read to its end: an event that is missing did not happen."""
    BEHIND = "behind"
    """The consumer lags: an event that is missing may have happened."""
    NO_DATA = "no_data"
    """The consumer's progress is unknown."""


@dataclass(frozen=True, slots=True)
class TopicCoverage:
    topic: str
    knowledge: Knowledge
    behind: int | None
    checked_at: datetime | None
    as_of: datetime | None = None
    """Every record that the topic had at this time is read; None if unknown."""


class Coverage:
    """The last known lag of every topic, and the time up to which it is read."""

    def __init__(self, topics: tuple[str, ...], clock: Clock) -> None:
        self._topics = topics
        self._clock = clock
        self._behind: dict[str, int] = {}
        self._checked_at: datetime | None = None
        self._as_of: dict[str, datetime] = {}
        self._samples: dict[str, deque[tuple[datetime, _Ends]]] = defaultdict(deque)

    def now(self) -> tuple[TopicCoverage, ...]:
        """The coverage of each topic; an outdated measurement counts as none."""
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
        """Measure once. Raises what the broker raises; the previous measurement is then kept until it is outdated."""
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
        """Advance `as_of` to the latest sample whose ends are reached; of too many samples, keep the oldest."""
        samples = self._samples[topic]
        if len(samples) < MAX_SAMPLES:
            samples.append((moment, ends))
        while samples and not _distance(samples[0][1], committed):
            self._as_of[topic] = samples.popleft()[0]

    async def watch(self, progress: Progress) -> None:
        """Measure until cancelled."""
        while True:
            await self.check(progress)
            await self._clock.sleep(CHECK_SECONDS)


def _distance(ends: _Ends, committed: _Ends) -> int:
    return sum(max(0, end - committed.get(partition, 0)) for partition, end in ends.items())
