"""First attempts: claimed in the write that creates the aggregate, and made by the process that creates it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Generic, TypeVar

from chassis.aggregates import Applied, Input, Outcome
from chassis.failpoints import passage
from chassis.waiting.effects import Effects

S = TypeVar("S")
M = TypeVar("M")


@asynccontextmanager
async def first_claims(effects: Effects[S, Any, M, Any]) -> AsyncIterator["FirstClaims[S, M]"]:
    """Wraps a creation, which waits briefly for room; places held but not used by its end are given back."""
    await effects.room()
    claims = FirstClaims(effects)
    try:
        yield claims
    finally:
        claims.give_back()


class FirstClaims(Generic[S, M]):
    """Places held for first attempts."""

    def __init__(self, effects: Effects[S, Any, M, Any]) -> None:
        self._effects = effects
        self._held: dict[str, datetime] = {}
        """Id → end of its lease."""

    def hold(self, id_: str, route: str) -> datetime | None:
        """Hold a place for the first attempt; return the end of its lease, for the command. None: no place is free."""
        until = self._effects.hold(id_, route)
        if until is not None:
            self._held[id_] = until
            passage("claim.before")
        return until

    def start(self, input_: Input[Any], outcome: Outcome[S], material: M | None) -> None:
        """Start the attempt if the outcome shows that it was claimed; otherwise the aggregate existed already."""
        until = self._held.get(input_.target)
        match outcome:
            case Applied(state, events) if state is not None and events and until is not None:
                if self._effects.is_held(state, until):
                    passage("claim.after")
                    del self._held[input_.target]
                    self._effects.start(state, material, input_.trace)
            case _:
                pass

    def give_back(self) -> None:
        """Give back places whose attempt was not started: the aggregate existed, or the outcome is unknown."""
        for id_ in self._held:
            self._effects.give_back(id_)
