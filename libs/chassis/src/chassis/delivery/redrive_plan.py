"""What a redrive would do, without doing it: what waits, in which order, and what is to be expected of each.

Nothing is decided and nobody is asked: what can be told is whether a record can be read now,
whether anybody takes it, and whether the code that refused it is the code that would try again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from chassis.delivery.records import NotAddressed, Poisoned, classify
from chassis.delivery.slips import record_of
from chassis.delivery.subscriptions import Routes
from chassis.parking.model import BEHIND, BREAKER, OpenBreaker, ParkedDelivery, ParkedTarget


class Expected(StrEnum):
    """What is to be expected of one delivery when its turn comes."""

    SAME_BUILD = "same_build"
    """This very build refused it: it is likely to refuse it again, unless what it met was not in the code."""
    OTHER_BUILD = "other_build"
    """Another build refused it: this one tries."""
    FOLLOWS = "follows"
    """It did not fail itself: it follows what stands before it."""
    STILL_UNREADABLE = "still_unreadable"
    """This build cannot read it either: it fails again."""
    NOT_CONSUMED = "not_consumed"
    """Its topic is not consumed any more: it fails again, and only discarding helps."""
    NOT_ADDRESSED = "not_addressed"
    """Its type is not subscribed to any more: it is dropped."""
    BY_ITSELF = "by_itself"
    """A timer or a pending step: unlocked, it is tried again by itself."""
    TARGETS_ASKED = "targets_asked"
    """Its targets could not be told: they are looked up, and each gets it, behind what is parked there."""


@dataclass(frozen=True, slots=True)
class Step:
    delivery: ParkedDelivery
    expected: Expected


@dataclass(frozen=True, slots=True)
class Plan:
    """A redrive of one target, not yet done."""

    parked: ParkedTarget
    steps: Sequence[Step]
    """In the order of replay; the first ones where there are many."""
    breaker: OpenBreaker | None
    """While it is open, nothing new is consumed; a redrive runs all the same."""
    build: str
    """The build that would replay."""


class PlanStore(Protocol):
    """What a plan is made from."""

    async def target(self, target: str) -> ParkedTarget | None:
        """One parked target; None where nothing waits for it."""
        ...

    async def waiting(self, target: str, limit: int) -> list[ParkedDelivery]:
        """A target's deliveries in the order in which they are replayed: per topic by partition and offset."""
        ...

    async def breaker(self) -> OpenBreaker | None: ...


class Planner:
    """Plans redrives of one service."""

    def __init__(self, routes: Routes, parking: PlanStore, build: str) -> None:
        self._routes = routes
        self._parking = parking
        self._build = build

    async def plan(self, target: str, limit: int) -> Plan | None:
        """What a redrive of `target` would do, its first `limit` steps; None where nothing waits for it."""
        parked = await self._parking.target(target)
        if parked is None or target == BREAKER:
            return None
        waiting = await self._parking.waiting(target, limit)
        return Plan(
            parked=parked,
            steps=[Step(each, self._expected(each)) for each in waiting],
            breaker=await self._parking.breaker(),
            build=self._build,
        )

    def _expected(self, parked: ParkedDelivery) -> Expected:
        record = record_of(parked)
        if parked.is_step:
            return Expected.BY_ITSELF
        if record.topic not in self._routes.raw:
            if not (types := self._routes.types(record.topic)):
                return Expected.NOT_CONSUMED
            match classify(record, types):
                case NotAddressed():
                    return Expected.NOT_ADDRESSED
                case Poisoned():
                    return Expected.STILL_UNREADABLE
            if parked.target == record.key_lock:
                return Expected.TARGETS_ASKED
        if parked.reason == BEHIND:
            return Expected.FOLLOWS
        return Expected.SAME_BUILD if parked.build == self._build else Expected.OTHER_BUILD
