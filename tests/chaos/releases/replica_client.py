"""A client of several replicas: what a rolling restart must not be noticed by."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import grpc
from chaos.judging.verdicts import Verdict

from chassis.testing import eventually

Call = Callable[[Any], Awaitable[Any]]

PAUSE_SECONDS = 0.1
"""Between two requests."""
BOTH_REFUSE_SECONDS = 0.05
NOT_BEGUN = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}
"""Nobody took the request. CANCELLED, though nobody cancels here, is what gRPC answers for a call that waits unread
in a server when that stops (grpc/grpc#41785); to the platform's own clients it is an absent peer too."""


@dataclass
class Client:
    """Asks the replicas in turn, and the other where the connection is refused or the call was not begun."""

    replicas: Sequence[Call]
    answered: Counter[int] = field(default_factory=Counter)
    """Replica → how many requests."""
    elsewhere: int = 0
    """How often the other one was asked."""
    errors: Counter[str] = field(default_factory=Counter)
    """What nobody has declared."""

    async def ask(self, request: Any) -> Any:
        """One request, asked until it is answered; under its own id, so that it counts once."""
        first = sum(self.answered.values())
        while True:
            for turn in range(len(self.replicas)):
                place = (first + turn) % len(self.replicas)
                try:
                    answer = await self.replicas[place](request)
                except grpc.aio.AioRpcError as error:
                    if error.code() not in NOT_BEGUN:
                        self.errors[f"{error.code().name}: {error.details()}"] += 1
                    continue
                self.answered[place] += 1
                self.elsewhere += turn > 0
                return answer
            self.errors["both replicas refuse"] += 1
            await asyncio.sleep(BOTH_REFUSE_SECONDS)

    async def reaches(self, place: int) -> None:
        """Wait until a replica that was restarted answers this client again: its channel pauses between attempts."""
        before = self.answered[place]

        async def answers() -> bool:
            return self.answered[place] > before

        await eventually(answers, within_seconds=30)

    def verdict(self) -> Verdict:
        assert self.elsewhere, "no replica was ever away: nothing was tried"
        return Verdict(1, sum(self.answered.values()), [f"1: {count} × {what}" for what, count in self.errors.items()])
