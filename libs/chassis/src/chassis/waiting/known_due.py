"""What is due, as far as this process knows of it: what it saved itself, and what it found when it looked.

To ask the database for what is due costs it the whole of a backlog every time; what is known here is taken without
asking. Of each route and in all so many are known, so that neither a dead route nor a dead world fills memory.
"""

from collections.abc import Callable, Collection
from datetime import datetime
from heapq import heappop, heappush
from typing import NamedTuple

OF_A_ROUTE = 1_000
IN_ALL = 20_000


class Due(NamedTuple):
    """An attempt that waits for its moment."""

    moment: datetime
    id: str
    """The aggregate's."""
    route: str


class KnownDue:
    """The attempts that are known to wait, each aggregate once, by route and moment."""

    def __init__(self) -> None:
        self._routes: dict[str, list[Due]] = {}
        """Heaps; what became due earlier than it was stays in them, and is passed over."""
        self._of: dict[str, Due] = {}
        """By id."""
        self._more = True
        self._more_of: set[str] = set()
        """Routes of which more is due than is known here."""

    @property
    def worth_a_look(self) -> bool:
        """Whether a look may find what is not known here and for which there is room: half of it, so that a backlog
        is read a few times only."""
        if len(self._of) > IN_ALL // 2:
            return False
        return self._more or any(len(self._routes.get(route, ())) <= OF_A_ROUTE // 2 for route in self._more_of)

    def looked(self, besides: Collection[str], *, more: bool) -> None:
        """A look has ended, and `add` was told what it found: in all routes `besides` these. Whether there is more."""
        self._more = more
        self._more_of.intersection_update([*besides, *self.full_routes])

    def add(self, due: Due) -> None:
        """Know of an attempt, the earliest of an aggregate; where there is no room, that there are more."""
        before = self._of.get(due.id)
        if before is not None and before.moment <= due.moment:
            return
        if len(self._of) >= IN_ALL:
            self._more = True
            return
        if len(self._routes.get(due.route, ())) >= OF_A_ROUTE:
            self._more_of.add(due.route)
            return
        heappush(self._routes.setdefault(due.route, []), due)
        self._of[due.id] = due

    @property
    def full_routes(self) -> list[str]:
        """Those of which no more can be known."""
        return [route for route, known in self._routes.items() if len(known) >= OF_A_ROUTE]

    def take(self, now: datetime, limit: int, room: Callable[[str], int]) -> list[Due]:
        """Up to `limit` that are due, of each route as many as it has `room` for; the longest waiting route first."""
        chosen: list[Due] = []
        for route in sorted(self._routes, key=lambda each: self._routes[each][0]):
            known = self._routes[route]
            left = min(room(route), limit - len(chosen))
            while left > 0 and known and known[0].moment <= now:
                due = heappop(known)
                if self._of.get(due.id) == due:
                    del self._of[due.id]
                    chosen.append(due)
                    left -= 1
            if not known:
                del self._routes[route]
        return chosen
