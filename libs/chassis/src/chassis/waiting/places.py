"""Places: the limit on concurrent attempts, in total and per route, and the queues for a place.

Keeps: an attempt holds a place until the other side has answered. An attempt that waits for a place, or whose result is
not saved yet, is in hand without one. Their number is limited, so a database outage does not fill memory, and also
limited per route, so a route that does not answer holds few claims.
"""

import asyncio
import contextlib
from collections import Counter, deque
from collections.abc import Set

MOST_IN_HAND = 10
"""Attempts in hand may be this many times the places."""
FULL = 5
"""With this many times the places in hand, creations of new work wait."""
AHEAD = 4
"""Per route, this many times its places may be claimed and wait for one."""


class Places:
    """The places of one process."""

    def __init__(self, in_all: int, per_route: int) -> None:
        self._in_all = in_all
        self._per_route = per_route
        self._held: dict[str, str] = {}
        """Id → route."""
        self._held_of = Counter[str]()
        self._in_hand: set[str] = set()
        self._ahead: dict[str, str] = {}
        """Id → route: claimed, or about to be, without a place yet."""
        self._ahead_of = Counter[str]()
        self._waiting: dict[str, deque[tuple[str, asyncio.Future[None]]]] = {}
        """By route."""
        self._few_in_hand = asyncio.Event()
        self._few_in_hand.set()
        self.closed = False
        """Whether no more attempts are begun."""

    @property
    def in_hand(self) -> Set[str]:
        """Ids that wait for a place, hold one, or whose result is being saved."""
        return self._in_hand

    @property
    def free(self) -> int:
        """How many places are free; zero if too many results wait to be saved."""
        return 0 if self.closed or self._too_many else self._in_all - len(self._held)

    @property
    def _too_many(self) -> bool:
        return len(self._in_hand) >= MOST_IN_HAND * self._in_all

    def room(self, route: str) -> int:
        """How many more places a route may take, if any are free."""
        return self._per_route - self._held_of[route]

    async def few_in_hand(self, within_seconds: float) -> None:
        """Wait until few are in hand, at most `within_seconds`."""
        if not self._few_in_hand.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._few_in_hand.wait(), within_seconds)

    def take(self, id_: str, route: str) -> bool:
        """Take an attempt in hand that will need a place soon; false if it is in hand already, or too many are."""
        if self.closed or self._too_many or id_ in self._in_hand or self._ahead_of[route] >= AHEAD * self._per_route:
            return False
        self._have(id_)
        self._go_ahead(id_, route)
        return True

    def hold(self, id_: str, route: str) -> None:
        """Hold a place that `free` and `room` have just promised."""
        self._have(id_)
        self._no_longer_ahead(id_)
        if id_ not in self._held:
            self._held[id_] = route
            self._held_of[route] += 1

    def enter(self, id_: str, route: str) -> "asyncio.Future[None]":
        """Queue for a place; the future is done when it is held. First come, first served within each route."""
        entered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if id_ in self._held or (len(self._held) < self._in_all and self.room(route) > 0):
            self.hold(id_, route)
            entered.set_result(None)
        else:
            self._have(id_)
            self._go_ahead(id_, route)
            self._waiting.setdefault(route, deque()).append((id_, entered))
        return entered

    def leave(self, id_: str) -> bool:
        """The other side has answered; return whether a place is free that nobody waits for."""
        route = self._held.pop(id_, None)
        if route is None:
            return False
        self._held_of[route] -= 1
        self._let_in()
        return len(self._held) < self._in_all

    def drop(self, id_: str) -> None:
        """The attempt is complete."""
        self._in_hand.discard(id_)
        self._no_longer_ahead(id_)
        if len(self._in_hand) < FULL * self._in_all:
            self._few_in_hand.set()

    def _have(self, id_: str) -> None:
        self._in_hand.add(id_)
        if len(self._in_hand) >= FULL * self._in_all:
            self._few_in_hand.clear()

    def _go_ahead(self, id_: str, route: str) -> None:
        if id_ not in self._ahead:
            self._ahead[id_] = route
            self._ahead_of[route] += 1

    def _no_longer_ahead(self, id_: str) -> None:
        if (route := self._ahead.pop(id_, None)) is not None:
            self._ahead_of[route] -= 1

    def _let_in(self) -> None:
        for route in [each for each in self._waiting if self.room(each) > 0]:
            waiting = self._waiting[route]
            while waiting and len(self._held) < self._in_all and self.room(route) > 0:
                id_, entered = waiting.popleft()
                if not entered.done():  # otherwise it was cancelled meanwhile
                    self.hold(id_, route)
                    entered.set_result(None)
            if waiting:  # next time the other routes come first
                self._waiting[route] = self._waiting.pop(route)
            else:
                del self._waiting[route]
