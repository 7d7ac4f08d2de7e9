"""Virtual time, and every message between a process and its servers: delayed, lost, or the process's last.

One seed gives one schedule, event for event: nothing here asks the machine's clock, its network or its
own chance. A process dies or freezes at one of its calls: before the request is sent, while it is
under way, or when its answer has come.
"""

import asyncio
import hashlib
import random
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

T = TypeVar("T")

START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
DELAY_SECONDS = (0.0005, 0.02)
LATE_SECONDS = (0.2, 3.0)
LATE_SHARE = 0.04
SLOW_SHARE = 0.4
SLOW = ("", "delete locks", "commit", "bulk write", "send", "find", "replace", "ask", "join")
"""Of one of these kinds, another in each seed, so many messages are late: what is rare else meets what follows it."""
TICK_SECONDS = 1e-6
"""Below this, two moments are one."""


class Stalled(Exception):
    """Nothing can happen any more: everybody waits for somebody else."""


class VirtualLoop(asyncio.BaseEventLoop):
    """An event loop whose time passes only when nothing else is to be done."""

    def __init__(self) -> None:
        super().__init__()
        self._passed = 0.0
        self._selector = self

    def time(self) -> float:
        return self._passed

    def select(self, timeout: float | None) -> list[Any]:
        if timeout is None:
            raise Stalled
        self._passed += timeout
        return []

    def _process_events(self, events: list[Any]) -> None: ...

    def _write_to_self(self) -> None: ...


class Process:
    """One life of a process: dead, it never goes on; frozen, it goes on when it is thawed."""

    def __init__(self, name: str, network: "Network", *, mortal: bool = True) -> None:
        self.name = name
        self.mortal = mortal
        self.alive = True
        self.frozen_until = 0.0
        self._network = network

    @property
    def answers(self) -> bool:
        return self.alive and self.frozen_until <= self._network.loop.time() + TICK_SECONDS

    def die(self) -> None:
        if self.alive:
            self._network.note(f"{self.name} dies")
        self.alive = False

    def freeze(self, seconds: float) -> None:
        self._network.note(f"{self.name} freezes for {seconds:.1f} s")
        self.frozen_until = self._network.loop.time() + seconds

    async def passing(self) -> None:
        """Go on if it lives, when it is thawed; else never."""
        while self.alive and (rest := self.frozen_until - self._network.loop.time()) > TICK_SECONDS:  # noqa: ASYNC110 - virtual
            await asyncio.sleep(rest)
        if not self.alive:
            await self._network.for_ever()


class ProcessClock:
    """The virtual time, as one process sees it."""

    def __init__(self, process: Process, network: "Network") -> None:
        self._process = process
        self._network = network

    def now(self) -> datetime:
        return self._network.now()

    def monotonic(self) -> float:
        return self._network.loop.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds))
        await self._process.passing()


class Network:
    """Everything that travels between processes and servers."""

    def __init__(self, loop: VirtualLoop, seed: int, *, say: Callable[[str], None] | None = None) -> None:
        self.loop = loop
        self.chance = random.Random(seed)
        self.losses = 0.0
        """Share of calls that are lost on their way there or back."""
        self.strikes: dict[int, str] = {}
        """Number of a call → `before`, `under way`, `answered` or `freeze`: what meets its process."""
        self.calls = 0
        self._slow = self.chance.choice(SLOW)
        self._say = say
        self._graves: list[asyncio.Future[None]] = []
        self._digest = hashlib.sha256()

    def now(self) -> datetime:
        return START + timedelta(milliseconds=int(self.loop.time() * 1000))

    async def for_ever(self) -> None:
        """Where the dead wait: kept, so that nothing of theirs is cleared away, which would run their last words."""
        self._graves.append(self.loop.create_future())
        await self._graves[-1]

    def note(self, text: str) -> None:
        """One line of the schedule."""
        line = f"{self.loop.time():10.4f}  {text}"
        self._digest.update(line.encode())
        if self._say is not None:
            self._say(line)

    @property
    def digest(self) -> str:
        """A fingerprint of all that has happened."""
        return self._digest.hexdigest()[:16]

    async def call(
        self,
        process: Process,
        what: str,
        act: Callable[[], T],
        lost: Callable[[str], Exception],
        *,
        torn: Callable[[], object] | None = None,
    ) -> T:
        """Let `act` happen at a server for a process.

        Args:
            lost: the error that a client library raises where it does not know.
            torn: a part of `act`, for what a server can do in part.
        """
        await process.passing()
        self.calls += 1
        number, strike = self.calls, self._strike(process)
        going, coming = self._delay(what), self._delay(what)
        way = self._way(torn is not None)
        if strike == "before":
            process.die()
            await process.passing()
        if strike == "freeze":
            process.freeze(self.chance.uniform(3.0, 12.0))
        self.note(f"{process.name} {what} #{number}{f' ({way})' if way else ''}")
        answer: asyncio.Future[T] = self.loop.create_future()

        def arrive() -> None:
            try:
                if way == "torn" and torn is not None:
                    with suppress(Exception):  # what the part meets is not told: no answer comes
                        torn()
                result = act() if way in {"", "answer lost"} else None
            except Exception as error:
                self.loop.call_later(coming, _fail, answer, error)
                return
            if strike == "answered":
                process.die()
            if way:
                self.loop.call_later(coming, _fail, answer, lost(f"{what}: {way}"))
            else:
                self.loop.call_later(coming, _succeed, answer, result)

        self.loop.call_later(going, arrive)
        if strike == "under way":
            process.die()
        result = await answer
        await process.passing()
        return result

    def _strike(self, process: Process) -> str:
        """What meets a process at this call: the earliest that has waited for somebody who can die."""
        due = min(self.strikes, default=self.calls + 1)
        return self.strikes.pop(due) if process.mortal and due <= self.calls else ""

    def _way(self, can_tear: bool) -> str:
        if self.losses and self.chance.random() < self.losses:
            return self.chance.choice(["request lost", "answer lost", "torn" if can_tear else "answer lost"])
        return ""

    def _delay(self, what: str) -> float:
        late = SLOW_SHARE if self._slow and what.startswith(self._slow) else LATE_SHARE
        return self.chance.uniform(*(LATE_SECONDS if self.chance.random() < late else DELAY_SECONDS))


def _succeed(answer: "asyncio.Future[Any]", result: Any) -> None:
    if not answer.done():
        answer.set_result(result)


def _fail(answer: "asyncio.Future[Any]", error: Exception) -> None:
    if not answer.done():
        answer.set_exception(error)
