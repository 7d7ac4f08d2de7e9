"""What the platform's services hold back, as they said last: so that it is never taken for nothing.

Every service is asked, side by side and in the background: a page costs no question. A service whose last whole
answer is older than `FRESH_SECONDS` counts as not asked, and so does one that holds back more than can
be listed. The next look follows after ten times as long as the last one took, within bounds.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import structlog

from chassis.clock import Clock
from tracking.domain.held import Held

LOOK_SECONDS = 5.0
LOOK_SHARE = 10
MAX_LOOK_SECONDS = 8.0
FRESH_SECONDS = 15.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Halted:
    """A service that has stopped reading as a whole, because too much was held back for one reason."""

    service: str
    reason: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service said."""

    held: tuple[Held, ...]
    halted: Halted | None = None
    complete: bool = True
    """Whether everything that it holds back is listed."""


class NotAsked(Exception):
    """A service did not answer."""


class Service(Protocol):
    """A service's parking, read."""

    async def ask(self) -> Answer:
        """What it holds back now.

        Raises:
            NotAsked: it does not answer, or refuses to.
        """
        ...


@dataclass(frozen=True, slots=True)
class Unknown:
    """A service of which is not known what it holds back."""

    service: str
    answered_at: datetime | None
    """Its last whole answer; None where there was none."""


@dataclass(frozen=True, slots=True)
class Parked:
    """What is known now."""

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
        """Who did not answer last, so that the log tells it once."""

    def now(self) -> Parked:
        """What services said last; who said nothing lately, or not everything, is unknown."""
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
        """Ask every service once; one that is away keeps its last answer, which grows old."""
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
        """Ask for ever."""
        while True:
            began = self._clock.monotonic()
            await self.look()
            took = self._clock.monotonic() - began
            await self._clock.sleep(min(MAX_LOOK_SECONDS, max(LOOK_SECONDS, LOOK_SHARE * took)))
