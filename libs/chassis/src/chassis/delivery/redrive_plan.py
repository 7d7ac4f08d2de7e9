"""A dry run of a redrive: the parked deliveries in order, and what to expect of each.

Nothing is decided and no peer is called. The plan shows whether this build can read a record, whether a handler
subscribes to it, and whether the build that refused it is the one that would retry it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from chassis.delivery.records import NotAddressed, Poisoned, classify
from chassis.delivery.slips import record_of
from chassis.delivery.subscriptions import Routes
from chassis.parking import BEHIND, BREAKER, OpenBreaker, ParkedDelivery, ParkedTarget


class Expected(StrEnum):
    """The expected outcome of one delivery."""

    SAME_BUILD = "same_build"
    """This same build refused it, and is likely to refuse it again unless the cause was outside the code."""
    OTHER_BUILD = "other_build"
    """Another build refused it; this one will try."""
    FOLLOWS = "follows"
    """It did not fail itself; it waits for the one before it."""
    STILL_UNREADABLE = "still_unreadable"
    """This build cannot read it either; it will fail again."""
    NOT_CONSUMED = "not_consumed"
    """Its topic is no longer consumed; it will fail again and can only be discarded."""
    NOT_ADDRESSED = "not_addressed"
    """Its type is no longer subscribed to; it will be dropped."""
    BY_ITSELF = "by_itself"
    """A timer or a pending step; once unlocked it is retried automatically."""
    TARGETS_ASKED = "targets_asked"
    """Its targets could not be determined; they are looked up, and each gets it after what is parked there."""


@dataclass(frozen=True, slots=True)
class Step:
    delivery: ParkedDelivery
    expected: Expected


@dataclass(frozen=True, slots=True)
class Plan:
    """The plan for one target."""

    parked: ParkedTarget
    steps: Sequence[Step]
    """In replay order; only the first ones if there are many."""
    breaker: OpenBreaker | None
    """While it is open, nothing new is consumed; a redrive still runs."""
    build: str
    """The build that would replay."""


class PlanStore(Protocol):
    """The store operations of a plan."""

    async def target(self, target: str) -> ParkedTarget | None:
        """One parked target; None if nothing is parked for it."""
        ...

    async def waiting(self, target: str, limit: int) -> list[ParkedDelivery]:
        """A target's deliveries in replay order: by topic, partition and offset."""
        ...

    async def breaker(self) -> OpenBreaker | None: ...


class Planner:
    """Plans redrives of one service."""

    def __init__(self, routes: Routes, parking: PlanStore, build: str) -> None:
        self._routes = routes
        self._parking = parking
        self._build = build

    async def plan(self, target: str, limit: int) -> Plan | None:
        """The first `limit` steps of a redrive of `target`; None if nothing is parked for it."""
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
