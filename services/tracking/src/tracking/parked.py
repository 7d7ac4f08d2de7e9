"""The parked deliveries of the platform's services, according to their last answers.

All services are queried concurrently in the background, never for a page. A service is unknown, which differs from
having nothing parked, if its last complete answer is older than `FRESH_SECONDS` or if it has more parked than can be
listed. The pause between rounds is ten times as long as the last round took, within limits.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import structlog

from chassis.clock import Clock
from tracking.domain.held import Held

LOOK_SECONDS = 7.5
LOOK_SHARE = 10
MAX_LOOK_SECONDS = 8.0
FRESH_SECONDS = 20.0
"""Two intervals between rounds, and the duration of the rounds."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Halted:
    """A service that paused consumption because too much was parked for one reason."""

    service: str
    reason: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Answer:
    """A service's answer."""

    held: tuple[Held, ...]
    halted: Halted | None = None
    complete: bool = True
    """Whether all its parked targets are listed."""


class NotAsked(Exception):
    """A service did not answer."""


class Service(Protocol):
    """Port to a service's `ParkingService`."""

    async def ask(self) -> Answer:
        """Its parked targets.

        Raises:
            NotAsked: it does not answer, or refuses the call.
        """
        ...


@dataclass(frozen=True, slots=True)
class Unknown:
    """A service whose parked targets are not known."""

    service: str
    answered_at: datetime | None
    """Time of its last complete answer; None if there was none."""


@dataclass(frozen=True, slots=True)
class Parked:
    """The parked targets of all services as far as known."""

    held: tuple[Held, ...] = ()
    halted: tuple[Halted, ...] = ()
    unknown: tuple[Unknown, ...] = ()


class ParkedWatch:
    """The last answer of every service."""

    def __init__(self, services: Mapping[str, Service], clock: Clock) -> None:
        self._services = services
        self._clock = clock
        self._answers: dict[str, Answer] = {}
        self._answered_at: dict[str, datetime] = {}
        self._away = set[str]()
        """Services that did not answer last time, so that each is logged once."""

    def now(self) -> Parked:
        """The last answers; a service without a recent complete answer is unknown."""
        known = [answer for _, answer in sorted(self._answers.items())]
        return Parked(
            held=tuple(held for answer in known for held in answer.held),
            halted=tuple(answer.halted for answer in known if answer.halted is not None),
            unknown=tuple(Unknown(name, self._answered_at.get(name)) for name in self._services if self._old(name)),
        )

    def _old(self, name: str) -> bool:
        answered = self._answered_at.get(name)
        return answered is None or (self._clock.now() - answered).total_seconds() > FRESH_SECONDS

    async def look(self) -> None:
        """Query every service once; one that does not answer keeps its last answer until that is outdated."""
        await asyncio.gather(*(self._ask(name, service) for name, service in self._services.items()))

    async def _ask(self, name: str, service: Service) -> None:
        moment = self._clock.now()
        try:
            answer = await service.ask()
        except NotAsked as error:
            if name not in self._away:
                log.warning("parked_not_known", service=name, error=str(error))
            self._away.add(name)
            return
        self._away.discard(name)
        self._answers[name] = answer
        if answer.complete:
            self._answered_at[name] = moment

    async def watch(self) -> None:
        """Query until cancelled."""
        while True:
            began = self._clock.monotonic()
            await self.look()
            took = self._clock.monotonic() - began
            await self._clock.sleep(min(MAX_LOOK_SECONDS, max(LOOK_SECONDS, LOOK_SHARE * took)))
